"""Layer 1: everything rendered is well-formed and clean, for every answer set."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.answer_sets import VALID

from .conftest import Render

IMPORT_OF = {"prometheus-client": "prometheus_client", "pydantic-settings": "pydantic_settings", "pyyaml": "yaml"}
IMPORT_OF["sentry-sdk"] = "sentry_sdk"
COMES_WITH = {"pydantic_core": "pydantic"}  # typed parts of a dependency that the dependency itself tells to import
NEVER_ON_WINDOWS = re.compile(r'[<>:"|?*\\]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)
MARKDOWN_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
JINJA = re.compile(r"(?<!\$)\{\{|\{%|%\}")

pytestmark = pytest.mark.parametrize("name", VALID)


def files(folder: Path, pattern: str = "*") -> Iterator[Path]:
    return (path for path in folder.rglob(pattern) if path.is_file())


def test_every_file_parses(rendered: Render, name: str) -> None:
    folder = rendered(name)
    for path in files(folder, "*.py"):
        ast.parse(path.read_text(), path.name)
    for path in files(folder, "*.toml"):
        tomllib.loads(path.read_text())
    for path in [*files(folder, "*.yml"), *files(folder, "*.yaml")]:
        yaml.safe_load(path.read_text())
    for path in files(folder, "*.json"):
        json.loads(path.read_text())


def test_the_answers_arrive_as_they_were_given(rendered: Render, name: str) -> None:
    folder = rendered(name)
    recorded = yaml.safe_load((folder / ".copier-answers.yml").read_text())
    assert VALID[name].items() <= recorded.items()
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["description"]) == (recorded["service_name"], recorded["description"])
    assert (folder / "src" / recorded["package_name"] / "__main__.py").is_file()


@pytest.mark.parametrize("check", [("format", "--check"), ("check", "--quiet")], ids=["format", "lint"])
def test_the_render_is_clean(rendered: Render, name: str, check: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "ruff", *check, "--no-cache", "."]
    run = subprocess.run(command, cwd=rendered(name), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_no_jinja_is_left(rendered: Render, name: str) -> None:
    folder = rendered(name)
    said = str(VALID[name].get("description"))
    for path in files(folder):
        text = path.read_text().replace(said, "").replace(said.replace("\\", "\\\\").replace('"', '\\"'), "")
        text = MARKDOWN_ESCAPE.sub(r"\1", text).replace(said, "")
        if path.name != ".copier-answers.yml":  # YAML may fold the description
            assert not JINJA.search(text), path


def test_no_folder_is_empty_and_no_name_is_unsafe(rendered: Render, name: str) -> None:
    folder = rendered(name)
    for path in folder.rglob("*"):
        assert not NEVER_ON_WINDOWS.search(path.name), path
        assert path.is_file() or any(path.iterdir()), path
        assert "cache" not in path.name


def test_every_text_ends_with_one_newline(rendered: Render, name: str) -> None:
    folder = rendered(name)
    for path in files(folder):
        text = path.read_text()
        assert not text or (text.endswith("\n") and not text.endswith("\n\n")), path


def test_every_import_is_declared_and_every_dependency_is_needed(rendered: Render, name: str) -> None:
    folder = rendered(name)
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    declared = {re.split(r"[\[<>=~ ]", line)[0] for line in project["project"]["dependencies"]}
    tools = {re.split(r"[\[<>=~ ]", line)[0] for line in project["dependency-groups"]["dev"]}
    package = project["tool"]["uv"]["build-backend"]["module-name"]
    imported = third_party(folder / "src", package)
    assert imported == {IMPORT_OF.get(one, one) for one in declared - {"httptools"}}  # uvicorn is told its name
    beside = {path.stem for path in (folder / "tests/chassis").glob("*.py")}  # where pytest finds modules, too
    assert third_party(folder / "tests", package) - beside <= {IMPORT_OF.get(one, one) for one in declared | tools}


def third_party(folder: Path, package: str) -> set[str]:
    """Return the top-level names imported below a folder that are neither Python's nor the service's own."""
    names: set[str] = set()
    for path in files(folder, "*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names.add(node.module.split(".")[0])
    return {COMES_WITH.get(name, name) for name in names} - sys.stdlib_module_names - {package}


def test_no_module_hides_one_of_pythons(rendered: Render, name: str) -> None:
    package = yaml.safe_load((rendered(name) / ".copier-answers.yml").read_text())["package_name"]
    assert package not in sys.stdlib_module_names
    assert find_spec(package) is None
