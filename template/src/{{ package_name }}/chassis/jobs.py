"""Jobs, whatever brings them: each has a name, a payload that is checked, an end in time and a number of attempts."""

import inspect
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from .request_id import REQUEST_ID

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Awaitable[None]])
TRACEPARENT: ContextVar[str] = ContextVar("traceparent", default="")  # of the work in hand, passed on as it came


@dataclass(frozen=True)
class Delivery:
    """One job on its way, of what JSON can hold; ``key`` is its idempotency key, the same at each attempt."""

    job: str
    payload: Any
    headers: dict[str, str]
    key: str
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class DeadLetter(Delivery):
    """A job that was given up: ``reason`` is a stable code, ``detail`` for a person."""

    reason: str
    detail: str
    failed_at: str


@dataclass(frozen=True)
class Job(Generic[R]):
    """What a job gets to work with besides its payload."""

    key: str  # makes a second run harmless: keep it with the effect, and skip an effect that is there
    attempt: int
    resources: R
    deliver: Callable[[Delivery], Awaitable[None]]

    async def send(self, job: str, payload: object = None, *, key: str) -> None:
        """Have another job done, by a key that follows from this one's: a second run then sends nothing new."""
        headers = {"x-request-id": REQUEST_ID.get(), "traceparent": TRACEPARENT.get()}
        await self.deliver(Delivery(job, to_jsonable_python(payload), headers, key))


@dataclass(frozen=True)
class Definition:
    """How one job is done; ``timeout`` and ``pause`` are in seconds."""

    run: Callable[[Any, Job[Any]], Awaitable[None]]
    payload: TypeAdapter[Any]
    attempts: int
    timeout: float
    pause: float
    schedule: str


class Jobs:
    """The jobs of a slice by their names, which are part of the agreement with whoever sends them."""

    def __init__(self) -> None:
        self.definitions: dict[str, Definition] = {}

    def job(
        self, name: str, *, attempts: int = 5, timeout: float = 60, pause: float = 1, schedule: str = ""
    ) -> Callable[[F], F]:
        """Serve a job by a function of its payload and a Job. The pause before an attempt doubles each time.

        With a schedule, a crontab in UTC, it is also done without a payload, in one of the replicas.
        """

        def add(run: F) -> F:
            payload = next(iter(inspect.signature(run, eval_str=True).parameters.values())).annotation
            self.definitions[name] = Definition(run, TypeAdapter(payload), attempts, timeout, pause, schedule)
            return run

        return add

    def include(self, other: "Jobs") -> None:
        """Serve the jobs of a slice, too."""
        self.definitions |= other.definitions
