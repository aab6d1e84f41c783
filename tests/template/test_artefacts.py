"""Layer 5: what other programs read is checked by those programs."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from .conftest import Render

WORKFLOW = ".github/workflows/ci.yml"


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def tool(name: str) -> str:
    """Return a program that a wheel brought into this environment."""
    path = Path(sys.executable).with_name(name)
    assert path.is_file(), f"{name} is missing: pip install -e '.[dev]'"
    return str(path)


@pytest.fixture(params=["generated", "own"])
def repository(request: pytest.FixtureRequest, root: Path, rendered: Render) -> Path:
    """Return a repository with a workflow: a generated one, and this one."""
    return root if request.param == "own" else rendered("defaults")


def test_the_workflow_is_valid(repository: Path) -> None:
    checked = run([tool("actionlint"), WORKFLOW], repository)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_workflow_is_safe(repository: Path) -> None:
    checked = run([tool("zizmor"), "--offline", "--pedantic", WORKFLOW], repository)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("checker", "old", "new"),
    [
        (["actionlint"], "runs-on: ubuntu-24.04", "runs_on: ubuntu-24.04"),
        (["zizmor", "--offline"], "persist-credentials: false", "fetch-depth: 1"),
        (["zizmor", "--offline"], "@3d3c42e5aac5ba805825da76410c181273ba90b1", "@main"),
    ],
    ids=["misspelt-key", "credentials-kept", "unpinned-action"],
)
def test_a_bad_workflow_is_found(rendered: Render, tmp_path: Path, checker: list[str], old: str, new: str) -> None:
    workflow = tmp_path / WORKFLOW
    workflow.parent.mkdir(parents=True)
    text = (rendered("defaults") / WORKFLOW).read_text()
    assert old in text
    workflow.write_text(text.replace(old, new))
    assert run([tool(checker[0]), *checker[1:], WORKFLOW], tmp_path).returncode != 0
