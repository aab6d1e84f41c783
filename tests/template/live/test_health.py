"""Probes tell the truth: about dependencies, about a hung main loop, about start and end."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from .conftest import Start
from .runner import Running, eventually, free_port

TRIALS = "/api/v1/trials"


@contextlib.contextmanager
def dependency(port: int, *, answers: bool = True) -> Iterator[None]:
    """Run a server on a port: one that greets whoever comes, or one that accepts and says nothing."""
    server = socket.create_server(("127.0.0.1", port))
    guests: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):  # the socket was closed: that is the end
            while True:
                guest, _ = server.accept()
                guests.append(guest)
                if answers:
                    guest.sendall(b"!")
                    guest.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for one in (server, *guests):
            one.close()


def test_all_probes_are_green_when_all_is_well(running: Running) -> None:
    for path in ("live", "ready", "startup"):
        assert running.probe(path) == 200
    summary = running.ops.get("/health").json()
    assert summary["status"] == "ready"
    assert summary["memory_bytes"] > 0
    assert {"service", "version", "uptime_seconds", "dependencies", "cpu_percent", "disk_free_bytes"} <= summary.keys()


def test_a_service_whose_dependency_is_down_comes_up_unready_and_recovers(start: Start) -> None:
    port = free_port()
    with start(ready=False, WAREHOUSE_PORT=str(port)) as running:
        running.wait_until("startup", 200)
        assert running.ops.get("/health/ready").json() == {"status": "unready", "failing": ["warehouse"]}
        assert running.probe("live") == 200
        with dependency(port):
            running.wait_until("ready", 200)
            assert running.metric("dependency_up", dependency="warehouse") == 1
        running.wait_until("ready", 503)
        assert running.metric("dependency_up", dependency="warehouse") == 0
        running.logged(message="dependency is down", dependency="warehouse")


def test_a_dependency_that_accepts_and_says_nothing_is_down(start: Start) -> None:
    port = free_port()
    with dependency(port, answers=False), start(ready=False, WAREHOUSE_PORT=str(port)) as running:
        running.wait_until("startup", 200)
        assert running.probe("ready") == 503
        assert running.ops.get("/health").json()["dependencies"]["warehouse"]["error"] == "TimeoutError"


@pytest.mark.parametrize("probing", ["cancelled", "stubborn"])
def test_an_odd_probe_counts_as_down_and_hides_nothing_else(start: Start, probing: str) -> None:
    port = free_port()
    with dependency(port), start(ready=False, PROBING=probing, WAREHOUSE_PORT=str(port)) as running:
        running.wait_until("startup", 200)
        assert running.ops.get("/health/ready").json() == {"status": "unready", "failing": ["odd"]}
    with start(ready=False, PROBING=probing, WAREHOUSE_PORT=str(port)) as running:
        eventually(
            lambda: (
                running.probe("ready") and running.ops.get("/health/ready").json()["failing"] == ["warehouse", "odd"]
            )
        )


def test_an_optional_dependency_degrades(start: Start) -> None:
    with start(STOCK_PORT=str(free_port())) as running:
        assert running.ops.get("/health/ready").json() == {"status": "degraded", "failing": ["stock"]}


def test_resources_that_cannot_be_opened_are_tried_again(start: Start) -> None:
    with start(ready=False, RELUCTANT_OPENINGS="3", WAREHOUSE_PORT=str(free_port())) as running:
        running.logged(message="resources could not be opened; trying again")
        assert running.probe("live") == 200
        running.wait_until("startup", 200)
        assert len(running.lines(message="resources could not be opened; trying again")) == 3
        running.api.get(f"{TRIALS}/background/0", params={"grace": 0})
        assert running.metric("trials_total") == 1
        assert running.ops.get("/metrics").text.count("# HELP trials_total") == 1  # although opened four times
        eventually(lambda: running.metric("background_tasks_active") == 1)  # and the tasks of each attempt have ended


def test_probes_and_metrics_answer_while_the_main_loop_hangs_and_liveness_finds_it(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(f"GET {TRIALS}/block/13 HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        eventually(lambda: running.metric("http_server_requests_in_flight") == 1)
        running.wait_until("live", 503)
        assert running.ops.get("/health/ready").json()["status"] == "hung"
        running.wait_until("live", 200)
    running.wait_until("ready", 200)
    slow = running.metric("event_loop_lag_seconds_count") - running.metric("event_loop_lag_seconds_bucket", le="10.0")
    assert slow >= 1


def test_the_log_level_changes_at_run_time(running: Running) -> None:
    assert running.ops.put("/log-level", content=b"loud").status_code == 422
    assert running.ops.put("/log-level", content=b"x" * 2000).status_code == 413
    assert running.ops.put("/log-level", content=b"warning").status_code == 204
    running.api.get("/nothing", headers={"x-request-id": "unheard"})
    assert running.ops.put("/log-level", content=b"info").status_code == 204
    running.api.get("/nothing", headers={"x-request-id": "heard"})
    running.logged(request_id="heard")
    assert not running.lines(request_id="unheard")


@pytest.mark.parametrize("taken", ["HTTP_PORT", "OPS_PORT"])
def test_a_taken_port_is_named_and_the_service_ends(start: Start, taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with start(ready=False, **{taken: str(port)}) as running:
            assert running.process.wait(20) == 1
            assert str(port) in running.output.read_text()
