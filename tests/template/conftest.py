"""Renders the template as it stands in the work tree, committed or not."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from new_service.template import Template, open_folder, render
from tests.answer_sets import VALID, Answers

if TYPE_CHECKING:
    from .releases import Releases

SOURCE = "https://example.com/platform/new-service.git"
COMMIT = "v0.1.0"
CACHES = shutil.ignore_patterns("__pycache__", ".*_cache")

Render = Callable[[str], Path]
MakeProject = Callable[..., Path]


@pytest.fixture(scope="session")
def template(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Return the template in a plain folder of its own."""
    folder = tmp_path_factory.mktemp("template")
    shutil.copy(root / "copier.yml", folder)
    shutil.copytree(root / "template", folder / "template", ignore=CACHES)
    return open_folder(folder, source=SOURCE, commit=COMMIT)


@pytest.fixture(scope="session")
def rendered(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render an answer set, given by its name, once for all tests that only read it."""
    folders: dict[str, Path] = {}

    def one(name: str) -> Path:
        if name not in folders:
            folders[name] = make(template, VALID[name], tmp_path_factory.mktemp("rendered") / "service")
        return folders[name]

    return one


def make(template: Template, answers: Answers, folder: Path) -> Path:
    """Render a project into a folder of the test's own."""
    render(template, answers, folder)
    return folder


@pytest.fixture(scope="session")
def template_repository(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the template as a repository with one release. Read only."""
    folder = tmp_path_factory.mktemp("repository") / "template"
    shutil.copytree(template.folder, folder)
    git("init", "--quiet", folder=folder)
    release(folder, "v0.1.0")
    return folder


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Releases"]:
    """Yield the repository of all releases, where no organisation has defaults of its own. Read only."""
    from .releases import Releases, build  # noqa: PLC0415 - they import this module

    folder = tmp_path_factory.mktemp("releases")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
            patch.setenv(name, str(folder))
        yield Releases(build(folder / "template"), folder)


@pytest.fixture(scope="session")
def make_project(template_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeProject:
    """Create a project as its team would: with the command line, a lock file and a first commit."""

    def create(preset: str = "standard", **answers: str) -> Path:
        folder = tmp_path_factory.mktemp("created") / "project"
        given = [f"--preset={preset}", *(f"--set={name}={value}" for name, value in answers.items())]
        program = Path(sys.executable).with_name("new-service")
        command = [program, "create", folder, "--yes", *given, "--template", template_repository]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        return folder

    return create


def git(*arguments: str, folder: Path) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    run = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def release(folder: Path, tag: str) -> None:
    """Commit everything in a repository and tag it."""
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--allow-empty", "--message", tag, folder=folder)
    git("tag", "--annotate", tag, "--message", tag, folder=folder)


def uv(*arguments: str, folder: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run uv in a project, outside of the environment of these tests."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    run = subprocess.run(
        [find_uv_bin(), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert not check or run.returncode == 0, run.stdout + run.stderr
    return run


def fenced(page: str, language: str, having: str) -> str:
    """Return the one code block of a page that is of a language and has these characters in it."""
    blocks = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", page)
    [block] = [block for block in blocks if having in block]
    return block
