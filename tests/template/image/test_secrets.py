"""What a company's network asks of a build stays out of the image."""

import re
from pathlib import Path

import pytest

from .conftest import Image
from .engine import Engine
from .private_index import PrivateIndex

pytestmark = pytest.mark.slow


def test_every_package_comes_from_the_index_of_the_secret(image: Image, index: PrivateIndex) -> None:
    listed = (image.context / "pyproject.toml").read_text().split("dependencies = [")[1].split("]")[0]
    assert {*re.findall(r'"([a-z-]+)>=', listed), "uv"} <= index.asked


@pytest.mark.parametrize("text", ["EXPOSE 8000 9000", "UV_COMPILE_BYTECODE", "https://files."])
def test_the_search_finds_what_is_there(engine: Engine, image: Image, text: str) -> None:
    """The history, a stage that is not part of the image, and a file in a layer."""
    assert engine.stored(text)


def test_no_secret_is_in_any_layer_history_or_configuration(engine: Engine, image: Image, index: PrivateIndex) -> None:
    assert [file for canary in index.canaries.values() for file in engine.stored(canary)] == []


def test_no_secret_is_printed(image: Image, index: PrivateIndex) -> None:
    assert "Successfully tagged" in image.log
    assert [name for name, canary in index.canaries.items() if canary in image.log] == []


def test_a_refused_password_ends_the_build_and_is_not_printed(
    engine: Engine, base: str, service: Path, index: PrivateIndex, tmp_path: Path
) -> None:
    wrong = (index.folder / "package_index").read_text().replace(index.password, f"{index.password}-wrong")
    (tmp_path / "wrong").write_text(wrong)
    secrets = [f"--secret=id=package_index,src={tmp_path / 'wrong'}", index.build_secrets[1]]
    log = engine.build(service, "localhost/refused", "--no-cache", *secrets, check=False)
    assert "uv==0.13.9" in log
    assert "Successfully tagged" not in log
    assert index.password not in log
