"""Each attempt at a job is judged by what came of it, and can be followed from outside."""

import json
from itertools import pairwise

from .job_queue import PASSWORD, message
from .runner import Running, eventually
from .stand_in import StandIn
from .worker_fixtures import Workers

TRACE = "0123456789abcdef0123456789abcdef"
KINDS = {"later": "try_later", "bug": "LookupError", "odd": "Odd", "cancelled": "CancelledError", "exits": "SystemExit"}


def test_a_job_is_done_logged_counted_and_gone(workers: Workers, worker: Running) -> None:
    key = workers.valkey.send("trials.work", {"number": 7}, headers={"x-request-id": "order-66"})
    [done] = workers.record.wait(what="done", number=7)
    assert (done["key"], done["attempt"]) == (key, "1")
    eventually(lambda: workers.valkey.empty)
    line = worker.logged(message="job", key=key)
    assert (line["request_id"], line["job"], line["outcome"]) == ("order-66", "trials.work", "succeeded")
    assert {"timestamp", "level", "logger", "service", "version", "environment", "duration_ms"} <= line.keys()
    assert worker.metric("worker_jobs_total", job="trials.work", outcome="succeeded") == 1
    assert worker.metric("worker_job_duration_seconds_count", job="trials.work") == 1


def test_what_may_pass_is_tried_again_after_pauses_that_grow(workers: Workers, worker: Running) -> None:
    key = workers.valkey.send("trials.fail", {"how": "later", "times": 3})
    begun = workers.record.wait(4, what="begun", key=key)
    assert [line["attempt"] for line in begun] == ["1", "2", "3", "4"]
    pauses = [float(after["at"]) - float(before["at"]) for before, after in pairwise(begun)]
    for pause, longest in zip(pauses, (1, 2, 4), strict=True):
        assert longest / 2 <= pause < longest + 3  # what is due is looked for twice a second, on a machine that is busy
    eventually(lambda: worker.metric("worker_jobs_total", job="trials.fail", outcome="succeeded") == 1)
    assert worker.metric("worker_jobs_total", job="trials.fail", outcome="retried") == 3
    assert worker.logged(message="job cannot be done now", key=key, attempt=2)["exception"]
    assert not workers.valkey.letters()


def test_what_fails_whenever_it_is_tried_becomes_a_dead_letter_and_harms_nobody(
    workers: Workers, worker: Running
) -> None:
    keys = {how: workers.valkey.send("trials.fail", {"how": how}) for how in KINDS}
    for how, reason in KINDS.items():
        letter = workers.valkey.letter(keys[how])
        assert (letter["job"], letter["payload"], letter["reason"]) == ("trials.fail", {"how": how}, reason)
        assert len(workers.record.lines(what="begun", key=keys[how])) == letter["attempt"] == 4
    for error in set(KINDS.values()) - {"try_later"}:  # an expected one is no bug
        assert worker.metric("errors_total", error_type=error) == 4
    assert worker.metric("errors_total", error_type="TryLater") == 0
    assert len(worker.lines(message="job failed", key=keys["bug"])) == 4
    workers.valkey.send("trials.work", {"number": 1})
    workers.record.wait(what="done", number=1)
    assert worker.process.poll() is None


def test_what_will_not_pass_is_a_dead_letter_at_once(workers: Workers, worker: Running) -> None:
    sent = {
        "never_try": workers.valkey.send("trials.fail", {"how": "never"}),
        "No such job": workers.valkey.send("trials.absent"),
        "number: Field required": workers.valkey.send("trials.work", {}),
        "valid dictionary": workers.valkey.send("trials.work", ["x"]),
    }
    for word, key in sent.items():
        letter = workers.valkey.letter(key)
        assert word in letter["reason"] + letter["detail"]
        assert letter["attempt"] == 1
    eventually(lambda: workers.valkey.empty)
    assert worker.metric("worker_jobs_total", outcome="retried") == 0
    assert len(workers.record.lines(what="begun")) == 1


UNREADABLE = ["x", "[]", "null", "{}", '{"f": "job"}', json.dumps(message(["trials.work"]))]
UNREADABLE += [json.dumps(message([{}, {"number": 1}, {}])), json.dumps(message(["trials.work", {}, {"x": {}}]))]
UNREADABLE += [json.dumps(message([]) | {"f": "other"}), json.dumps(message([]) | {"k": {"a": 1}}), "\x00\x80"]


def test_what_is_no_job_at_all_is_kept_and_harms_nobody(workers: Workers, worker: Running) -> None:
    keys = {raw: workers.valkey.send_raw(raw) for raw in UNREADABLE}
    for raw, key in keys.items():
        assert workers.valkey.letter(key)["payload"] in {raw, None}
    workers.valkey.send("trials.work", {"number": 1})
    workers.record.wait(what="done", number=1)
    eventually(lambda: workers.valkey.empty)
    assert worker.process.poll() is None


def test_a_job_that_takes_too_long_is_cut_off_and_tried_again(workers: Workers, worker: Running) -> None:
    key = workers.valkey.send("trials.short", {"number": 1, "seconds": 60})
    assert workers.valkey.letter(key)["reason"] == "TimeoutError"
    assert [line["attempt"] for line in workers.record.lines(what="begun", key=key)] == ["1", "2"]
    assert all(500 <= line["duration_ms"] < 5000 for line in worker.lines(message="job", key=key))


