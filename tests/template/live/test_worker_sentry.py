"""A job that fails arrives at Sentry, with what finds it and without what must not leave."""

from .conftest import CANARY
from .job_queue import PASSWORD
from .runner import eventually
from .sentry_stand_in import sentry_stand_in
from .worker_fixtures import Workers


def test_each_failed_attempt_at_a_job_arrives_once_and_scrubbed(workers: Workers) -> None:
    with sentry_stand_in() as sentry, workers.start(SENTRY_DSN=sentry.dsn) as worker:
        key = workers.valkey.send("trials.leak", {"number": 1}, headers={"x-request-id": "order-66"})
        workers.valkey.send("trials.fail", {"how": "never"}, headers={"x-request-id": "order-67"})
        workers.valkey.letter(key)
        eventually(lambda: len(sentry.items("event", request_id="order-66")) == 2)
        assert worker.stop() == 0
        [first, second] = sentry.items("event")
        assert (first["release"], first["environment"], first["level"]) == ("proving@0.1.0", "development", "error")
        told = first["extra"]["log"]
        assert (told["message"], told["job"], told["key"], told["attempt"]) == ("job failed", "trials.leak", key, 1)
        assert second["extra"]["log"]["attempt"] == 2
        assert "**********" in first["exception"]["values"][-1]["value"]
        for envelope in sentry.envelopes:
            assert CANARY not in envelope
            assert PASSWORD not in envelope
