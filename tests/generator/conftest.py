import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from new_service.catalogue import Catalogue
from new_service.cli import app
from new_service.questions import Questionnaire

SAMPLE = Path(__file__).parent / "sample"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, with a home and configuration folders of this test's own."""
    home = tmp_path / "home"
    work = tmp_path / "work"
    for folder in (home, work):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(home / "system"))
    monkeypatch.chdir(work)
    return home


@pytest.fixture
def work(home: Path) -> Path:
    """Return the folder that the test stands in."""
    return home.with_name("work")


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let git know who commits."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")


def git(*arguments: str, folder: Path) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    run = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def commit_all(folder: Path, message: str = "change", tag: str | None = None) -> None:
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--message", message, folder=folder)
    if tag:
        git("tag", "--annotate", tag, "--message", tag, folder=folder)


def change(template: Path, replacements: Mapping[str, str]) -> None:
    """Replace texts in the template's copier.yml, each of which must be there."""
    path = template / "copier.yml"
    text = path.read_text()
    for old, new in replacements.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture(scope="session")
def sample_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the sample template as a repository with one release. Read only."""
    folder = tmp_path_factory.mktemp("template") / "sample"
    shutil.copytree(SAMPLE, folder)
    git("init", "--quiet", folder=folder)
    commit_all(folder, tag="v1.0.0")
    return folder


@pytest.fixture
def template(sample_repository: Path, tmp_path: Path) -> Path:
    """Return a copy of the sample template's repository that the test may change."""
    return Path(shutil.copytree(sample_repository, tmp_path / "template"))


@pytest.fixture(scope="session")
def questionnaire() -> Questionnaire:
    return Questionnaire.read(SAMPLE)


@pytest.fixture(scope="session")
def catalogue(questionnaire: Questionnaire) -> Catalogue:
    return Catalogue.read(questionnaire)


@dataclass(frozen=True)
class Outcome:
    """How a run of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


NewService = Callable[..., Outcome]


@pytest.fixture
def new_service(sample_repository: Path, monkeypatch: pytest.MonkeyPatch) -> NewService:
    """Run the command line in this process, on the sample template unless told otherwise."""
    monkeypatch.setenv("NEW_SERVICE_TEMPLATE", str(sample_repository))

    def run(*arguments: str | os.PathLike[str]) -> Outcome:
        result = CliRunner().invoke(app, [os.fspath(argument) for argument in arguments])
        assert "Traceback" not in result.output
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of every file."""
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts
    )
    return {path.relative_to(folder).as_posix(): (path.stat().st_mode, path.read_bytes()) for path in files}


@pytest.fixture
def project(new_service: NewService, template: Path, work: Path, identity: None) -> Path:
    """Return a project of the first release, committed."""
    assert new_service("create", "--name", "billing", "--yes", "--no-lock", "--template", template).code == 0
    return work / "billing"
