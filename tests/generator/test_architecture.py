"""Rules about the code itself."""

import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, root: Path) -> None:
    program = Path(sys.executable).with_name(arguments[0])
    done = subprocess.run([str(program), *arguments[1:]], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dependencies_point_one_way(root: Path) -> None:
    run("lint-imports", "--no-cache", root=root)


@pytest.mark.parametrize("arguments", [("check", "--no-cache"), ("format", "--check", "--no-cache")])
def test_the_code_is_clean(root: Path, arguments: tuple[str, ...]) -> None:
    run("ruff", *arguments, root=root)


def test_the_types_hold(root: Path) -> None:
    run("pyrefly", "check", root=root)


def test_files_are_short(root: Path) -> None:
    paths = (root / "generator").rglob("*.py")
    lengths = {path.name: len(path.read_text().splitlines()) for path in paths}
    assert {name: length for name, length in lengths.items() if length > 200} == {}
