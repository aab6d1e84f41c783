"""Layer 2 for a worker: it passes its own suite and checks, with features and without, also without the example."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import httpx2
import pytest
from uv import find_uv_bin

from .conftest import MakeProject, uv
from .live.runner import eventually, free_port
from .test_own_suite import RESOURCES_WITHOUT_THE_EXAMPLE, assert_checks_pass, assert_suite_passes, just

WORKER_WITHOUT_THE_EXAMPLE = '''"""What this worker serves: nothing yet."""

from .chassis.attempts import Worker


def configure(worker: Worker, resources: None) -> None:
    """Add slices here."""
    worker.resources = resources
'''


@pytest.fixture(scope="module", params=["minimal", "standard"])
def project(request: pytest.FixtureRequest, make_project: MakeProject) -> Path:
    """Return a created worker with its environment. Read only."""
    folder = make_project(
        request.param, service_name="order-fulfilment", package_name="shipping", service_type="worker"
    )
    uv("sync", "--quiet", "--locked", folder=folder)
    return folder


def test_its_suite_passes_with_its_coverage_gate(project: Path) -> None:
    assert_suite_passes(project)


def test_its_checks_pass(project: Path) -> None:
    assert_checks_pass(project)


def test_it_can_be_tried_with_one_command(project: Path) -> None:
    run = just("smoke", "notes.create", '{"title": "milk"}', folder=project)
    assert run.returncode == 0, run.stdout + run.stderr
    assert 'notes.create {"title": "milk"} -> succeeded' in run.stdout
    assert "SIGTERM -> exit code 0" in run.stdout
    run = just("smoke", "notes.create", "{}", folder=project)
    assert run.returncode == 1
    assert "-> dead_lettered" in run.stdout


def test_it_starts_with_a_broker_of_its_own_and_ends_with_it(project: Path) -> None:
    port = free_port()
    command = [find_uv_bin(), "run", "--locked", "just", "dev"]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"} | {"OPS_PORT": str(port)}
    with subprocess.Popen(
        command, cwd=project, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as dev:
        try:
            eventually(lambda: ready(port), "the worker is ready", seconds=60)  # uv looks after the environment first
            os.killpg(dev.pid, signal.SIGINT)  # as a terminal does
            said = b"".join(dev.communicate(timeout=30))
        finally:
            if dev.poll() is None:
                os.killpg(dev.pid, signal.SIGKILL)
    assert b"exit_code=0" in said, said
    with pytest.raises(ProcessLookupError):
        os.killpg(dev.pid, 0)


def ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def test_without_the_example_everything_still_passes(project: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(project, tmp_path / "copy", ignore=shutil.ignore_patterns(".venv"))
    for path in ("src/shipping/notes", "tests/notes"):
        shutil.rmtree(folder / path)
    (folder / "src/shipping/resources.py").write_text(RESOURCES_WITHOUT_THE_EXAMPLE)
    (folder / "src/shipping/worker.py").write_text(WORKER_WITHOUT_THE_EXAMPLE)
    uv("sync", "--quiet", "--locked", folder=folder)
    run = just("test", "--quiet", folder=folder)
    assert run.returncode == 0, run.stdout
    run = just("check", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
