"""Every live proof can turn red: for each there is a fault that it finds."""

import shutil
import time
from pathlib import Path

import pytest

from tests.template.live.sabotage.cross_check import seen_red
from tests.template.live.sabotage.patches import Sabotage, apply, sabotages
from tests.template.live.sabotage.proofs import proofs
from tests.template.live.sabotage.table import table

from .conftest import make

MAY_BREAK = ("src/proving/chassis/", "src/proving/__main__.py", "pyproject.toml")  # what the proofs add is not theirs

every_sabotage = pytest.mark.parametrize("sabotage", sabotages(), ids=lambda sabotage: sabotage.name)


@pytest.fixture(scope="module")
def services(template, tmp_path_factory) -> dict[str, Path]:
    """Return the services that are broken, whole, by their type. Read only."""
    kinds = {sabotage.kind for sabotage in sabotages()}
    folder = tmp_path_factory.mktemp("whole")
    return {
        kind: make(template, {"service_name": "proving", "service_type": kind}, folder / kind / "proving") for kind in kinds
    }


def test_every_proof_has_a_sabotage() -> None:
    without = set(proofs()) - frozenset().union(*(sabotage.aimed for sabotage in sabotages()))
    assert not without, "write a patch into tests/template/live/sabotage for each (docs/adding-a-feature.md says how)"


@every_sabotage
def test_a_sabotage_names_proofs_that_exist(sabotage: Sabotage) -> None:
    assert not (sabotage.red | sabotage.sometimes) - set(proofs())
    assert not sabotage.aimed & (sabotage.also | sabotage.sometimes)


@every_sabotage
def test_a_sabotage_fits_and_leaves_code_that_compiles(sabotage: Sabotage, services: dict[str, Path], tmp_path: Path) -> None:
    service = services[sabotage.kind]
    assert all(path.startswith(MAY_BREAK) for path in sabotage.touched)
    broken = shutil.copytree(service, tmp_path / "proving")
    apply(sabotage.path, broken)
    for path in sabotage.touched:
        assert (broken / path).read_text() != (service / path).read_text()
        if path.endswith(".py"):
            compile((broken / path).read_text(), path, "exec")


def test_the_documents_show_what_is_proved(root: Path) -> None:
    assert (root / "docs/proofs.md").read_text() == table(), "python -m tests.template.live.sabotage > docs/proofs.md"


@pytest.mark.slow
@every_sabotage
def test_a_sabotage_turns_red_what_it_says(sabotage: Sabotage, tmp_path: Path) -> None:
    began = time.monotonic()
    red = seen_red(sabotage, tmp_path)
    print(f"{sabotage.name}: {time.monotonic() - began:.0f} s")
    assert red - sabotage.sometimes == sabotage.red - sabotage.sometimes
