"""Circuit breaker: whoever keeps failing is left alone for a while, then tried with a few calls."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import TypeVar

import structlog

from .http_client import DependencyUnavailable

WINDOW = 20  # the last outcomes that count
ENOUGH = 10  # outcomes without which nothing is judged
SHARE = 0.5  # of failures, from which on it opens
PROBES = 3  # calls let through when half-open; all must succeed
T = TypeVar("T")
Judge = Callable[[object], bool | None]  # of a result, or of the exception; None says nothing of whom was called
log = structlog.get_logger(__name__)


class State(IntEnum):
    """As the metric has it."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class CircuitOpen(DependencyUnavailable):
    """What would be called has failed too often; it gets a rest."""

    code = "circuit_open"


class CircuitBreaker:
    """One for each dependency. Closed it lets calls through, open none, half-open a few to find out."""

    def __init__(self, name: str, open_seconds: float) -> None:
        self.name, self.open_seconds = name, open_seconds
        self.generation = 0
        self.become(State.CLOSED)

    def become(self, state: State) -> None:
        if self.generation:
            log.warning("circuit breaker", dependency=self.name, state=state.name.lower())
        self.state, self.generation = state, self.generation + 1  # calls from before no longer count
        self.since = asyncio.get_running_loop().time()
        self.outcomes: deque[bool] = deque(maxlen=WINDOW)
        self.probes = 0

    async def call(self, work: Callable[[], Awaitable[T]], judge: Judge = lambda x: not isinstance(x, Exception)) -> T:
        """Do the work unless the circuit is open, and learn from how it went. Raises CircuitOpen."""
        generation, success = self.admit(), None  # as of a call that is cancelled
        try:
            answer = await work()
            success = judge(answer)
        except Exception as error:
            success = judge(error)
            raise
        finally:
            if generation == self.generation:
                self.learn(success)
        return answer

    def admit(self) -> int:
        if self.state is State.OPEN and asyncio.get_running_loop().time() >= self.since + self.open_seconds:
            self.become(State.HALF_OPEN)
        if self.state is State.OPEN or (self.state is State.HALF_OPEN and self.probes == PROBES):
            raise CircuitOpen("Something that this service needs has failed too often; try again later.")
        self.probes += 1
        return self.generation

    def learn(self, success: bool | None) -> None:  # noqa: FBT001 - an outcome, not an option
        if success is None:
            self.probes -= 1
            return
        self.outcomes.append(success)
        if self.state is State.HALF_OPEN:
            if not success or len(self.outcomes) == PROBES:
                self.become(State.CLOSED if success else State.OPEN)
        elif len(self.outcomes) >= ENOUGH and self.outcomes.count(False) >= SHARE * len(self.outcomes):
            self.become(State.OPEN)
