"""The proofs of the live layer: every test function of its test files, parameters folded."""

import ast
from collections.abc import Mapping
from pathlib import Path

LIVE = Path(__file__).parents[1]


def chapters() -> dict[str, str]:
    """Return the test files, each with its promise."""
    return {path.name: str(ast.get_docstring(tree)) for path, tree in trees().items()}


def proofs() -> dict[str, str]:
    """Return the proofs as ``test_health.py::test_it_holds``, each with its sentence: "It holds"."""
    return {
        f"{path.name}::{node.name}": sentence(node.name)
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
    }


def trees() -> Mapping[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sorted(LIVE.glob("test_*.py"))}


def sentence(name: str) -> str:
    words = name.removeprefix("test_").replace("_", " ")
    return words[0].upper() + words[1:]
