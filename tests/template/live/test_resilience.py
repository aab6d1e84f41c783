"""A dependency that fails, hangs or crawls costs what it must and no more; too much work is refused."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any

import pytest

from .conftest import Start
from .fault_proxy import FaultProxy
from .runner import Project, Running, eventually
from .stand_in import Answer, StandIn

TRIALS = "/api/v1/trials"
CALL = f"{TRIALS}/call"
AGAIN_AT_ONCE = {"retry-after": "0"}
BUSY = Answer(429, headers=AGAIN_AT_ONCE)  # no fault of the dependency's: the breaker stays closed
FAILS = Answer(500)  # counts for the breaker, but is not worth a retry
ENOUGH_TO_OPEN = 10


@pytest.fixture
def partner() -> Iterator[StandIn]:
    with StandIn() as partner:
        yield partner


@pytest.fixture
def proxy(partner: StandIn) -> Iterator[FaultProxy]:
    with FaultProxy(partner.port) as proxy:
        yield proxy


def url(other: StandIn | FaultProxy) -> str:
    return f"http://127.0.0.1:{other.port}/"


def code(running: Running, method: str = "POST", **parameters: Any) -> str:
    """Let the service call its partner; return what its caller is told, "200" or the code of the problem."""
    answer = running.api.get(f"{CALL}/{method}", params=parameters)
    return answer.json()["type"].rpartition(":")[2] if answer.is_error else str(answer.json())


def at_once(running: Running, count: int) -> list[str]:
    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(lambda _: code(running), range(count)))


@pytest.mark.parametrize(
    ("method", "safe", "requests"),
    [("GET", False, 3), ("PUT", False, 3), ("DELETE", False, 3), ("POST", False, 1), ("PATCH", False, 1), ("POST", True, 3)],
)
def test_a_call_is_repeated_where_that_does_no_harm(
    start: Start, partner: StandIn, proxy: FaultProxy, method: str, safe: bool, requests: int
) -> None:
    partner.script.extend([Answer(503, headers=AGAIN_AT_ONCE)] * 2)
    with start(PARTNER_URL=url(proxy)) as running:
        assert code(running, method, safe=safe) == ("200" if requests == 3 else "503")
        assert proxy.requests == requests
        assert running.metric("http_client_retries_total") == requests - 1


@pytest.mark.parametrize("asked", [lambda: "1", lambda: formatdate(time.time() + 2, usegmt=True)], ids=["number", "date"])
def test_retries_wait_as_long_as_they_are_asked_to(start: Start, partner: StandIn, asked: Callable[[], str]) -> None:
    with start(PARTNER_URL=url(partner)) as running:
        partner.script.append(Answer(503, headers={"retry-after": asked()}))
        assert code(running, "GET") == "200"
        first, second = partner.received
        assert second.arrived - first.arrived > 0.9  # as the partner sees it


def test_retries_are_cut_by_their_budget(start: Start, partner: StandIn, proxy: FaultProxy) -> None:
    partner.default = BUSY
    with start(PARTNER_URL=url(proxy)) as running:
        told = [code(running, "GET") for _ in range(100)]
        assert set(told) == {"429"}
        assert 110 <= proxy.requests <= 120  # ten in reserve, and a tenth of a hundred
        assert running.metric("retry_budget_remaining") < 1
        assert running.metric("http_client_retries_total") == proxy.requests - 100


@pytest.mark.parametrize("fault", ["down", "reset", "blackhole"])
def test_a_partner_that_is_gone_opens_the_breaker_and_is_left_alone(
    start: Start, proxy: FaultProxy, fault: str
) -> None:
    with start(PARTNER_URL=url(proxy), CALL_ATTEMPT_SECONDS="1", CALL_MAX_WAIT_SECONDS="3") as running:
        assert code(running) == "200"
        getattr(proxy, fault)()
        assert set(at_once(running, ENOUGH_TO_OPEN)) == {"dependency_unavailable"}
        before = proxy.requests, proxy.connections
        begun = time.monotonic()
        assert [code(running) for _ in range(5)] == ["circuit_open"] * 5
        assert time.monotonic() - begun < 3  # nobody waits for an attempt
        assert (proxy.requests, proxy.connections) == before
        assert running.metric("circuit_breaker_state") == 2
        assert running.metric("http_client_refused_total", reason="circuit_open") == 5
        assert running.probe("live") == running.probe("ready") == 200
        running.logged(message="circuit breaker", state="open")
        for refused in running.lines(message="request refused by an error"):  # callers are not told whom it called
            assert f"while calling http://127.0.0.1:{proxy.port}" in refused["exception"]


def test_a_retry_that_is_refused_costs_nothing_and_hides_no_answer(start: Start, partner: StandIn) -> None:
    with start(PARTNER_URL=url(partner)) as running:
        partner.script.extend([BUSY, Answer()] * 2)
        assert [code(running, "GET") for _ in range(2)] == ["200"] * 2
        partner.script.extend([FAILS] * 5)
        assert [code(running) for _ in range(5)] == ["500"] * 5  # all but the last failure that opens the circuit
        left = running.metric("retry_budget_remaining")
        partner.default = Answer(503)
        assert code(running, "GET") == "503"
        assert running.metric("circuit_breaker_state") == 2
        assert running.metric("http_client_retries_total") == 2
        assert [code(running, "GET") for _ in range(5)] == ["circuit_open"] * 5
        assert running.metric("retry_budget_remaining") == pytest.approx(left + 0.1)  # what the call earned that was made


@pytest.mark.parametrize("how", ["relative", "auth"])
def test_a_bug_in_a_call_is_no_outage(start: Start, partner: StandIn, how: str) -> None:
    with start(PARTNER_URL=url(partner)) as running:
        answers = [running.api.get(f"{TRIALS}/wrong-call/{how}").status_code for _ in range(ENOUGH_TO_OPEN)]
        assert answers == [500] * ENOUGH_TO_OPEN
        assert code(running) == "200"
        assert len(partner.received) == 1
        assert running.metric("http_client_retries_total") == running.metric("circuit_breaker_state") == 0


def test_open_streams_of_one_partner_leave_room_for_another(start: Start, partner: StandIn) -> None:
    partner.default = Answer(body=b"." * 100, drip=1)
    with StandIn() as other, start(PARTNER_URL=url(partner), NOTE_REVIEW_URL=url(other)) as running:
        assert running.api.get(f"{TRIALS}/streams/120").json() == 200
        assert running.metric("bulkhead_in_use") == 0


def opened(running: Running, partner: StandIn) -> None:
    partner.default = FAILS
    assert [code(running) for _ in range(ENOUGH_TO_OPEN)] == ["500"] * ENOUGH_TO_OPEN
    assert code(running) == "circuit_open"


def test_half_open_lets_a_few_probes_through_and_closes_after_them(start: Start, partner: StandIn) -> None:
    with start(PARTNER_URL=url(partner), CIRCUIT_OPEN_SECONDS="1") as running:
        opened(running, partner)
        partner.default = Answer(delay=1)  # so that all that is let through is under way together
        failed = len(partner.received)
        eventually(lambda: code(running) == "200")
        assert running.metric("circuit_breaker_state") == 1
        assert at_once(running, 10) == ["200"] * 2 + ["circuit_open"] * 8
        assert len(partner.received) == failed + 3
        assert running.metric("circuit_breaker_state") == 0
        partner.default = Answer()
        assert at_once(running, 10) == ["200"] * 10
        assert [line["state"] for line in running.lines(message="circuit breaker")] == ["open", "half_open", "closed"]


def test_one_failed_probe_opens_the_breaker_again(start: Start, partner: StandIn) -> None:
    with start(PARTNER_URL=url(partner), CIRCUIT_OPEN_SECONDS="0.5") as running:
        opened(running, partner)
        failed = len(partner.received)
        eventually(lambda: code(running) == "500")
        assert code(running) == "circuit_open"
        assert len(partner.received) == failed + 1


def test_some_failures_do_not_open_the_breaker(start: Start, partner: StandIn) -> None:
    with start(PARTNER_URL=url(partner)) as running:
        partner.script.extend([Answer(), Answer(), FAILS] * 10)
        assert [code(running) for _ in range(30)] == ["200", "200", "500"] * 10
        assert running.metric("circuit_breaker_state") == 0


def test_a_slow_partner_gets_its_share_of_the_room_and_no_more(start: Start, partner: StandIn) -> None:
    partner.default = Answer(delay=1)
    with start(PARTNER_URL=url(partner), CALL_MAX_CONCURRENT="2", CALL_MAX_WAIT_SECONDS="0.2") as running:
        with ThreadPoolExecutor(6) as pool:
            told = [pool.submit(code, running) for _ in range(6)]
            eventually(lambda: running.metric("bulkhead_in_use") == 2)
            assert running.api.get("/api/v1/notes").status_code == 200  # there is room for the rest
        assert sorted(one.result() for one in told) == ["200"] * 2 + ["bulkhead_full"] * 4
        assert partner.peak == 2
        assert running.metric("http_client_refused_total", reason="bulkhead_full") == 4
        assert running.metric("circuit_breaker_state") == 0
        assert code(running) == "200"


@pytest.mark.parametrize("answer", [Answer(delay=30), Answer(body=b"." * 100, drip=0.3)], ids=["silent", "dripping"])
def test_a_call_always_ends(start: Start, partner: StandIn, answer: Answer) -> None:
    partner.default = answer
    settings = {"CALL_TIMEOUT_SECONDS": "1.5", "CALL_ATTEMPT_SECONDS": "1"}
    with start(PARTNER_URL=url(partner), **settings) as running:
        begun = time.monotonic()
        assert code(running, "GET") == "dependency_unavailable"
        assert 1 < time.monotonic() - begun < 3
        assert len(partner.received) == 2  # the second had the rest of the time


def test_the_time_of_a_request_is_that_of_its_calls(start: Start, partner: StandIn) -> None:
    partner.default = Answer(delay=30)
    with start(PARTNER_URL=url(partner), HTTP_TIMEOUT_SECONDS="1") as running:
        assert code(running) == "dependency_unavailable"  # told by the handler, not cut off by the edge
        assert not running.lines(message="request was cut off")
        partner.default = Answer(503, headers={"retry-after": "2"})
        asked = len(partner.received)
        assert code(running, "GET") == "503"  # at once: the second attempt would come too late
        assert len(partner.received) == asked + 1


@pytest.mark.parametrize("how", ["supervised", "after"])
def test_the_time_of_a_request_is_not_that_of_work_in_the_background(start: Start, partner: StandIn, how: str) -> None:
    with start(PARTNER_URL=url(partner), HTTP_TIMEOUT_SECONDS="0.5") as running:
        assert running.api.get(f"{TRIALS}/call-later/{how}/1").status_code == 200
        running.logged(message="called later", status=200)


def test_a_call_carries_the_id_of_its_request(start: Start, partner: StandIn) -> None:
    with start(PARTNER_URL=url(partner)) as running:
        running.api.get(f"{CALL}/GET", headers={"x-request-id": "order-66"})
        [received] = partner.received
        assert (received.headers["x-request-id"], received.headers["user-agent"]) == ("order-66", "proving")


def test_the_duration_of_a_call_is_finer_than_a_millisecond(start: Start, partner: StandIn) -> None:
    with start(PARTNER_URL=url(partner)) as running:
        assert code(running) == "200"
        milliseconds = running.metric("http_client_request_duration_seconds_sum") * 1000
        assert milliseconds > 0
        assert abs(milliseconds - round(milliseconds)) > 1e-6  # as those of the event loop's clock would be


def test_a_call_outside_of_a_request_carries_no_id(start: Start, partner: StandIn) -> None:
    with start(PARTNER_URL=url(partner)) as running:
        assert running.api.get(f"{TRIALS}/call-later/alone/0").status_code == 200
        running.logged(message="called later", status=200)
        assert "x-request-id" not in partner.received[0].headers


def test_a_note_is_kept_only_if_its_review_accepts_it(start: Start, partner: StandIn, proxy: FaultProxy) -> None:
    def told() -> tuple[int, str]:
        answer = running.api.post("/api/v1/notes", json={"title": "milk"})
        return answer.status_code, answer.json().get("type", "")

    partner.script.extend([Answer(body=b'{"accepted": true}'), Answer(body=b'{"accepted": false}')])
    with start(NOTE_REVIEW_URL=url(proxy)) as running:
        assert [told(), told()] == [(201, ""), (422, "urn:problem:note_refused")]
        proxy.down()
        assert told() == (503, "urn:problem:dependency_unavailable")
        assert len(running.api.get("/api/v1/notes").json()["items"]) == 1


def test_more_than_can_be_done_at_once_is_refused(start: Start) -> None:
    with start(HTTP_MAX_IN_FLIGHT="2") as running, ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(running.api.get, f"{TRIALS}/slow/2") for _ in range(2)]
        eventually(lambda: running.metric("http_server_requests_in_flight") == 2)
        begun = time.monotonic()
        answer = running.api.get("/api/v1/notes")
        assert time.monotonic() - begun < 1
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["content-type"] == "application/problem+json"
        assert {running.probe("ready"), running.probe("live")} == {200}
        assert [one.result().status_code for one in slow] == [200, 200]
        assert running.metric("http_server_requests_shed_total") == 1
        assert running.api.get("/api/v1/notes").status_code == 200


def test_without_the_feature_a_call_is_made_once_and_ends(
    plain: Project, tmp_path: Any, partner: StandIn
) -> None:
    with plain.started(tmp_path / "output", PARTNER_URL=url(partner), CALL_TIMEOUT_SECONDS="0.5") as running:
        partner.script.append(Answer(503))
        assert code(running, "GET") == "503"
        partner.default = Answer(body=b"." * 100, drip=0.2)
        assert code(running, "GET") == "dependency_unavailable"
        assert len(partner.received) == 2
        assert "circuit_breaker_state" not in running.ops.get("/metrics").text
