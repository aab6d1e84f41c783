"""Renders the template as it stands in the work tree, committed or not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from new_service.template import Template, open_folder, render
from tests.answer_sets import VALID, Answers

SOURCE = "https://example.com/platform/new-service.git"
COMMIT = "v0.1.0"
CACHES = shutil.ignore_patterns("__pycache__", ".*_cache")

Render = Callable[[str], Path]


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
