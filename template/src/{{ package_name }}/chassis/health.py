"""Health as the main loop sees it: a snapshot that the ops server's thread can read at any time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from .metrics import Metrics

HEARTBEAT_SECONDS = 0.5
STALE_SECONDS = 10.0  # a main loop silent for so long counts as hung
CHECK_SECONDS = 1.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Check:
    """One dependency: ``probe`` returns when it answers and raises when it does not."""

    name: str
    probe: Callable[[], Awaitable[object]]
    critical: bool = True  # without it the service is not ready; an optional one makes it degraded
    timeout: float = 1.0  # seconds; without an answer by then it counts as down


@dataclass(frozen=True)
class Result:
    """The last answer of one check; ``error`` is the exception's type, empty when it was up."""

    error: str
    latency_ms: float


@dataclass
class Health:
    """The state of the service. Written by the main loop, read by the ops server's thread."""

    metrics: Metrics
    started: bool = False
    draining: bool = False
    heartbeat: float = field(default_factory=time.monotonic)
    checks: dict[str, Check] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    probes: dict[str, asyncio.Future[object]] = field(default_factory=dict)

    def add(self, check: Check) -> None:
        """Watch a dependency from now on."""
        self.checks = {**self.checks, check.name: check}  # replaced, never changed: another thread reads it

    @property
    def alive(self) -> bool:
        return time.monotonic() - self.heartbeat < STALE_SECONDS

    @property
    def failing(self) -> list[Check]:
        """Dependencies that are down or have not answered yet."""
        results = self.results
        return [check for name, check in self.checks.items() if name not in results or results[name].error]

    @property
    def status(self) -> str:
        """``ready`` or ``degraded`` when work can be sent here, else the reason why not."""
        if self.draining:
            return "draining"
        if not self.started:
            return "starting"
        if not self.alive:
            return "hung"
        return "unready" if any(check.critical for check in self.failing) else "degraded" if self.failing else "ready"

    async def beat(self) -> None:
        """Show that the main loop turns, until cancelled."""
        while True:
            expected = time.monotonic() + HEARTBEAT_SECONDS
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self.heartbeat = time.monotonic()
            self.metrics.event_loop_lag.observe(max(0.0, self.heartbeat - expected))

    async def watch(self) -> None:
        """Ask every dependency again and again, until cancelled."""
        while True:
            await self.check_all()
            await asyncio.sleep(CHECK_SECONDS)

    async def check_all(self) -> None:
        self.results = dict(await asyncio.gather(*(self.ask(check) for check in self.checks.values())))

    async def ask(self, check: Check) -> tuple[str, Result]:
        started = time.perf_counter()
        probe = self.probes.get(check.name)
        if probe is None or probe.done():  # else the last one still ignores that it was cancelled
            probe = self.probes[check.name] = asyncio.ensure_future(check.probe())
        await asyncio.wait({probe}, timeout=check.timeout)
        if probe.done():
            failure = asyncio.CancelledError() if probe.cancelled() else probe.exception()
            error = type(failure).__name__ if failure else ""
        else:
            probe.cancel()
            error = "TimeoutError"
        if error != self.results.get(check.name, Result("", 0)).error:
            log.warning("dependency is down" if error else "dependency is up", dependency=check.name, error=error)
        self.metrics.dependency_up.labels(check.name).set(0 if error else 1)
        return check.name, Result(error, round((time.perf_counter() - started) * 1000, 1))
