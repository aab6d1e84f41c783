"""A service with slices, settings, resources and middleware of its own, and its environment, made once."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from fcntl import LOCK_EX, flock
from functools import partial
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from new_service.template import Template
from tests.answer_sets import Answers
from tests.template.conftest import make, uv

from . import bots
from .runner import Project, Running
from .sabotage.patches import apply, kind_of
from .worker_fixtures import valkey, worker, worker_project, workers  # noqa: F401 - pytest looks for fixtures here

HERE = Path(__file__).parent
EXTENSIONS = {"api": HERE / "extension", "bot": HERE / "extension_bot", "worker": HERE / "extension_worker"}
CANARY = "canary-3f9d1c7b52e84a06b1e0c4d7"

DEPENDENCIES_END = "# --- the template's dependencies end here; add your own below, updates keep them ---"

Start = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def workshop(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the workers of one run share: to make an environment takes longer than most proofs."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def project(pytestconfig: pytest.Config, template: Template, workshop: Path) -> Project:
    """Return the extended service, ready to be started; broken, where a sabotage is given. Read only."""
    return extended(template, {"service_name": "proving"}, workshop / "whole", sabotage(pytestconfig, "api"))


@pytest.fixture(scope="session")
def bot_project(pytestconfig: pytest.Config, template: Template, workshop: Path) -> Project:
    """Return the extended bot, in the same way. Read only."""
    answers = {"service_name": "proving", "service_type": "bot"}
    made = extended(template, answers, workshop / "bot", sabotage(pytestconfig, "bot"))
    rates = {"RATE_LIMIT_USER": "1000000/second", "RATE_LIMIT_CHAT": "1000000/second"}
    given = {"PAY_TOKEN": CANARY, "BOT_TOKEN": bots.TOKEN, "BOT_ADMIN_IDS": str(bots.ADMIN), **rates}
    return Project(made.folder, made.package, given)


def sabotage(config: pytest.Config, kind: str) -> str | None:
    """Return the patch to break a service of this type with, if it is for this type."""
    patch = config.getoption("--sabotage")
    return patch if patch and kind_of(Path(patch)) == kind else None


@pytest.fixture(scope="session")
def plain(pytestconfig: pytest.Config, template: Template, workshop: Path) -> Project:
    """Return the same service without any feature; a sabotage that does not fit it breaks a feature. Read only."""
    answers = {"service_name": "proving", "features": []}
    with suppress(CalledProcessError):
        return extended(template, answers, workshop / "plain", sabotage(pytestconfig, "api"))
    return extended(template, answers, workshop / "plain-unbroken", None)


def extended(template: Template, answers: Answers, folder: Path, patch: str | None) -> Project:
    """Make the service by the first worker that needs it; the others wait and take it as it is."""
    folder.mkdir(exist_ok=True)
    service, made = folder / "proving", folder / "made"
    with (folder / "lock").open("w") as lock:
        flock(lock, LOCK_EX)  # until the file is closed
        if not made.exists():
            shutil.rmtree(service, ignore_errors=True)
            make(template, answers, service)
            extend(service, EXTENSIONS[str(answers.get("service_type", "api"))], patch)
            made.touch()
    return Project(service, "proving", {"PAY_TOKEN": CANARY, "RATE_LIMIT_IP": "1000000/second"})


def extend(service: Path, extension: Path, patch: str | None) -> None:
    if patch:
        apply(Path(patch), service)
    shutil.copytree(extension, service / "src/proving", dirs_exist_ok=True)
    project = service / "pyproject.toml"
    project.write_text(
        project.read_text().replace(DEPENDENCIES_END, f'{DEPENDENCIES_END}\n  "python-multipart>=0.0.20",')
    )
    uv("sync", "--quiet", folder=service)


@pytest.fixture
def start(project: Project, tmp_path: Path) -> Start:
    return partial(project.started, tmp_path / "output")


@pytest.fixture(scope="module")
def running(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for the tests of a module that leave it as it was."""
    with project.started(tmp_path_factory.mktemp("running") / "output") as running:
        yield running
