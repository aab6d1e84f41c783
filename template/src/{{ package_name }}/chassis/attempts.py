"""One attempt at a job: checked, bounded, counted, logged, and judged: done, again later, or a dead letter."""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from pydantic import ValidationError
from structlog.contextvars import bound_contextvars

from .errors import Kind, ServiceError
from .jobs import TRACEPARENT, Definition, Delivery, Job, Jobs
from .request_id import take_request_id
from .tasks import DEADLINE

PASSING = {Kind.LIMITED, Kind.UNAVAILABLE}  # expected errors that may be over at the next attempt
LONGEST_PAUSE = 3600.0  # seconds
BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600)  # seconds
SUCCEEDED, RETRIED, DEAD_LETTERED, HANDED_BACK = "succeeded", "retried", "dead_lettered", "handed_back"
UNKNOWN = "unknown"
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What is to become of a job: ``reason`` is a stable code, ``detail`` for a person, ``pause`` in seconds."""

    outcome: str
    reason: str = ""
    detail: str = ""
    pause: float = 0.0


class JobRefused(ServiceError):
    """The job is not one that is worked on here."""

    code = "job_refused"
    kind = Kind.INVALID


class Worker(Jobs):
    """Works on the jobs that it includes; every job gets its ``resources``."""

    resources: Any = None

    def __init__(self, errors: Counter, registry: CollectorRegistry) -> None:
        super().__init__()
        self.errors, self.in_flight = errors, 0
        self.outcomes = Counter("worker_jobs_total", "Attempts by outcome", ["job", "outcome"], registry=registry)
        name, meaning = "worker_job_duration_seconds", "Seconds that an attempt took"
        self.durations = Histogram(name, meaning, ["job"], buckets=BUCKETS, registry=registry)
        gauge = Gauge("worker_jobs_in_flight", "Jobs that are worked on now", registry=registry)
        gauge.set_function(lambda: self.in_flight)

    async def attempt(self, delivery: Delivery, deliver: Any) -> Verdict:
        """Work on a job once and say what is to become of it. Raises CancelledError when it was cut off."""
        name = delivery.job if delivery.job in self.definitions else UNKNOWN
        traceparent = delivery.headers.get("traceparent", "")
        take_request_id(delivery.headers.get("x-request-id", "").encode(), traceparent.encode())
        TRACEPARENT.set(traceparent)
        job = Job(delivery.key, delivery.attempt, self.resources, deliver)
        started, verdict = time.perf_counter(), Verdict(HANDED_BACK)
        self.in_flight += 1
        with bound_contextvars(job=name, key=delivery.key, attempt=delivery.attempt):
            try:
                verdict = await self.judged(*self.accepted(delivery), job)
            except JobRefused as refusal:
                verdict = Verdict(DEAD_LETTERED, refusal.code, str(refusal))
            finally:
                self.in_flight -= 1
                self.record(name, verdict, time.perf_counter() - started)
        return verdict

    def accepted(self, delivery: Delivery) -> tuple[Definition, Any]:
        """How a job is done, and its payload as it wants it. Raises JobRefused."""
        definition = self.definitions.get(delivery.job)
        if definition is None:
            raise JobRefused("No such job is served here.")
        if delivery.attempt > definition.attempts:
            raise JobRefused("A worker ended in the middle of the last attempt.")
        try:
            return definition, definition.payload.validate_python(delivery.payload)
        except ValidationError as error:
            wrong = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
            raise JobRefused("; ".join(wrong)) from None

    async def judged(self, definition: Definition, payload: Any, job: Job[Any]) -> Verdict:
        last = job.attempt >= definition.attempts
        try:
            async with asyncio.timeout(definition.timeout):
                DEADLINE.set(asyncio.get_running_loop().time() + definition.timeout)
                await definition.run(payload, job)
        except ServiceError as error:
            failure = Verdict(DEAD_LETTERED, error.code, str(error))
            if error.kind not in PASSING:
                return failure
            (log.error if last else log.warning)("job cannot be done now", exc_info=True)
        except BaseException as error:  # whatever it is, it must not end the worker
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                raise  # not the job's own doing: the time of a shutdown is over
            failure = Verdict(DEAD_LETTERED, type(error).__name__, "Something went wrong; the log tells what.")
            self.errors.labels(failure.reason).inc()
            log.exception("job failed")
        else:
            return Verdict(SUCCEEDED)
        if last:
            return failure
        longest = min(LONGEST_PAUSE, definition.pause * 2 ** (job.attempt - 1))
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, protects nothing
        return Verdict(RETRIED, failure.reason, failure.detail, pause)

    def record(self, name: str, verdict: Verdict, seconds: float) -> None:
        self.durations.labels(name).observe(seconds)
        self.outcomes.labels(name, verdict.outcome).inc()
        level = log.error if verdict.outcome == DEAD_LETTERED else log.info
        told = {"reason": verdict.reason, "detail": verdict.detail} if verdict.reason else {}
        level("job", outcome=verdict.outcome, duration_ms=round(seconds * 1000, 2), **told)
