"""A service with slices, settings, resources and middleware of its own, and its environment, made once."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from new_service.template import Template
from tests.answer_sets import Answers
from tests.template.conftest import make, uv

from .runner import Project, Running
from .sabotage.patches import apply

EXTENSION = Path(__file__).parent / "extension"
CANARY = "canary-3f9d1c7b52e84a06b1e0c4d7"

DEPENDENCIES_END = "# --- the template's dependencies end here; add your own below, updates keep them ---"

Start = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def project(pytestconfig: pytest.Config, template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the extended service, ready to be started; broken, where a sabotage is given."""
    return extended(template, {"service_name": "proving"}, tmp_path_factory, pytestconfig.getoption("--sabotage"))


@pytest.fixture(scope="session")
def plain(pytestconfig: pytest.Config, template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the same service without any feature; a sabotage that does not fit it breaks a feature."""
    answers = {"service_name": "proving", "features": []}
    with suppress(CalledProcessError):
        return extended(template, answers, tmp_path_factory, pytestconfig.getoption("--sabotage"))
    return extended(template, answers, tmp_path_factory, None)


def extended(template: Template, answers: Answers, folders: pytest.TempPathFactory, patch: str | None) -> Project:
    folder = make(template, answers, folders.mktemp("live") / "proving")
    if patch:
        apply(Path(patch), folder)
    shutil.copytree(EXTENSION, folder / "src/proving", dirs_exist_ok=True)
    project = folder / "pyproject.toml"
    project.write_text(
        project.read_text().replace(DEPENDENCIES_END, f'{DEPENDENCIES_END}\n  "python-multipart>=0.0.20",')
    )
    uv("sync", "--quiet", folder=folder)
    return Project(folder, "proving", {"PAY_TOKEN": CANARY, "RATE_LIMIT_IP": "1000000/second"})


@pytest.fixture
def start(project: Project, tmp_path: Path) -> Start:
    return partial(project.started, tmp_path / "output")


@pytest.fixture(scope="module")
def running(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for the tests of a module that leave it as it was."""
    with project.started(tmp_path_factory.mktemp("running") / "output") as running:
        yield running
