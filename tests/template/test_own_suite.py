"""Layer 2: a created service passes its own suite and checks, as its team will run them, also without the example."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from .conftest import MakeProject, uv

RESOURCES_WITHOUT_THE_EXAMPLE = '''"""The service's own resources."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from .chassis.wiring import Chassis
from .settings import Settings


@asynccontextmanager
async def open_resources(settings: Settings, chassis: Chassis) -> AsyncGenerator[None]:  # noqa: ARG001 - none yet
    """Nothing to open yet."""
    yield
'''
API_WITHOUT_THE_EXAMPLE = '''"""What this API serves: nothing yet."""

from fastapi import FastAPI


def configure(app: FastAPI, resources: None) -> None:
    """Add slices here."""
    app.state.resources = resources
'''


@pytest.fixture(scope="module")
def project(make_project: MakeProject) -> Path:
    """Return a created project with its environment. Read only."""
    folder = make_project(service_name="order-fulfilment", package_name="fulfilment")
    uv("sync", "--quiet", "--locked", folder=folder)
    return folder


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """Return a copy of the project that the test may change."""
    folder = shutil.copytree(project, tmp_path / "copy", ignore=shutil.ignore_patterns(".venv"))
    uv("sync", "--quiet", "--locked", folder=folder)
    return folder


def just(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return uv("run", "--locked", "just", *arguments, folder=folder, check=False)


def assert_suite_passes(folder: Path) -> None:
    run = just("test", "--quiet", folder=folder)
    assert run.returncode == 0, run.stdout
    assert "Required test coverage of 85.0% reached" in run.stdout


def assert_checks_pass(folder: Path) -> None:
    run = just("check", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 errors" in run.stderr + run.stdout  # the type checker looked at something


def test_its_suite_passes_with_its_coverage_gate(project: Path) -> None:
    assert_suite_passes(project)


def test_its_checks_pass(project: Path) -> None:
    assert_checks_pass(project)


def test_its_hooks_pass_and_stop_a_bad_commit(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(find_uv_bin()).parent), os.environ["PATH"]]))
    run = uv("run", "--locked", "prek", "run", "--all-files", folder=copy, check=False)
    assert run.returncode == 0, run.stdout
    assert run.stdout.count("Passed") == 3
    (copy / "src/fulfilment/notes/store.py").write_text("import os\n")
    run = uv("run", "--locked", "prek", "run", "--all-files", folder=copy, check=False)
    assert run.returncode == 1
    assert run.stdout.count("Failed") == 2  # lint and types


def test_it_can_be_tried_with_one_command(project: Path) -> None:
    run = just("smoke", "/api/v1/notes", folder=project)
    assert run.returncode == 0, run.stdout + run.stderr
    assert 'GET /api/v1/notes -> 200 {"items":[],"next_cursor":null}' in run.stdout
    assert "SIGTERM -> exit code 0" in run.stdout
    assert just("smoke", "/nothing", folder=project).returncode == 1


def test_a_failing_test_and_missing_coverage_are_noticed(copy: Path) -> None:
    (copy / "tests/notes/test_service.py").write_text("def test_it() -> None:\n    assert False\n")
    assert just("test", "--quiet", "--no-cov", "tests/notes", folder=copy).returncode != 0
    (copy / "tests/notes/test_service.py").unlink()
    assert "FAIL Required test coverage" in just("test", "--quiet", "tests/notes", folder=copy).stdout


def test_its_suite_passes_whatever_the_team_has_configured(copy: Path) -> None:
    (copy / "config/base.yaml").write_text("http_port: 8080\nlog_level: warning\nhttp_max_json_items: 500\n")
    (copy / "config/production.yaml").write_text("http_port: 8080\n")
    (copy / ".env").write_text("OPS_PORT=9100\nLOG_LEVEL=debug\nDEBUG=true\nHTTP_PORT=8081\n")
    run = just("test", "--quiet", folder=copy)
    assert run.returncode == 0, run.stdout


def test_without_the_example_everything_still_passes(copy: Path) -> None:
    for folder in ("src/fulfilment/notes", "tests/notes"):
        shutil.rmtree(copy / folder)
    (copy / "src/fulfilment/resources.py").write_text(RESOURCES_WITHOUT_THE_EXAMPLE)
    (copy / "src/fulfilment/api.py").write_text(API_WITHOUT_THE_EXAMPLE)
    run = just("test", "--quiet", folder=copy)
    assert run.returncode == 0, run.stdout
    run = just("check", folder=copy)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_tests_of_two_slices_may_have_the_same_names(copy: Path) -> None:
    shutil.copytree(copy / "tests/notes", copy / "tests/orders")
    run = just("test", "--quiet", "--no-cov", "tests/notes", "tests/orders", folder=copy)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    "line",
    [
        "import asyncio\n\nBAD = asyncio.create_task\n",
        "import asyncio\n\nBAD = asyncio.ensure_future\n",
        "from starlette.middleware.base import BaseHTTPMiddleware\n\nBAD = BaseHTTPMiddleware\n",
    ],
)
def test_what_a_service_must_not_do_fails_its_lint(copy: Path, line: str) -> None:
    (copy / "src/fulfilment/bad.py").write_text(line)
    run = just("check", folder=copy)
    assert run.returncode != 0
    assert "TID251" in run.stdout


def test_the_teams_own_recipes_and_settings_take_part(copy: Path) -> None:
    (copy / "justfile.local").write_text("greet:\n    @echo hello\n")
    assert just("greet", folder=copy).stdout == "hello\n"
    settings = copy / "src/fulfilment/settings.py"
    settings.write_text(settings.read_text() + '\n    partner: str = "none"\n')
    assert just("test", "--quiet", "--no-cov", "tests/chassis", folder=copy).returncode != 0  # .env.example is stale
    assert just("env-example", folder=copy).returncode == 0
    assert (copy / ".env.example").read_text().endswith("\n\n# partner\n# PARTNER=none\n")
    assert just("test", "--quiet", "--no-cov", "tests/chassis", folder=copy).returncode == 0