def test_dead_letters_are_listed_replayed_and_dropped_from_the_command_line(workers: Workers, worker: Running) -> None:
    def command(*arguments: str) -> list[str]:
        run = workers.project.run("dead-letters", *arguments, BROKER_URL=workers.valkey.url(), RECORD="x")
        assert run.returncode == 0, run.stderr
        return [json.loads(line)["key"] for line in run.stdout.splitlines()]

    keys = [workers.valkey.send("trials.fail", {"how": "never"}, headers={"x-request-id": f"of-{n}"}) for n in range(3)]
    for key in keys:
        workers.valkey.letter(key)
    eventually(lambda: worker.metric("worker_dead_letters") == 3)
    assert sorted(command("list")) == sorted(keys)
    workers.record.path.with_name("repaired").touch()
    assert command("replay", keys[0]) == [keys[0]]
    workers.record.wait(2, what="begun", key=keys[0])
    worker.logged(message="job", key=keys[0], outcome="succeeded", request_id="of-0")
    assert command("drop", keys[1]) == [keys[1]]
    assert [*workers.valkey.letters()] == command("list") == [keys[2]], keys
    assert len(workers.record.lines(what="begun", key=keys[1])) == 1
    gone = workers.project.run("dead-letters", "replay", keys[1], BROKER_URL=workers.valkey.url(), RECORD="x")
    assert (gone.returncode, keys[1] in gone.stderr) == (1, True)


def test_a_job_sends_another_with_the_id_of_the_request_and_its_trace(workers: Workers, worker: Running) -> None:
    headers = {"traceparent": f"00-{TRACE}-{'1' * 16}-01"}
    errand = {"job": "trials.send", "payload": {"job": "trials.work", "payload": {"number": 1}}}
    key = workers.valkey.send("trials.send", errand, headers=headers)
    workers.record.wait(what="done", number=1, key=f"{key}-errand-errand")
    ids = {line["request_id"] for line in worker.lines(message="job")}
    assert ids == {TRACE}
    assert worker.logged(message="job", key=f"{key}-errand-errand")["request_id"] == TRACE
    workers.valkey.send("trials.work", {"number": 2}, key="harmful", headers={"x-request-id": "a b <script>"})
    assert worker.logged(message="job", key="harmful")["request_id"].isalnum()


def test_a_call_of_a_job_carries_the_id_of_the_request(workers: Workers) -> None:
    with StandIn() as partner, workers.start(PARTNER_URL=f"http://127.0.0.1:{partner.port}") as worker:
        workers.valkey.send("trials.call", {"number": 1}, headers={"x-request-id": "order-66"})
        eventually(lambda: worker.metric("worker_jobs_total", job="trials.call", outcome="succeeded") == 1)
        assert partner.received[0].headers["x-request-id"] == "order-66"


def test_what_is_on_its_way_is_not_sent_again(workers: Workers) -> None:
    with workers.start(WORKER_CONCURRENCY="1") as worker:
        errand = {"job": "trials.work", "payload": {"number": 1}, "key": "same"}
        workers.valkey.send_many("trials.send", [errand] * 3)
        eventually(lambda: worker.metric("worker_jobs_total", job="trials.send", outcome="succeeded") == 3)
        eventually(lambda: workers.valkey.empty)
        assert workers.record.counts(what="done") == {"same": 1}


def test_what_waits_is_counted_with_its_age_and_no_more_is_done_at_once_than_allowed(workers: Workers) -> None:
    with workers.start(WORKER_CONCURRENCY="2") as worker:
        workers.valkey.send_many("trials.work", [{"number": n, "seconds": 3} for n in range(6)])
        eventually(lambda: worker.metric("worker_queue_depth") == 4)
        assert worker.metric("worker_jobs_in_flight") == 2
        eventually(lambda: worker.metric("worker_queue_age_seconds") > 1)
        workers.record.wait(6, what="done")
        eventually(lambda: worker.metric("worker_queue_depth") == 0)
        eventually(lambda: worker.metric("worker_queue_age_seconds") == 0)
        at_once = 0
        for line in workers.record.lines():
            at_once += 1 if line["what"] == "begun" else -1 if line["what"] == "done" else 0
            assert at_once <= 2


def test_names_of_jobs_that_nobody_serves_make_no_series(workers: Workers, worker: Running) -> None:
    for number in range(50):
        workers.valkey.send(f"absent-{number}")
    eventually(lambda: len(workers.valkey.letters()) == 50)
    assert "absent" not in worker.ops.get("/metrics").text
    assert worker.metric("worker_jobs_total", job="unknown", outcome="dead_lettered") == 50


def test_the_password_of_the_broker_is_nowhere(workers: Workers) -> None:
    workers.valkey.stop()
    with workers.start(ready=False, LOG_LEVEL="debug") as worker:
        worker.logged(message="the broker cannot be used; trying again")
        workers.valkey.start()
        worker.wait_until("ready", 200)
        key = workers.valkey.send("trials.fail", {"how": "bug"})
        workers.valkey.letter(key)
        seen = worker.ops.get("/metrics").text + worker.ops.get("/health").text
        workers.valkey.stop()
        worker.wait_until("ready", 503)
        seen += worker.ops.get("/health").text
        asked = workers.project.run("dead-letters", "list", BROKER_URL=workers.valkey.url(), RECORD="x")
        assert (asked.returncode, len(asked.stderr.splitlines())) == (1, 1)
        assert worker.stop() == 0
        seen += worker.output.read_text()
    for url in (workers.valkey.url(), f"http://me:{PASSWORD}@host", f"redis://me:{PASSWORD}@host:port"):
        shown = workers.project.run("--check-config", BROKER_URL=url, RECORD="x")
        seen += shown.stdout + shown.stderr
    assert PASSWORD not in seen + asked.stdout + asked.stderr
