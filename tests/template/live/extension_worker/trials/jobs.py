"""Jobs that behave as the tests want."""

import asyncio
import os
import sys
import threading
import time
from contextlib import suppress
from typing import NoReturn

import structlog
from pydantic import BaseModel

from ..chassis.errors import Kind, ServiceError
from ..chassis.jobs import Job, Jobs
from ..resources import Resources

jobs = Jobs()
log = structlog.get_logger(__name__)


class TryLater(ServiceError):
    """It may work in a moment."""

    code = "try_later"
    kind = Kind.UNAVAILABLE


class NeverTry(ServiceError):
    """It will not work."""

    code = "never_try"
    kind = Kind.CONFLICT


class Odd(Exception):
    """Can be written down by nobody: neither as JSON nor by pickle."""

    def __init__(self) -> None:
        super().__init__(threading.Lock(), self)


class Work(BaseModel):
    """What one trial does."""

    number: int
    seconds: float = 0
    stubborn: bool = False


class Failure(BaseModel):
    """How a trial fails, and at how many of its attempts."""

    how: str
    times: int = 1000


class Errand(BaseModel):
    """What a trial sends on."""

    job: str
    payload: dict[str, object]
    key: str = ""


def note(what: str, job: Job[Resources], **fields: object) -> None:
    """Write down what happens, with who does it and when."""
    job.resources.record(what=what, **fields, key=job.key, attempt=job.attempt, pid=os.getpid(), at=time.time())


@jobs.job("trials.work", attempts=20, timeout=60)
async def work(work: Work, job: Job[Resources]) -> None:
    note("begun", job, number=work.number)
    try:
        await asyncio.sleep(work.seconds)
    except asyncio.CancelledError:
        note("cut", job, number=work.number)
        while work.stubborn:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
        raise
    note("done", job, number=work.number)


@jobs.job("trials.short", attempts=2, timeout=0.5, pause=0.1)
async def short(work: Work, job: Job[Resources]) -> None:
    note("begun", job, number=work.number)
    await asyncio.sleep(work.seconds)


@jobs.job("trials.fail", attempts=4, timeout=5, pause=1)
async def fail(failure: Failure, job: Job[Resources]) -> None:
    note("begun", job, how=failure.how)
    if job.attempt <= failure.times and not job.resources.settings.record.with_name("repaired").exists():
        go_wrong(failure.how)


@jobs.job("trials.die", attempts=2, pause=0.1)
async def die(_: Work, job: Job[Resources]) -> None:
    note("begun", job)
    os.abort()


def go_wrong(how: str) -> NoReturn:
    if how == "later":
        raise TryLater("try again")
    if how == "never":
        raise NeverTry("do not try again")
    if how == "odd":
        raise Odd
    if how == "cancelled":
        raise asyncio.CancelledError
    if how == "exits":
        sys.exit(3)
    raise LookupError(how)


@jobs.job("trials.block")
async def block(work: Work, job: Job[Resources]) -> None:
    note("begun", job, number=work.number)
    time.sleep(work.seconds)  # noqa: ASYNC251 - that is the trial


@jobs.job("trials.send")
async def send(errand: Errand, job: Job[Resources]) -> None:
    await job.send(errand.job, errand.payload, key=errand.key or f"{job.key}-errand")


@jobs.job("trials.leak", attempts=2, pause=0.1)
async def leak(_: Work, job: Job[Resources]) -> None:
    settings = job.resources.settings
    raise LookupError(f"{settings.pay_token.get_secret_value()} at {settings.broker_url.get_secret_value()}")


@jobs.job("trials.slow_send", attempts=20, pause=0.2)
async def slow_send(errand: Errand, job: Job[Resources]) -> None:
    note("begun", job)
    await asyncio.sleep(1)
    await job.send(errand.job, errand.payload, key=f"{job.key}-errand")


@jobs.job("trials.call", attempts=1)
async def call(work: Work, job: Job[Resources]) -> None:
    await job.resources.http.get(f"{job.resources.settings.partner_url}/{work.number}")


@jobs.job("trials.tick", schedule="*/2 * * * * * *")
async def tick(_: None, job: Job[Resources]) -> None:
    note("tick", job)
