"""What stands around every outbound call: a bulkhead, a circuit breaker, retries in a budget, and the deadline."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import httpx2
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from pydantic import Field

from .bulkhead import Bulkhead, BulkheadFull
from .circuit_breaker import CircuitBreaker, CircuitOpen
from .http_client import DependencyUnavailable, HttpClient
from .retry_budget import CALLS_PER_RETRY, RetryBudget
from .settings import CommonSettings, Positive, Seconds
from .tasks import DEADLINE

IDEMPOTENT = {"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"}  # RFC 9110, 9.2.2
PASSING = {429, 502, 503, 504}  # what may be over in a moment
SERVER_ERROR = 500
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds
FAIR = 0.25  # of an attempt's time; whoever got less of it is not judged by having been late
MOST_NAMES, OTHER = 50, "other"  # dependencies that are told apart, and the name of the rest
Send = Callable[[], Awaitable[httpx2.Response]]


class ResilienceSettings(CommonSettings):
    """What outbound calls are set up with."""

    call_attempt_seconds: Seconds = Field(2, gt=0, description="Until one attempt of an outbound call must have ended")
    call_max_attempts: Positive = Field(3, description="Attempts of a call that may be repeated, the first included")
    call_max_concurrent: Positive = Field(20, description="Calls to one dependency that run at once")
    call_max_wait_seconds: Seconds = Field(0.5, description="How long a call waits for its turn")
    circuit_open_seconds: Seconds = Field(10, description="How long a dependency that keeps failing is left alone")

    def contradictions(self) -> Iterator[str]:
        yield from super().contradictions()
        if self.call_attempt_seconds > self.call_timeout_seconds:
            yield "CALL_ATTEMPT_SECONDS: must be at most CALL_TIMEOUT_SECONDS"


@dataclass(frozen=True)
class Dependency:
    """What stands before one of those that are called."""

    name: str
    bulkhead: Bulkhead
    breaker: CircuitBreaker
    budget: RetryBudget


class CutShort(DependencyUnavailable):
    """The attempt had too little time left to be a fair trial."""


class ResilientClient(HttpClient):
    """The HTTP client with all of it; a dependency is an origin: scheme, host and port."""

    def __init__(
        self, settings: ResilienceSettings, identity: Mapping[str, str], registry: CollectorRegistry, **options: Any
    ) -> None:
        # The bulkheads bound it: with one bound for all, a single dependency could take every connection.
        super().__init__(settings, identity, limits=httpx2.Limits(max_keepalive_connections=20), **options)
        self.settings = settings
        self.dependencies: dict[str, Dependency] = {}
        name, meaning = "http_client_request_duration_seconds", "Seconds of each attempt of an outbound call"
        self.durations = Histogram(name, meaning, ["name", "status"], registry=registry)
        self.retries = Counter("http_client_retries_total", "Attempts after the first", ["name"], registry=registry)
        self.refusals = Counter("http_client_refused_total", "Attempts not made", ["name", "reason"], registry=registry)
        self.bulkheads = Gauge("bulkhead_in_use", "Outbound calls under way", ["name"], registry=registry)
        self.states = Gauge("circuit_breaker_state", "0 closed, 1 half-open, 2 open", ["name"], registry=registry)
        self.budgets = Gauge("retry_budget_remaining", "Retries that may still be made", ["name"], registry=registry)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Make a call, and repeat it where that helps, does no harm, and is in budget and time."""
        until = min(DEADLINE.get(), asyncio.get_running_loop().time() + self.seconds)
        send = partial(super().send, request, **options)
        dependency = self.dependency(f"{request.url.scheme}://{request.url.netloc.decode()}")
        result = await self.attempt(dependency, send, until)
        dependency.budget.earn()
        for number in range(self.settings.call_max_attempts - 1 if repeatable(request) else 0):
            pause = pause_after(result, number)
            late = asyncio.get_running_loop().time() + pause >= until
            if late or not dependency.budget.spend():
                break
            if isinstance(result, httpx2.Response):
                await result.aclose()
            await asyncio.sleep(pause)
            try:
                result = await self.attempt(dependency, send, until)
            except (CircuitOpen, BulkheadFull):  # not made, so not paid; what came of the one before stands
                dependency.budget.earn(CALLS_PER_RETRY)
                if options.get("stream") and isinstance(result, httpx2.Response):
                    raise  # its body is gone
                break
            self.retries.labels(dependency.name).inc()
        if isinstance(result, Exception):
            raise result
        return result

    async def attempt(self, dependency: Dependency, send: Send, until: float) -> httpx2.Response | Exception:
        """Make one attempt and return what came of it. Raises CircuitOpen, BulkheadFull."""
        try:
            async with dependency.bulkhead.slot(until):
                return await dependency.breaker.call(partial(self.timed, dependency.name, send, until), judge)
        except (CircuitOpen, BulkheadFull) as refusal:
            self.refusals.labels(dependency.name, refusal.code).inc()
            refusal.add_note(f"while calling {dependency.name}")
            raise
        except DependencyUnavailable as error:
            return error

    async def timed(self, name: str, send: Send, until: float) -> httpx2.Response:
        started = asyncio.get_running_loop().time()
        end = min(until, started + self.settings.call_attempt_seconds)
        status, began = "failed", time.perf_counter()  # the loop's time comes in milliseconds, and late
        try:
            async with asyncio.timeout_at(end):
                answer = await send()
            status = str(answer.status_code)
        except TimeoutError as error:
            error.add_note(f"while calling {name}")
            late = DependencyUnavailable if end - started > FAIR * self.settings.call_attempt_seconds else CutShort
            raise late("Something that this service needs does not answer in time.") from error
        finally:
            self.durations.labels(name, status).observe(time.perf_counter() - began)
        return answer

    def dependency(self, name: str) -> Dependency:
        if len(self.dependencies) >= MOST_NAMES and name not in self.dependencies:
            name = OTHER
        if name not in self.dependencies:
            settings = self.settings
            bulkhead = Bulkhead(settings.call_max_concurrent, settings.call_max_wait_seconds)
            breaker, budget = CircuitBreaker(name, settings.circuit_open_seconds), RetryBudget()
            self.bulkheads.labels(name).set_function(lambda: bulkhead.in_use)
            self.states.labels(name).set_function(lambda: breaker.state)
            self.budgets.labels(name).set_function(lambda: budget.remaining)
            self.dependencies[name] = Dependency(name, bulkhead, breaker, budget)
        return self.dependencies[name]


