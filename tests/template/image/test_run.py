"""The image runs where nothing is writable and nothing is allowed, and stops without losing a request."""

import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.template.live.runner import DEADLINE_SECONDS, eventually

from .conftest import Image
from .container import Container, run, started
from .engine import Engine

pytestmark = pytest.mark.slow

DRAIN_SECONDS = 5.0  # what ENVIRONMENT=production means; the image sets it
BODY = b'{"title": "half"}'


@pytest.fixture(scope="module")
def container(engine: Engine, image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with started(engine, image.name, tmp_path_factory.mktemp("container") / "output") as container:
        container.wait_until("ready", 200)
        yield container


def half_sent(container: Container) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", container.port), timeout=DEADLINE_SECONDS)
    head = f"POST /api/v1/notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}"
    client.sendall(f"{head}\r\n\r\n".encode() + BODY[:5])
    eventually(lambda: container.metric("http_server_requests_in_flight") == 1)
    return client


def accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def seconds_of_shutdown(container: Container) -> float:
    begin, end = (container.logged(message=message)["timestamp"] for message in ("stopping", "stopped"))
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def test_it_is_ready_within_two_seconds(engine: Engine, image: Image, tmp_path: Path) -> None:
    with started(engine, image.name, tmp_path / "output") as container:
        container.wait_until("ready", 200)
        assert container.seconds_since_start() < 2


def test_it_answers_on_the_ports_that_it_is_given(container: Container) -> None:
    assert container.api.post("/api/v1/notes", json={"title": "kept"}).status_code == 201
    assert [container.probe(name) for name in ("live", "ready", "startup")] == [200, 200, 200]


def test_it_runs_as_a_numeric_user_without_rights(container: Container) -> None:
    status = dict(line.split(":\t") for line in container.execute("cat", "/proc/1/status").stdout.splitlines())
    assert status["Uid"].split() == status["Gid"].split() == ["10001"] * 4
    assert status["CapEff"] == status["CapBnd"] == "0" * 16
    assert status["NoNewPrivs"] == "1"


def test_the_file_system_is_read_only_except_tmp(container: Container) -> None:
    assert "Read-only file system" in container.execute("touch", "/app/new").stderr
    assert container.execute("touch", "/tmp/new").returncode == 0


def test_the_first_process_is_the_service(container: Container) -> None:
    command = container.execute("cat", "/proc/1/cmdline").stdout.rstrip("\0").split("\0")
    assert command == ["python", "-m", "billing"]


def test_its_health_check_passes(container: Container) -> None:
    assert container.is_healthy()


def test_its_health_check_asks_no_proxy(engine: Engine, image: Image, tmp_path: Path) -> None:
    with started(engine, image.name, tmp_path / "output", http_proxy="http://127.0.0.1:9") as container:
        container.wait_until("live", 200)
        assert container.is_healthy()


def test_its_health_check_fails_when_nothing_listens(engine: Engine, image: Image, tmp_path: Path) -> None:
    with started(engine, image.name, tmp_path / "output", "sleep", "60") as container:
        eventually(lambda: container.execute("true").returncode == 0, "the container")
        assert not container.is_healthy()


def test_sigterm_drains_answers_what_was_begun_and_ends_with_0(engine: Engine, image: Image, tmp_path: Path) -> None:
    with started(engine, image.name, tmp_path / "output") as container:
        container.wait_until("ready", 200)
        with half_sent(container) as client:
            container.terminate()
            container.wait_until("ready", 503)
            assert container.probe("live") == 200
            assert container.api.get("/api/v1/notes").status_code == 200  # served on until load balancers looked away
            eventually(lambda: not accepts(container.port), "the end of the drain")
            client.sendall(BODY[5:])
            assert client.recv(4096).startswith(b"HTTP/1.1 201")
        assert container.process.wait(DEADLINE_SECONDS) == 0
        assert DRAIN_SECONDS < seconds_of_shutdown(container) < DRAIN_SECONDS + 2


def test_a_wrong_setting_ends_it_with_78_and_one_line(engine: Engine, image: Image) -> None:
    ended = run(engine, image.name, HTTP_PORT="many")
    assert ended.returncode == 78
    assert "billing cannot start: these settings are wrong.\n  HTTP_PORT: should be a valid integer" in ended.stderr
    assert "Traceback" not in ended.stderr
