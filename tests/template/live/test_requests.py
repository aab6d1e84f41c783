"""What a request gets, and what it leaves behind in log and metrics."""

import json
import socket
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from .conftest import Start
from .runner import Running, eventually

NOTES = "/api/v1/notes"
TRIALS = "/api/v1/trials"
JSON = {"headers": {"content-type": "application/json"}}
TWO_TYPES = [("content-type", "application/json"), ("content-type", "text/plain")]
SECURITY = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
HARD_TO_LOG = ["big", "surrogate", "keys", "bytes", "tuple", "dataclass", "model", "cycle", "library", "identity"]
COUNT = "http_server_request_duration_seconds_count"


def problem(running: Running, method: str, path: str, **request: Any) -> dict[str, Any]:
    """Make a request that must be refused and return its problem, after checking its shape."""
    answer = running.api.request(method, path, **request)
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body.keys() - {"errors"} == {"type", "title", "status", "detail", "instance", "request_id"}
    assert SECURITY.items() <= answer.headers.items()
    assert "server" not in answer.headers
    return body


def test_a_note_is_made_read_listed_and_deleted(running: Running) -> None:
    made = running.api.post(NOTES, json={"title": "milk"})
    assert made.status_code == 201
    assert running.api.get(made.headers["location"]).json() == made.json()
    assert made.json() in running.api.get(NOTES, params={"limit": 100}).json()["items"]
    assert running.api.delete(made.headers["location"]).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "request_", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", f"{NOTES}/00000000-0000-4000-8000-000000000000", {}, 404),
        ("PUT", NOTES, {}, 405),
        ("POST", NOTES, {"content": b"x" * 1_048_577}, 413),
        ("POST", NOTES, {"content": iter([b"x" * 600_000] * 2)}, 413),
        ("POST", f"{TRIALS}/upload", {"files": {"file": b"x" * 1_048_577}}, 413),
        ("POST", NOTES, {"content": iter([b"[", b" " * 600_000, b" " * 600_000]), **JSON}, 413),
        ("POST", "/signed", {"content": b"x" * 1_048_577}, 413),
        ("POST", "/signed", {"content": iter([b"x" * 600_000] * 2)}, 413),
        ("POST", "/signed", {"content": b"x"}, 401),
        ("POST", NOTES, {"content": b"title=milk"}, 415),
        ("POST", NOTES, {"data": {"title": "milk"}}, 415),
        ("POST", NOTES, {"json": {"titel": "milk"}}, 422),
        ("POST", NOTES, {"json": {"title": "x" * 5000}}, 422),
        ("POST", f"{TRIALS}/any", {"json": [[[[[["deep"]]]]]]}, 422),
        ("POST", f"{TRIALS}/any", {"json": [0] * 101}, 422),
        ("POST", f"{TRIALS}/any", {"json": {"text": "x" * 4097}}, 422),
        ("POST", f"{TRIALS}/any", {"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, 422),
        ("POST", f"{TRIALS}/any", {"json": {"k" * 4097: 1}}, 422),
        ("POST", f"{TRIALS}/any", {"content": b"[[[[[[]]]]]]", "headers": {"content-type": "application/a+json"}}, 422),
        ("POST", f"{TRIALS}/any", {"content": b"{,", "headers": {"content-type": "application/merge-patch+json"}}, 422),
        ("POST", f"{TRIALS}/any", {"content": b"[[[[[[]]]]]]", "headers": {"content-type": "application/a b+json"}}, 422),
        ("POST", f"{TRIALS}/any", {"content": b"[[[[[[]]]]]]", "headers": TWO_TYPES}, 422),
        ("GET", f"{NOTES}/no-id", {}, 422),
        ("GET", f"{TRIALS}/bug", {}, 500),
        ("GET", f"{TRIALS}/exit", {}, 500),
        ("GET", f"{TRIALS}/cancelled", {}, 500),
        ("GET", f"{NOTES}/", {}, 404),
        ("GET", f"{TRIALS}/teapot/599", {}, 599),
        ("GET", f"{TRIALS}/closed", {}, 503),
        ("GET", f"{TRIALS}/teapot/418", {}, 418),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_every_error_has_the_same_shape(
    running: Running, method: str, path: str, request_: dict[str, Any], status: int
) -> None:
    body = problem(running, method, path, **request_)
    assert body["status"] == status
    assert "Traceback" not in json.dumps(body)
    assert "internal" not in json.dumps(body)


def test_a_refused_burst_has_the_same_shape(start: Start) -> None:
    with start(RATE_LIMIT_IP="1/day") as running:
        assert running.api.get(NOTES).status_code == 200
        assert problem(running, "GET", NOTES)["title"] == "Too Many Requests"
        assert "Traceback" not in running.output.read_text()


def test_a_body_that_declares_too_much_is_refused_before_it_is_sent(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as client:
        client.sendall(b"POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 1048577\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 413")


def test_json_at_its_limits_passes(running: Running) -> None:
    content = {"list": [[[["x" * 4096]]], *range(99)]}
    assert running.api.post(f"{TRIALS}/any", json=content).json() == content


def test_a_validation_error_names_each_field(running: Running) -> None:
    body = problem(running, "POST", NOTES, json={"title": "", "text": 5})
    assert {one["field"] for one in body["errors"]} == {"body.title", "body.text"}


def test_an_expected_error_has_its_code_and_when_to_come_back(running: Running) -> None:
    answer = running.api.get(f"{TRIALS}/closed")
    assert answer.json()["type"] == "urn:problem:warehouse_closed"
    assert answer.headers["retry-after"] == "1"
    assert running.api.get(f"{TRIALS}/teapot/418").headers["x-kept"] == "yes"


def test_a_bug_is_logged_once_with_its_traceback_and_counted(running: Running) -> None:
    before = running.metric("errors_total", error_type="LookupError")
    request_id = problem(running, "GET", f"{TRIALS}/bug")["request_id"]
    running.logged(request_id=request_id, message="request")
    [line] = [line for line in running.lines(request_id=request_id) if "Traceback" in line.get("exception", "")]
    assert (line["level"], line["route"]) == ("error", f"{TRIALS}/bug")
    assert running.metric("errors_total", error_type="LookupError") == before + 1


def test_an_expected_server_error_is_logged_with_its_traceback(running: Running) -> None:
    request_id = problem(running, "GET", f"{TRIALS}/closed")["request_id"]
    running.logged(request_id=request_id, message="request")
    [line] = [line for line in running.lines(request_id=request_id) if "exception" in line]
    assert "WarehouseClosed" in line["exception"]


@pytest.mark.parametrize("what", HARD_TO_LOG)
def test_nothing_that_is_logged_fails_a_request_or_lies_about_its_origin(running: Running, what: str) -> None:
    answer = running.api.get(f"{TRIALS}/log/{what}", headers={"x-request-id": f"log-{what}"})
    assert answer.status_code == 200
    running.logged(request_id=f"log-{what}", message="request")
    lines = running.lines(request_id=f"log-{what}")
    assert len(lines) == 2
    assert {line["service"] for line in lines} == {"proving"}
    assert not {"fake", "canary-tuple", "canary-cookie", "canary-key"} & set(str(lines).replace("'", " ").split())


def test_what_one_request_says_of_itself_is_not_said_of_the_next_on_its_connection(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        paths = {"first": f"{TRIALS}/bind", "second": "/nothing"}
        asked = [f"GET {path} HTTP/1.1\r\nhost: x\r\nx-request-id: {name}\r\n\r\n" for name, path in paths.items()]
        client.sendall("".join(asked).encode())
        assert running.logged(request_id="first", message="request")["user"] == "alice"
        assert "user" not in running.logged(request_id="second", message="request")


def test_the_access_line_says_what_was_asked_and_how_long_it_took(running: Running) -> None:
    running.api.get(f"{TRIALS}/slow/0.2", headers={"x-request-id": "timed"})
    line = running.logged(request_id="timed", message="request")
    assert (line["method"], line["path"], line["status"]) == ("GET", f"{TRIALS}/slow/0.2", 200)
    assert 200 <= line["duration_ms"] < 5000
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None


def test_the_duration_ends_with_the_answer_not_with_the_work_after_it(running: Running) -> None:
    running.api.get(f"{TRIALS}/after/1.5", headers={"x-request-id": "after"})
    assert running.logged(request_id="after", message="request")["duration_ms"] < 1400


def test_an_answer_may_bring_its_own_policy_and_may_have_no_headers(running: Running) -> None:
    assert running.api.get(f"{TRIALS}/page").headers.get_list("content-security-policy") == ["default-src 'self'"]
    raw = running.api.get("/raw")
    assert (raw.status_code, raw.headers["x-frame-options"]) == (202, "DENY")


@pytest.mark.parametrize("sent", ["order-66", "a.b_c-D", "x" * 64])
def test_a_harmless_request_id_is_kept_on_every_line(running: Running, sent: str) -> None:
    answer = running.api.get(f"{TRIALS}/bug", headers={"x-request-id": sent})
    assert answer.headers["x-request-id"] == sent
    running.logged(request_id=sent, message="request")
    assert len(running.lines(request_id=sent)) == 3  # what the handler said, the bug, the access line


@pytest.mark.parametrize("sent", [b"", b"a b", b"x" * 65, b'"};drop', "ünï".encode()])
def test_a_hostile_request_id_is_replaced(running: Running, sent: bytes) -> None:
    answer = running.api.get("/nothing", headers=[(b"x-request-id", sent)])
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.headers["x-request-id"].isalnum()


def test_a_trace_id_serves_as_request_id(running: Running) -> None:
    trace = uuid4().hex
    answer = running.api.get("/nothing", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert answer.headers["x-request-id"] == trace


def test_every_line_says_who_and_when(running: Running) -> None:
    running.api.get("/nothing")
    fields = {"timestamp", "level", "message", "logger", "service", "version", "environment"}
    assert all(fields <= line.keys() for line in running.lines())


def test_paths_and_ids_never_become_label_values(running: Running) -> None:
    def series() -> set[str]:
        return {line.rsplit(" ", 1)[0] for line in running.ops.get("/metrics").text.splitlines()}

    running.api.get(f"{NOTES}/{uuid4()}")
    running.api.get("/nothing")
    before = series()
    for _ in range(200):
        running.api.get(f"/{uuid4()}")
        running.api.get(f"{NOTES}/{uuid4()}")
    for _ in range(20):
        assert running.api.request(f"X{uuid4().hex}", NOTES).status_code == 400
    assert series() == before
    assert running.metric(COUNT, route=f"{NOTES}/{{note_id}}", status="404") >= 201
    assert running.metric(COUNT, route="unmatched", status="404") >= 201


def test_metrics_move_and_have_the_edge_of_the_objective(running: Running) -> None:
    before = running.metric(COUNT, method="GET", route=NOTES, status="200")
    running.api.get(NOTES)
    eventually(lambda: running.metric(COUNT, method="GET", route=NOTES, status="200") == before + 1)
    assert running.metric(COUNT.replace("_count", "_bucket"), route=NOTES, le="0.1") >= 1
    assert running.metric("service_info", service="proving") == 1
    assert running.metric("http_server_requests_in_flight") == 0
    assert running.metric("process_resident_memory_bytes") > 0


def test_a_client_that_leaves_early_is_no_error(running: Running) -> None:
    errors = running.metric("errors_total")
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        head = f"POST {NOTES} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
        client.sendall(head.encode())
        eventually(lambda: running.metric("http_server_requests_in_flight") == 1)
    eventually(lambda: running.metric(COUNT, status="499") == 1)
    assert running.metric("errors_total") == errors


def test_a_stream_may_take_longer_than_an_answer_may_take_to_begin(start: Start) -> None:
    with start(HTTP_TIMEOUT_SECONDS="0.5") as running:
        assert running.api.get(f"{TRIALS}/stream/10").text == "." * 10
        body = problem(running, "GET", f"{TRIALS}/slow/30")
        assert body["status"] == 503
        assert "in time" in body["detail"]
        assert "sleep" in running.logged(message="request was cut off")["exception"]


def test_docs_are_for_development_only(running: Running, start: Start) -> None:
    assert "https:" in running.api.get("/docs").headers["content-security-policy"]
    assert "Problem" in running.api.get("/openapi.json").json()["components"]["schemas"]
    secret = "0123456789abcdef" * 2
    with start(ENVIRONMENT="production", PAY_TOKEN=secret) as production:
        assert production.api.get("/docs").status_code == 404
        assert production.api.get("/openapi.json").status_code == 404


def test_what_the_team_added_takes_part(running: Running) -> None:
    assert running.api.get("/nothing").headers["x-greeting"] == "hello"
    before = running.metric("trials_total")
    running.api.get(f"{TRIALS}/background/0", params={"grace": 0})
    assert running.metric("trials_total") == before + 1
    running.logged(message="background work done")
    eventually(lambda: running.metric("background_tasks_active") == 1)  # the one that was started with the resources
