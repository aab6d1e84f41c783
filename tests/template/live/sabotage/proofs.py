"""The proofs of the live layer: every test function of its test files, parameters folded."""

import ast
from collections.abc import Mapping
from pathlib import Path

LIVE = Path(__file__).parents[1]
NO_PROOFS = {
    "test_hostile_answers.py",  # starts services of its own, with other answers than the one that is broken
    "test_tools.py",  # proves the tools of this layer
}


def chapters() -> dict[str, str]:
    """Return the test files, each with its promise."""
    return {path.name: str(ast.get_docstring(tree)) for path, tree in trees().items()}


def proofs() -> list[str]:
    """Return the proofs by their names: ``test_health.py::test_it_holds``."""
    return [
        f"{path.name}::{node.name}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
    ]


def trees() -> Mapping[Path, ast.Module]:
    paths = (path for path in sorted(LIVE.glob("test_*.py")) if path.name not in NO_PROOFS)
    return {path: ast.parse(path.read_text()) for path in paths}


def sentence(proof: str) -> str:
    """Say in words what a proof promises: "It holds"."""
    return proof.partition("::test_")[2].replace("_", " ").capitalize()