def repeatable(request: httpx2.Request) -> bool:
    """Whether a second attempt does no harm and can be made: a streamed body is gone after the first."""
    declared = request.extensions.get("safe_to_repeat") or "idempotency-key" in request.headers
    return bool(request.method in IDEMPOTENT or declared) and isinstance(request.stream, httpx2.ByteStream)


def judge(result: object) -> bool | None:
    if isinstance(result, httpx2.Response):
        return result.status_code < SERVER_ERROR
    return False if type(result) is DependencyUnavailable else None  # an error of ours says nothing of it


def pause_after(result: httpx2.Response | Exception, number: int) -> float:
    """Seconds until the next attempt: what was asked for, and backoff with full jitter; infinite if none helps."""
    asked = 0.0
    if isinstance(result, httpx2.Response):
        if result.status_code not in PASSING:
            return math.inf
        asked = seconds_until(result.headers.get("retry-after", ""))
    return asked + random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**number))  # noqa: S311 - spreads load, protects nothing


def seconds_until(retry_after: str) -> float:
    """What a Retry-After header asks for, as a number of seconds or a date; 0 if it says neither (RFC 9110, 10.2.3)."""
    if retry_after.isdecimal():
        return float(retry_after)
    with suppress(ValueError, TypeError):  # no date, or one without a time zone
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    return 0.0
