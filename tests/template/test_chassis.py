"""What holds for the code of the chassis as it is written: its size, what it knows, what it never does."""

import ast
from pathlib import Path

import pytest

from .conftest import Render

MOST_TEST_LINES = 500
EVERY_TYPE = ("errors", "health", "lifecycle", "logging", "metrics", "ops", "request_id", "sentry")
EVERY_TYPE += ("sentry_scrubber", "settings", "tasks")
OF_A_TYPE = {"edge", "input_limits", "problems", "serve_api", "wiring"}
OF_A_TYPE |= {"bot_api", "bot_edge", "bot_settings", "conversations", "polling", "serve_bot", "webhook"}
OF_A_TYPE |= {"attempts", "dead_letters", "jobs", "redis_queue", "serve_worker"}
SIZES = {"minimal": 1200, "defaults": 1900, "bot-minimal": 1337, "bot": 2000, "minimal-worker": 1350}


@pytest.fixture(scope="module")
def chassis(root: Path) -> Path:
    return root / "template/src/{{ package_name }}/chassis"


def lines_below(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.rglob("*.py"))


@pytest.mark.parametrize(("name", "most"), SIZES.items(), ids=SIZES)
def test_the_chassis_is_small(rendered: Render, name: str, most: int) -> None:
    assert lines_below(rendered(name) / "src/billing/chassis") <= most


def test_the_shipped_tests_are_few(rendered: Render) -> None:
    assert lines_below(rendered("minimal") / "tests") <= MOST_TEST_LINES



@pytest.mark.parametrize("module", EVERY_TYPE)
def test_what_every_type_shares_knows_nothing_of_one(chassis: Path, module: str) -> None:
    imported = imports(chassis / f"{module}.py")
    assert not imported & OF_A_TYPE
    assert not imported & {"aiogram", "coredis", "fastapi", "streaq"}
    assert "http" not in (chassis / f"{module}.py").read_text().lower().replace("as http numbers it", "")


def imports(path: Path) -> set[str]:
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, (ast.Import, ast.ImportFrom))]
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in modules | {alias.name for node in nodes for alias in node.names}}


def test_the_chassis_never_imports_a_slice(chassis: Path) -> None:
    for path in chassis.glob("*.py*"):
        text = path.read_text()
        assert "from .." not in text, path


def test_nothing_uses_a_middleware_that_costs_every_request(root: Path) -> None:
    users = [
        path for path in (root / "template").rglob("*.py*") if "BaseHTTPMiddleware" in path.read_text(errors="replace")
    ]
    assert not users
