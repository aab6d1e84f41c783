"""What copier.yml promises about files: patterns that match something, files with one owner, no surprises."""

import re
from pathlib import Path

import pytest
import yaml
from pathspec import PathSpec

from new_service.ownership import Owner, Ownership
from new_service.template import Template
from tests.answer_sets import VALID

from .conftest import Render, make

CACHES = {"__pycache__", "*.py[co]", ".pytest_cache", ".ruff_cache", ".venv", ".coverage"}


@pytest.fixture(scope="module")
def settings(root: Path) -> dict[str, list[str]]:
    return yaml.safe_load((root / "copier.yml").read_text())


def destinations(root: Path) -> list[str]:
    """Return what the template's files are called in a project, for a package named `package`."""
    folder = root / "template"
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and "cache" not in str(path))
    names = (re.sub(r"\{\{ package_name \}\}", "package", path.as_posix()) for path in found)
    return [
        re.sub(r"\{\{ _copier_conf.answers_file \}\}", ".copier-answers.yml", n.removesuffix(".jinja")) for n in names
    ]


def patterns_of(block: str) -> list[str]:
    return [line for line in re.sub(r"\{%.*?%\}", "", block).split("\n") if line]


def test_every_pattern_matches_a_file_of_the_template(root: Path, settings: dict[str, list[str]]) -> None:
    paths = destinations(root)
    blocks = [block for block in settings["_exclude"] if block not in CACHES]
    for pattern in [*settings["_skip_if_exists"], *(line for block in blocks for line in patterns_of(block))]:
        assert any(PathSpec.from_lines("gitignore", [pattern]).match_files(paths)), f"{pattern} matches nothing"


def test_caches_are_excluded_first(settings: dict[str, list[str]]) -> None:
    assert set(settings["_exclude"][: len(CACHES)]) == CACHES


def test_copier_is_never_asked_to_run_anything(settings: dict[str, list[str]]) -> None:
    assert not settings.keys() & {"_tasks", "_migrations", "_jinja_extensions"}


def test_no_path_is_conditional_and_no_tag_eats_space(root: Path) -> None:
    for path in (root / "template").rglob("*"):
        assert "{%" not in path.name
        if path.name.endswith(".jinja"):
            text = path.read_text()
            assert "{%-" not in text
            assert "-%}" not in text


def test_a_file_is_a_jinja_file_because_it_has_variables(root: Path) -> None:
    for path in (root / "template").rglob("*"):
        if path.is_file() and "cache" not in str(path) and path.name != ".gitignore.jinja":  # it would act here
            assert path.name.endswith(".jinja") == bool(re.search(r"(?<!\$)\{\{|\{%", path.read_text())), path


def test_the_documented_owner_of_every_file_is_its_owner(root: Path, template: Template, tmp_path: Path) -> None:
    table = re.findall(r"^\| `(.+?)` \| (.+?) \|", (root / "docs/ownership.md").read_text(), re.MULTILINE)
    ownership = Ownership(template.questionnaire, VALID["defaults"])
    unmatched = {pattern for pattern, _ in table}
    for name in ("defaults", "bot", "worker"):
        folder = make(template, VALID[name], tmp_path / name)
        for relative in sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()):
            owners = [
                (p, owner)
                for p, owner in table
                if PathSpec.from_lines("gitignore", [p]).match_file(relative.as_posix())
            ]
            assert owners, f"docs/ownership.md says nothing about {relative}"
            pattern, owner = owners[-1]  # the last line that fits counts, as in .gitignore
            assert Owner(owner) == ownership.of(relative), f"{relative} by {pattern}"
            unmatched -= {pattern for pattern, _ in owners}
    assert not unmatched


def test_a_project_without_an_answer_has_none_of_its_files(rendered: Render) -> None:
    assert (rendered("defaults") / ".github").is_dir()
    assert not (rendered("no-ci") / ".github").exists()
