"""A signal ends a worker without losing what it had begun."""

import signal
import time
from collections.abc import Callable

import pytest

from .fault_proxy import FaultProxy
from .runner import eventually
from .worker_fixtures import Workers


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_job_under_way_is_finished_and_no_other_is_begun(workers: Workers, number: int) -> None:
    with workers.start(WORKER_CONCURRENCY="1") as worker:
        first, *rest = workers.valkey.send_many("trials.work", [{"number": n, "seconds": 2} for n in range(3)])
        workers.record.wait(what="begun", key=first)
        worker.process.send_signal(number)
        eventually(lambda: worker.ops.get("/health/ready").json()["status"] == "draining")
        assert worker.process.wait(20) == 0
    assert [line["key"] for line in workers.record.lines(what="done")] == [first]
    assert not set(rest) & workers.record.counts(what="begun").keys()
    with workers.start("next"):
        workers.record.wait(3, what="done")
    assert set(workers.record.counts(what="begun").values()) == {1}


def test_a_job_that_takes_longer_than_the_shutdown_is_handed_back_and_begun_elsewhere(workers: Workers) -> None:
    with workers.start(SHUTDOWN_TIMEOUT_SECONDS="3") as worker:
        key = workers.valkey.send("trials.work", {"number": 1, "seconds": 40})
        workers.record.wait(what="begun", key=key)
        with workers.start("other", WORKER_REDELIVERY_SECONDS="14"):
            begun = time.monotonic()
            assert worker.stop() == 0
            assert time.monotonic() - begun < 3
            workers.record.wait(what="cut", key=key)
            assert worker.lines(message="job", key=key, outcome="handed_back")
            workers.record.wait(2, what="begun", key=key)
            first, second = workers.record.lines(what="begun", key=key)
            assert first["pid"] != second["pid"]
            assert second["attempt"] == "2"


def test_a_job_that_does_not_let_itself_be_ended_does_not_outlive_the_budget(workers: Workers) -> None:
    with workers.start(SHUTDOWN_TIMEOUT_SECONDS="3") as worker:
        key = workers.valkey.send("trials.work", {"number": 1, "seconds": 60, "stubborn": True})
        workers.record.wait(what="begun", key=key)
        assert worker.stop() == 1
        assert "most recent call first" in worker.output.read_text()  # where it hung
    with workers.start("next"):
        workers.record.wait(2, what="begun", key=key)


@pytest.mark.parametrize("fault", [FaultProxy.down, FaultProxy.blackhole], ids=["refused", "blackholed"])
def test_it_stops_in_time_while_the_broker_is_away(workers: Workers, fault: Callable[[FaultProxy], None]) -> None:
    settings = {"SHUTDOWN_TIMEOUT_SECONDS": "12.5"}
    with (
        FaultProxy(workers.valkey.port) as proxy,
        workers.start(BROKER_URL=workers.valkey.url(proxy.port), **settings) as worker,
    ):
        key = workers.valkey.send("trials.work", {"number": 1, "seconds": 2})
        workers.record.wait(what="begun", key=key)
        fault(proxy)
        worker.wait_until("ready", 503)
        begun = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - begun < 12.5
        assert len(workers.record.lines(what="done", key=key)) == 1
        proxy.passing()
    with workers.start("next"):  # it could not be acknowledged
        workers.record.wait(2, what="done", key=key)


def test_it_stops_while_its_resources_are_still_being_opened(workers: Workers) -> None:
    with workers.start(ready=False, OPENING="hangs") as worker:
        worker.wait_until("live", 200)
        assert worker.stop() == 0
