"""The broker goes and comes; the worker stays, says so, and goes on."""

from collections.abc import Callable, Iterator

import pytest

from .fault_proxy import FaultProxy
from .runner import Running, eventually
from .worker_fixtures import Workers

FAULTS = {
    "refused": FaultProxy.down,
    "reset": FaultProxy.reset,
    "blackholed": FaultProxy.blackhole,
    "late": lambda proxy: proxy.latency(1.5),  # the check waits for 1 s
}
FLIP_SECONDS = 5.0  # from a fault, or its end, to the probe that tells it

each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)

Fault = Callable[[FaultProxy], None]


@pytest.fixture
def proxy(workers: Workers) -> Iterator[FaultProxy]:
    with FaultProxy(workers.valkey.port) as proxy:
        yield proxy


def flips(running: Running, status: int) -> None:
    """Wait for a status of readiness in the promised time, with liveness green all along."""

    def flipped() -> bool:
        assert running.probe("live") == 200
        return running.probe("ready") == status

    eventually(flipped, f"readiness = {status}", FLIP_SECONDS)


@each_fault
def test_readiness_follows_the_broker_and_jobs_go_on_without_a_restart(
    workers: Workers, proxy: FaultProxy, fault: Fault
) -> None:
    with workers.start(BROKER_URL=workers.valkey.url(proxy.port)) as worker:
        workers.valkey.send("trials.work", {"number": 1})
        workers.record.wait(what="done", number=1)
        fault(proxy)
        flips(worker, 503)
        assert worker.ops.get("/health/ready").json() == {"status": "unready", "failing": ["broker"]}
        assert worker.metric("dependency_up", dependency="broker") == 0
        workers.valkey.send("trials.work", {"number": 2})
        proxy.passing()
        flips(worker, 200)
        assert worker.metric("dependency_up", dependency="broker") == 1
        workers.record.wait(what="done", number=2)
        workers.valkey.send("trials.fail", {"how": "later", "times": 1})  # retries and schedules, too
        eventually(lambda: worker.metric("worker_jobs_total", job="trials.fail", outcome="succeeded") == 1)
        ticks = len(workers.record.lines(what="tick"))
        workers.record.wait(ticks + 2, what="tick")
        assert worker.stop() == 0


@each_fault
def test_a_worker_that_starts_amid_a_fault_comes_up_unready_and_recovers(
    workers: Workers, proxy: FaultProxy, fault: Fault
) -> None:
    fault(proxy)
    with workers.start(BROKER_URL=workers.valkey.url(proxy.port), ready=False) as worker:
        worker.wait_until("startup", 200)
        assert worker.ops.get("/health/ready").json() == {"status": "unready", "failing": ["broker"]}
        workers.valkey.send("trials.work", {"number": 1})
        proxy.passing()
        flips(worker, 200)
        workers.record.wait(what="done", number=1)


def test_the_broker_is_stopped_and_started_and_no_job_is_lost(workers: Workers, worker: Running) -> None:
    keys = workers.valkey.send_many("trials.work", [{"number": n, "seconds": 0.05} for n in range(300)])
    long = workers.valkey.send("trials.work", {"number": 1000, "seconds": 4})
    workers.record.wait(20, what="done")
    workers.valkey.stop()
    flips(worker, 503)
    workers.valkey.start()
    flips(worker, 200)
    eventually(lambda: workers.valkey.empty, "the end of all jobs")
    assert {*keys, long} == workers.record.counts(what="done").keys()
    again = [key for key, count in workers.record.counts(what="begun").items() if count > 1]
    assert len(again) <= 2 * 10  # as many as can be under way when it goes, and when it comes
    assert worker.lines(message="dependency is down", dependency="broker")


def test_a_broker_that_forgot_everything_is_worked_for_again(workers: Workers, worker: Running) -> None:
    workers.valkey.client.flushall()
    workers.valkey.client.function_flush()
    workers.valkey.send("trials.work", {"number": 1})
    workers.record.wait(what="done", number=1)
    ticks = len(workers.record.lines(what="tick"))
    workers.record.wait(ticks + 2, what="tick")
    flips(worker, 200)


def test_what_cannot_be_sent_is_tried_again(workers: Workers, proxy: FaultProxy) -> None:
    with workers.start(BROKER_URL=workers.valkey.url(proxy.port), PARTNER_URL="x") as worker:
        errand = {"job": "trials.work", "payload": {"number": 1}}
        key = workers.valkey.send("trials.slow_send", errand)
        workers.record.wait(what="begun", key=key)
        proxy.down()
        worker.logged(message="job cannot be done now", key=key)
        proxy.passing()
        workers.record.wait(what="done", number=1)
        assert worker.metric("worker_jobs_total", job="trials.slow_send", outcome="retried") >= 1
