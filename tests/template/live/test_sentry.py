"""Every error arrives at Sentry, once and without what must not leave; the service does not depend on it."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx2
import pytest

from .conftest import CANARY, Start
from .runner import Project, Running, eventually, free_port
from .sentry_stand_in import SentryStandIn, dsn, sentry_stand_in

TRIALS = "/api/v1/trials"
NOTES = "/api/v1/notes"
TRACE = "0123456789abcdef0123456789abcdef"
SENT = "sent-4711"
MORE_THAN_THE_QUEUE = 130


@pytest.fixture
def sentry() -> Iterator[SentryStandIn]:
    with sentry_stand_in() as server:
        yield server


def get(running: Running, path: str, request_id: str, **headers: str) -> int:
    return running.api.get(path, headers={"x-request-id": request_id, **headers}).status_code


def closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_bug_arrives_once_with_what_finds_it(start: Start, sentry: SentryStandIn) -> None:
    with start(SENTRY_DSN=sentry.dsn, SENTRY_TRACES_SAMPLE_RATE="0") as running:
        assert get(running, f"{TRIALS}/leak", "leaking", canary=SENT) == 500
        eventually(lambda: sentry.items("event", request_id="leaking"))
        assert running.stop() == 0
    [event] = sentry.items("event")
    assert (event["release"], event["environment"]) == ("proving@0.1.0", "development")
    assert (event["user"], event["level"]) == ({"id": "alice"}, "error")
    assert event["tags"]["route"] == event["transaction"] == f"{TRIALS}/leak"
    assert event["extra"]["log"]["message"] == "request failed"
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "leak"
    assert frames[-1]["in_app"]
    assert not any("vars" in frame for frame in frames)


def test_nothing_private_leaves(start: Start, sentry: SentryStandIn) -> None:
    secrets = {"PAY_TOKEN": f"{CANARY}/+", "DATABASE_URL": "db://me:hunter%2F22@host/notes"}
    settings = secrets | {"SENTRY_TRACES_SAMPLE_RATE": "1", "LOG_REDACT_FIELDS": "iban"}
    with start(SENTRY_DSN=sentry.dsn, **settings) as running:
        assert get(running, f"{TRIALS}/leak?for={SENT}", "leaking", canary=SENT, cookie=SENT) == 500
        assert running.stop() == 0
    assert len(sentry.items("event")) == len(sentry.items("transaction")) == 1
    assert "**********" in sentry.items("event")[0]["exception"]["values"][-1]["value"]
    for envelope in sentry.envelopes:
        assert CANARY not in envelope
        assert SENT not in envelope
        assert "hunter" not in envelope  # the password of a URL, without the URL
        assert "127.0.0.1" not in envelope  # the client's address


def test_what_cannot_be_scrubbed_is_counted_instead(start: Start, sentry: SentryStandIn) -> None:
    with start(SENTRY_DSN=sentry.dsn, SENTRY_TRACES_SAMPLE_RATE="0") as running:
        assert get(running, f"{TRIALS}/tangled", "tangled") == 200
        assert running.metric("sentry_dropped_total", reason="unscrubbable") == 1
        assert running.stop() == 0
    assert not sentry.items("event")


def test_an_error_is_one_event_wherever_it_is_logged_again(start: Start, sentry: SentryStandIn) -> None:
    with start(SENTRY_DSN=sentry.dsn, SENTRY_TRACES_SAMPLE_RATE="0") as running:
        assert get(running, f"{TRIALS}/retold", "retold") == 500
        for message in ("background task failed", "told in a thread", "request failed"):
            running.logged(message=message)
        assert running.stop() == 0
    [event] = sentry.items("event")
    assert event["exception"]["values"][-1]["type"] == "LookupError"
    assert event["extra"]["log"]["message"] == "told in the task"  # with ``exc_info=1``


def test_every_5xx_and_every_failed_task_arrives_and_no_4xx(start: Start, sentry: SentryStandIn) -> None:
    with start(SENTRY_DSN=sentry.dsn, SENTRY_TRACES_SAMPLE_RATE="0", HTTP_TIMEOUT_SECONDS="1") as running:
        assert get(running, f"{TRIALS}/closed", "closed") == 503
        assert get(running, f"{TRIALS}/teapot/502", "gateway") == 502
        assert get(running, f"{TRIALS}/slow/60", "slow") == 503
        assert get(running, f"{TRIALS}/doomed", "doomed") == 200
        assert get(running, f"{TRIALS}/teapot/418", "teapot") == 418
        assert get(running, f"{NOTES}/no-id", "invalid") == 422
        assert get(running, "/nothing", "nothing") == 404
        running.logged(message="background task failed")
        assert running.stop() == 0
    events = sentry.items("event")
    assert sorted(event["tags"]["request_id"] for event in events) == ["closed", "doomed", "gateway", "slow"]
    [doomed] = sentry.items("event", request_id="doomed")
    assert doomed["extra"]["log"]["task"] == "doomed"
    assert len({event["contexts"]["trace"]["trace_id"] for event in events}) == len(events)


def test_a_request_is_traced_by_its_route_in_its_callers_trace(start: Start, sentry: SentryStandIn) -> None:
    with start(SENTRY_DSN=sentry.dsn, SENTRY_TRACES_SAMPLE_RATE="1") as running:
        get(running, f"{NOTES}/00000000-0000-4000-8000-000000000000", "traced", **{"sentry-trace": f"{TRACE}-{TRACE[:16]}-0"})
        get(running, f"{TRIALS}/leak", "failed", canary=SENT)
        assert running.stop() == 0
    [traced] = sentry.items("transaction", request_id="traced")
    assert (traced["transaction"], traced["transaction_info"]) == (f"GET {NOTES}/{{note_id}}", {"source": "route"})
    trace = traced["contexts"]["trace"]
    assert (trace["op"], trace["data"]["http.response.status_code"]) == ("http.server", 404)
    assert (trace["trace_id"], trace["parent_span_id"]) == (TRACE, TRACE[:16])
    [failed] = sentry.items("transaction", request_id="failed")
    assert (failed["user"], failed["contexts"]["trace"]["status"]) == ({"id": "alice"}, "internal_error")
    [event] = sentry.items("event")
    assert event["contexts"]["trace"]["trace_id"] == failed["contexts"]["trace"]["trace_id"]


@pytest.mark.parametrize("rate", ["0", "0.000001"])
def test_no_caller_can_force_a_trace(start: Start, sentry: SentryStandIn, rate: str) -> None:
    with start(SENTRY_DSN=sentry.dsn, SENTRY_TRACES_SAMPLE_RATE=rate) as running:
        for number in range(50):
            get(running, NOTES, f"forced-{number}", **{"sentry-trace": f"{TRACE}-{TRACE[:16]}-1"})
        assert running.stop() == 0
    assert not sentry.envelopes


def test_without_a_dsn_the_sdk_is_not_even_imported(project: Project) -> None:
    code = "import sys; from proving import __main__; __main__.Settings(); print('sentry_sdk' in sys.modules)"
    command = [project.command[0], "-c", code]
    run = subprocess.run(command, cwd=project.folder, env=project.environment({}), capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_a_server_that_is_down_harms_nobody(start: Start) -> None:
    with start(SENTRY_DSN=dsn(free_port()), SENTRY_TRACES_SAMPLE_RATE="1") as running:
        assert get(running, f"{TRIALS}/bug", "bug") == 500
        assert get(running, NOTES, "fine") == 200
        eventually(lambda: running.metric("sentry_dropped_total", reason="network") >= 2)
        assert running.probe("ready") == 200
        assert running.stop() == 0


def test_a_server_that_never_answers_harms_nobody(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections are made, and nobody reads
        with start(SENTRY_DSN=dsn(silent.getsockname()[1]), SENTRY_TRACES_SAMPLE_RATE="1") as running:
            assert {get(running, f"{TRIALS}/bug", f"bug-{number}") for number in range(MORE_THAN_THE_QUEUE)} == {500}
            assert running.metric("sentry_dropped_total", reason="full_queue") > 0
            assert get(running, NOTES, "fine") == 200
            assert running.probe("ready") == 200
            begun = time.monotonic()
            assert running.stop() == 0
            assert time.monotonic() - begun < 5  # of which it waits 2 for Sentry


def test_what_is_on_its_way_at_the_end_still_arrives(start: Start, sentry: SentryStandIn) -> None:
    sentry.opened.clear()
    with start(SENTRY_DSN=sentry.dsn, SENTRY_TRACES_SAMPLE_RATE="0") as running:
        for name in ("first", "second"):
            get(running, f"{TRIALS}/bug", name)
        running.ops.close()  # or its server would wait for it
        running.process.terminate()
        eventually(lambda: closed(running.ops_port), "the last server to stop is gone")
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(0.5)  # of the 2 s that it waits for Sentry
        assert not sentry.envelopes
        sentry.opened.set()
        assert running.process.wait(20) == 0
    assert len(sentry.items("event")) == 2


def test_what_is_on_its_way_arrives_also_when_a_task_ends_the_process(start: Start, sentry: SentryStandIn) -> None:
    sentry.opened.clear()
    with start(SENTRY_DSN=sentry.dsn, SENTRY_TRACES_SAMPLE_RATE="0") as running:
        for name in ("first", "second"):
            get(running, f"{TRIALS}/bug", name)
        with suppress(httpx2.TransportError):  # the process may be gone before its answer
            get(running, f"{TRIALS}/leaving", "leaving")
        running.logged(message="background task failed", task="leaving")
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(0.3)  # of the 2 s that it waits for Sentry
        sentry.opened.set()
        assert running.process.wait(20) == 3
    told = {event.get("tags", {}).get("request_id") for event in sentry.items("event")}
    assert {"first", "leaving", "second"} <= told  # and whatever an end like this leaves half closed


def test_a_malformed_dsn_ends_the_start_without_being_shown(project: Project) -> None:
    ended = project.run(SENTRY_DSN=f"https://{CANARY}/1")
    assert ended.returncode == 78
    assert "SENTRY_DSN: is not a DSN" in ended.stderr
    assert CANARY not in ended.stderr + ended.stdout


def test_production_takes_a_dsn(start: Start, sentry: SentryStandIn) -> None:
    settings = {"ENVIRONMENT": "production", "SHUTDOWN_DRAIN_SECONDS": "0.1", "PAY_TOKEN": CANARY * 2}
    with start(SENTRY_DSN=sentry.dsn, **settings) as running:
        get(running, f"{TRIALS}/bug", "bug")
        assert running.stop() == 0
    assert sentry.items("event")[0]["environment"] == "production"
