"""Whatever dies, no job is lost, and only what was under way is done a second time."""

import random
import signal
import time

from .runner import Running, eventually
from .worker_fixtures import REDELIVERY_SECONDS, Workers

JOBS, CONCURRENCY = 1000, 10


def kill(running: Running) -> None:
    running.process.send_signal(signal.SIGKILL)
    running.process.wait()


def test_of_1000_jobs_none_is_lost_when_the_worker_is_killed_twice(workers: Workers) -> None:
    keys = workers.valkey.send_many("trials.work", [{"number": n, "seconds": 0.02} for n in range(JOBS)])
    in_flight: set[str] = set()
    for number, done_before in enumerate(sorted(random.sample(range(100, 900), 2))):
        with workers.start(f"killed-{number}") as worker:
            eventually(lambda done=done_before: len(workers.record.lines(what="done")) > done, "some jobs done")
            kill(worker)
        pid = worker.process.pid
        in_flight |= (workers.record.counts(what="begun", pid=pid) - workers.record.counts(what="done", pid=pid)).keys()
    with workers.start("last"):
        eventually(lambda: workers.valkey.empty, "the end of all jobs", 60)
    begun, done = workers.record.counts(what="begun"), workers.record.counts(what="done")
    assert set(done) == set(keys)
    again = {key for key, count in begun.items() if count > 1}
    assert in_flight
    assert in_flight <= again
    assert len(again) <= 2 * CONCURRENCY  # some were killed between their last line and its acknowledgement
    assert all(begun[key] <= 1 + 2 for key in again)
    assert not workers.valkey.letters()


def test_a_long_job_is_begun_once_although_another_worker_waits(workers: Workers) -> None:
    with workers.start("one") as one, workers.start("two") as two:
        key = workers.valkey.send("trials.work", {"number": 1, "seconds": 9})
        workers.record.wait(what="done", key=key)
        eventually(lambda: workers.valkey.empty)
        assert len(workers.record.lines(what="begun", key=key)) == 1
        assert one.metric("worker_jobs_total") + two.metric("worker_jobs_total", job="trials.work") >= 1


def test_jobs_that_wait_for_their_turn_are_begun_once(workers: Workers) -> None:
    with workers.start("one", WORKER_CONCURRENCY="2"), workers.start("two", WORKER_CONCURRENCY="2"):
        long = [{"number": n, "seconds": 2.5 * REDELIVERY_SECONDS} for n in range(8)]
        keys = workers.valkey.send_many("trials.work", long)
        workers.record.wait(8, 40, what="done")
        assert workers.record.counts(what="begun") == dict.fromkeys(keys, 1)


def test_the_job_of_a_killed_worker_is_begun_anew_within_30_s_although_nothing_else_comes(workers: Workers) -> None:
    default = {"WORKER_REDELIVERY_SECONDS": ""}
    with workers.start("one", **default) as one:
        key = workers.valkey.send("trials.work", {"number": 1, "seconds": 1})
        workers.record.wait(what="begun", key=key)
        kill(one)
    with workers.start("two", **default):
        workers.record.wait(what="done", key=key, seconds=30)
    first, second = workers.record.lines(what="begun")
    assert (first["key"], first["attempt"], second["attempt"]) == (second["key"], "1", "2")
    assert float(second["at"]) - float(first["at"]) < 30


def test_a_job_that_kills_its_worker_is_given_up(workers: Workers) -> None:
    key = workers.valkey.send("trials.die", {"number": 1})
    for attempt in (1, 2):
        with workers.start(f"dead-{attempt}", ready=False) as worker:
            assert worker.process.wait(20) == -signal.SIGABRT
    with workers.start("alive"):
        letter = workers.valkey.letter(key)
    assert "in the middle of the last attempt" in letter["detail"]
    assert len(workers.record.lines(what="begun", key=key)) == 2


def test_a_schedule_is_kept_once_by_all_workers_together(workers: Workers) -> None:
    begun = time.time()
    with workers.start("one"), workers.start("two"):
        ticks = workers.record.wait(5, what="tick")
    assert set(workers.record.counts(what="tick").values()) == {1}
    assert not workers.valkey.letters()  # whoever's it is, each of them can do it
    assert (
        len(ticks) <= (float(ticks[-1]["at"]) - begun) / 2 + 1
    )  # each of them due, one every 2 s, although some come late


def test_a_schedule_of_an_older_version_is_forgotten(workers: Workers) -> None:
    client = workers.valkey.client
    client.hset("streaq:proving:cron:jobs", "trials.gone", "* * * * * * *")
    client.zadd("streaq:proving:cron:schedule", {"trials.gone": 1})
    client.set("streaq:proving:cron:data:trials.gone", '{"f": "trials.gone", "a": [], "k": {}, "t": 1}')
    with workers.start():
        eventually(lambda: not client.hexists("streaq:proving:cron:jobs", "trials.gone"))
        workers.record.wait(2, what="tick")
    assert not workers.valkey.letters()
