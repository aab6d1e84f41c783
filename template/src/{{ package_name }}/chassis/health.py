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
    """One dependency: ``probe`` returns when it answers and raises when it does not.

    Args:
        name: as it stands in ``/health``, in ``dependency_up`` and in the log.
        critical: without it the service is not ready; an optional one makes it ``degraded``.
        timeout: seconds; a probe without an answer by then counts as down.
    """

    name: str
    probe: Callable[[], Awaitable[object]]
    critical: bool = True
    timeout: float = 1.0


@dataclass(frozen=True)
class Result:
    """The last answer of one check; ``error`` is empty when it was up, else the exception's type."""

    critical: bool
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

    def add(self, check: Check) -> None:
        """Watch a dependency from now on. Raises ValueError when the name is taken."""
        if check.name in self.checks:
            raise ValueError(f"a check named {check.name} exists")
        self.checks[check.name] = check

    @property
    def alive(self) -> bool:
        return time.monotonic() - self.heartbeat < STALE_SECONDS

    @property
    def failing(self) -> list[str]:
        """Dependencies that are down or have not answered yet."""
        results = self.results
        return [name for name in self.checks if name not in results or results[name].error]

    @property
    def status(self) -> str:
        """``ready`` or ``degraded`` when work can be sent here, else the reason why not."""
        if self.draining:
            return "draining"
        if not self.started:
            return "starting"
        if not self.alive:
            return "hung"
        failing = self.failing
        if any(self.checks[name].critical for name in failing):
            return "unready"
        return "degraded" if failing else "ready"

    async def beat(self) -> None:
        """Show that the main loop turns, until cancelled."""
        while True:
            expected = time.monotonic() + HEARTBEAT_SECONDS
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self.heartbeat = time.monotonic()
            self.metrics.event_loop_lag.set(max(0.0, self.heartbeat - expected))

    async def watch(self) -> None:
        """Ask every dependency again and again, until cancelled."""
        while True:
            await self.check_all()
            await asyncio.sleep(CHECK_SECONDS)

    async def check_all(self) -> None:
        checks = list(self.checks.values())
        answers = await asyncio.gather(*(self.check(check) for check in checks))
        results = {check.name: answer for check, answer in zip(checks, answers, strict=True)}
        for name, result in results.items():
            before = self.results.get(name)
            if result.error and (before is None or before.error != result.error):
                log.warning("dependency is down", dependency=name, error=result.error)
            elif before and before.error and not result.error:
                log.info("dependency is up again", dependency=name)
            self.metrics.dependency_up.labels(name).set(0 if result.error else 1)
        self.results = results

    async def check(self, check: Check) -> Result:
        started = time.perf_counter()
        error = ""
        try:
            async with asyncio.timeout(check.timeout):
                await check.probe()
        except Exception as exception:  # noqa: BLE001 - whatever a client raises means the same: it is down
            error = type(exception).__name__
        return Result(check.critical, error, round((time.perf_counter() - started) * 1000, 1))
