"""A signal ends a service without losing what it had begun."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from .conftest import Start
from .fault_proxy import FaultProxy
from .runner import DEADLINE_SECONDS, Running, eventually
from .stand_in import StandIn

TRIALS = "/api/v1/trials"
CUT_OFF = 0


def ask(running: Running, path: str) -> tuple[threading.Thread, list[int]]:
    """Start a request in the background and wait until the service works on it."""
    got: list[int] = []

    def get() -> None:
        try:
            got.append(running.api.get(path).status_code)
        except httpx2.TransportError:
            got.append(CUT_OFF)

    thread = threading.Thread(target=get)
    thread.start()
    eventually(lambda: running.metric("http_server_requests_in_flight") == 1)
    return thread, got


def half_sent(running: Running, body: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", running.port), timeout=DEADLINE_SECONDS)
    lines = ["POST /api/v1/notes HTTP/1.1", "host: x", "content-type: application/json", f"content-length: {len(body)}"]
    client.sendall("\r\n".join([*lines, "", ""]).encode() + body[:5])
    eventually(lambda: running.metric("http_server_requests_in_flight") == 1)
    return client


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_half_sent_request_is_still_answered(start: Start, number: int) -> None:
    body = b'{"title": "half"}'
    with start() as running, half_sent(running, body) as client:
        running.process.send_signal(number)
        eventually(lambda: running.ops.get("/health/ready").json()["status"] == "draining")
        client.sendall(body[5:])
        assert client.recv(4096).startswith(b"HTTP/1.1 201")
        assert running.process.wait(DEADLINE_SECONDS) == 0


def test_a_slow_handler_finishes(start: Start) -> None:
    with start() as running:
        thread, got = ask(running, f"{TRIALS}/slow/2")
        assert running.stop() == 0
        thread.join()
        assert got == [200]


def test_while_it_drains_it_serves_on_and_sends_clients_away(start: Start) -> None:
    with start(SHUTDOWN_DRAIN_SECONDS="2") as running:
        assert "connection" not in running.api.get("/nothing").headers
        running.process.send_signal(signal.SIGTERM)
        running.wait_until("ready", 503)
        begun = time.monotonic()
        with suppress(httpx2.TransportError):  # the end of it
            while answer := running.api.get("/nothing"):
                assert (answer.status_code, answer.headers["connection"]) == (404, "close")
        assert time.monotonic() - begun > 1.5  # of the 2 s, which began a moment before
        assert running.process.wait(DEADLINE_SECONDS) == 0


@pytest.fixture
def alone() -> tuple[str, ...]:
    """Return the command that makes another one process 1, as in a container."""
    command = ("unshare", "--pid", "--fork", "--mount-proc")
    if not shutil.which("unshare") or subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody have process numbers of their own")
    return command


def test_as_process_1_it_finishes_a_slow_request_and_ends_with_0(start: Start, alone: tuple[str, ...]) -> None:
    with start(before=alone) as running:
        outer = running.process.pid
        inner = int(Path(f"/proc/{outer}/task/{outer}/children").read_text())
        assert Path(f"/proc/{inner}/status").read_text().partition("NSpid:")[2].split()[:2] == [str(inner), "1"]
        thread, got = ask(running, f"{TRIALS}/slow/1")
        os.kill(inner, signal.SIGTERM)
        assert running.process.wait(DEADLINE_SECONDS) == 0
        thread.join()
        assert got == [200]


def test_it_stops_in_time_while_a_dependency_is_a_black_hole(start: Start) -> None:
    with StandIn() as server, FaultProxy(server.port) as proxy:
        with start(WAREHOUSE_PORT=str(proxy.port), SHUTDOWN_TIMEOUT_SECONDS="12.5") as running:
            proxy.blackhole()
            asked = proxy.requests
            eventually(lambda: proxy.requests > asked, "a check that gets no answer")
            begun = time.monotonic()
            assert running.stop() == 0
            assert time.monotonic() - begun < 12.5


def test_background_work_gets_its_grace_and_no_more(start: Start) -> None:
    with start() as running:
        running.api.get(f"{TRIALS}/background/1", params={"grace": 10})
        running.api.get(f"{TRIALS}/background/3600", params={"grace": 0.5})
        begun = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - begun < 8  # of the 12 s that a shutdown keeps for background work
        running.logged(message="background work done")
        assert len(running.lines(message="background task cut off", task="trial")) == 1


@pytest.mark.parametrize("closing", ["raises", "hangs"])
def test_resources_close_in_reverse_although_one_fails(start: Start, closing: str) -> None:
    with start(CLOSING=closing, SHUTDOWN_TIMEOUT_SECONDS="12.5") as running:
        assert running.stop() == 0
        assert [line["part"] for line in running.lines(message="closing")] == ["second", "first"]
        running.logged(message="a resource failed to close")


def test_what_does_not_end_in_time_is_cut_off_answered_and_logged(start: Start) -> None:
    with start(SHUTDOWN_TIMEOUT_SECONDS="5", HTTP_TIMEOUT_SECONDS="4") as running:
        thread, got = ask(running, f"{TRIALS}/stream/3600")
        assert running.stop() == 0
        thread.join()
        running.logged(message="request was cut off")
        assert got == [CUT_OFF]


def test_a_hung_main_loop_does_not_outlive_the_budget(start: Start) -> None:
    with start(SHUTDOWN_TIMEOUT_SECONDS="3", HTTP_TIMEOUT_SECONDS="2", SHUTDOWN_DRAIN_SECONDS="0.5") as running:
        running.process.send_signal(signal.SIGTERM)
        running.wait_until("ready", 503)
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.sendall(f"GET {TRIALS}/block/60 HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            assert running.process.wait(DEADLINE_SECONDS) == 1
        assert "in block" in running.output.read_text()  # where it hung


def test_a_main_loop_that_hangs_already_is_ended_by_the_budget(start: Start) -> None:
    with start(SHUTDOWN_TIMEOUT_SECONDS="3", HTTP_TIMEOUT_SECONDS="2") as running:
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.sendall(f"GET {TRIALS}/block/60 HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            eventually(lambda: running.metric("http_server_requests_in_flight") == 1)
            assert running.stop() == 1
        assert "in block" in running.output.read_text()


def test_it_stops_while_its_resources_are_still_being_opened(start: Start) -> None:
    with start(ready=False, OPENING="hangs") as running:
        running.wait_until("live", 200)
        assert running.ops.get("/health/ready").json()["status"] == "starting"
        assert running.stop() == 0


def test_a_thread_that_goes_on_does_not_hold_the_process(start: Start) -> None:
    with start(HTTP_TIMEOUT_SECONDS="1") as running:
        assert running.api.get(f"{TRIALS}/thread/60").status_code == 503
        assert running.stop() == 0


def test_a_signal_during_the_imports_ends_it(start: Start) -> None:
    with start(ready=False) as running:
        loaded = Path(f"/proc/{running.process.pid}/maps")
        eventually(lambda: "pydantic_core" in loaded.read_text(), "the import of a dependency")
        assert running.stop() in {0, 128 + signal.SIGTERM}  # never -15: process 1 would not hear it


def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    with start() as running:
        thread, got = ask(running, f"{TRIALS}/slow/5")
        running.process.send_signal(signal.SIGTERM)
        running.wait_until("ready", 503)
        assert running.stop(signal.SIGINT) == 128 + signal.SIGINT
        thread.join()
        assert got == [CUT_OFF]


def test_nothing_of_it_is_left(start: Start) -> None:
    with start() as running:
        assert running.stop() == 0
        with pytest.raises(ProcessLookupError):
            os.killpg(running.process.pid, 0)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.ops_port))
