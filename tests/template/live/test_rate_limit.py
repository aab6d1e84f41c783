"""One client cannot take more than its share, and cannot pretend to be somebody else."""

import pytest

from .conftest import Start
from .runner import Running, eventually

NOTES = "/api/v1/notes"


def statuses(running: Running, count: int, **headers: str) -> list[int]:
    return [running.api.get(NOTES, headers=headers).status_code for _ in range(count)]


def test_a_burst_is_answered_up_to_the_allowance_and_then_refused(start: Start) -> None:
    with start(RATE_LIMIT_IP="5/hour") as running:
        first = running.api.get(NOTES)
        assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == ("5", "4")
        assert statuses(running, 6) == [200] * 4 + [429] * 2
        refused = running.api.get(NOTES)
        problem = refused.json()
        assert (problem["status"], problem["request_id"]) == (429, refused.headers["x-request-id"])
        assert refused.headers["content-type"] == "application/problem+json"
        assert 0 < int(refused.headers["retry-after"]) <= 720
        assert refused.headers["ratelimit-remaining"] == "0"
        assert running.metric("rate_limit_decisions_total", decision="allowed") == 5
        assert running.metric("rate_limit_decisions_total", decision="refused") == 3
        assert {running.probe("ready") for _ in range(20)} == {200}


def test_the_allowance_comes_back(start: Start) -> None:
    with start(RATE_LIMIT_IP="2/second") as running:
        assert 429 in statuses(running, 20)
        # Each refusal costs nothing, so that asking again is no punishment.
        eventually(lambda: running.api.get(NOTES).status_code == 200, "the allowance")
        assert running.metric("rate_limit_decisions_total", decision="allowed") >= 3


def test_a_forged_address_buys_nothing(start: Start) -> None:
    with start(RATE_LIMIT_IP="3/hour") as running:
        seen = [statuses(running, 1, **{"x-forwarded-for": f"10.0.0.{number}"})[0] for number in range(6)]
        assert seen == [200] * 3 + [429] * 3


def test_a_trusted_proxy_names_the_client(start: Start) -> None:
    with start(RATE_LIMIT_IP="1/hour", RATE_LIMIT_TRUSTED_PROXIES="127.0.0.0/8, ::1") as running:
        assert statuses(running, 2, **{"x-forwarded-for": "10.0.0.1"}) == [200, 429]
        assert statuses(running, 2, **{"x-forwarded-for": "10.0.0.1, 10.0.0.2"}) == [200, 429]


@pytest.mark.parametrize("rate", ["0/second", "10", "ten/second", "10/fortnight"])
def test_a_rate_that_is_none_is_refused(project, rate: str) -> None:
    ended = project.run(RATE_LIMIT_IP=rate)
    assert ended.returncode == 78
    assert "RATE_LIMIT_IP" in ended.stderr
