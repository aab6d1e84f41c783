"""What every API must show from outside: the real process, started, probed and stopped. The template's."""

import signal
import socket
from pathlib import Path
from typing import Any

from started_service import DEADLINE, Running, eventually, service


def test_every_request_is_counted_and_logged(running: Running) -> None:
    count = "http_server_request_duration_seconds_count"
    before = running.metric(count, '"unmatched"')
    running.api.get("/nothing")
    eventually(lambda: running.metric(count, '"unmatched"') == before + 1)
    running.ops.put("/log-level", content=b"warning")
    quiet = len(running.lines())
    running.api.get("/nothing")
    running.ops.put("/log-level", content=b"info")
    running.api.get("/nothing")
    eventually(lambda: len(running.lines()) == quiet + 1)


def test_a_harmless_request_id_is_kept_in_answer_and_log_and_a_hostile_one_replaced(running: Running) -> None:
    answer = running.api.get("/nothing", headers={"x-request-id": "order-66"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "order-66"
    eventually(lambda: any(line.get("request_id") == "order-66" for line in running.lines()))
    hostile = running.api.get("/nothing", headers={"x-request-id": "a b <script>"})
    assert hostile.headers["x-request-id"].isalnum()


def refused(running: Running, status: int, **request: Any) -> None:
    answer = running.api.request("POST", "/nothing", **request)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"]) == (status, status)
    assert {"type", "title", "detail", "instance", "request_id"} <= problem.keys()
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_errors_have_one_shape(running: Running) -> None:
    refused(running, 404)
    refused(running, 422, json={"deep": [[[[[[]]]]]]})
    refused(running, 422, json={"long": [0] * 101})
    refused(running, 422, json={"wordy": "x" * 4097})
    refused(running, 422, content=b"{", headers={"content-type": "application/json"})
    refused(running, 413, content=b"x" * 1_048_577)


def test_sigterm_answers_a_half_sent_request_and_exits_0(tmp_path: Path, needed: dict[str, str]) -> None:
    body = b'{"title": "half"}'
    head = f"POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    with service(tmp_path, **needed) as running, socket.create_connection(("127.0.0.1", running.port)) as half:
        half.settimeout(DEADLINE)
        half.sendall(head.encode() + body[:5])
        eventually(lambda: running.metric("http_server_requests_in_flight") == 1)
        running.process.send_signal(signal.SIGTERM)
        eventually(lambda: running.ops.get("/health/ready").json()["status"] == "draining")
        half.sendall(body[5:])
        assert half.recv(4096).startswith(b"HTTP/1.1 404")
        assert running.process.wait(DEADLINE) == 0
