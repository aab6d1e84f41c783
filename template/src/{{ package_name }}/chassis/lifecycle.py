"""One lifecycle for every type; it alone owns the signals. Stop: 503, drain, work in flight, tasks, resources, ops."""

import asyncio
import contextvars
import faulthandler
import itertools
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from .health import Health
from .ops import OpsServer
from .tasks import TaskSupervisor

CLOSING_SHARE = 0.2  # of the budget, kept for tasks and resources after the work in flight
log = structlog.get_logger(__name__)


class Runner(Protocol):
    """The main loop of a service type: takes work and does it."""

    drain_seconds: float

    async def run(self, started: asyncio.Event) -> None:
        """Take work until told to stop; set ``started`` once the first can come."""

    async def stop(self, seconds: float) -> None:
        """Take nothing new; ``run`` returns when the work in flight is done, after ``seconds`` at the latest."""


@dataclass
class Lifecycle:
    """Starts, watches and stops one service; ``budget`` is in seconds, for the whole of a shutdown."""

    health: Health
    tasks: TaskSupervisor
    ops: OpsServer
    open_runner: Callable[[], AbstractAsyncContextManager[Runner]]
    budget: float
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    opening: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))

    async def run(self) -> int:
        """Live from start to stop and return the exit code: 0 after a clean stop, 1 when the main loop failed."""
        self.take_signals()
        self.ops.start()
        async with asyncio.TaskGroup() as group:
            watchers = [group.create_task(self.health.beat()), group.create_task(self.health.watch())]
            resources = AsyncExitStack()
            code = await self.work(resources)
            await self.tasks.stop(self.left() / 2)
            try:
                async with asyncio.timeout(self.left() * (1 - CLOSING_SHARE)):
                    await resources.aclose()  # in reverse; one that raises or hangs does not stop the rest
            except (Exception, asyncio.CancelledError):
                log.exception("a resource failed to close")
            for watcher in watchers:
                watcher.cancel()
        log.info("stopped", exit_code=code)
        self.ops.stop()
        return code

    async def work(self, resources: AsyncExitStack) -> int:
        """Run the main loop until a signal comes or until it ends by itself, which is a failure."""
        runner = await self.opened(resources)
        if runner is None:
            return 0
        await self.health.check_all()
        started = asyncio.Event()
        running = asyncio.create_task(runner.run(started))
        running.add_done_callback(lambda _: (started.set(), self.stopping.set()))
        await started.wait()
        self.health.started = not running.done()
        log.info("started" if self.health.started else "could not start")
        await self.stopping.wait()
        failed = running.done()
        self.begin_shutdown()
        if not failed:
            await asyncio.sleep(runner.drain_seconds)  # 503 shown, but served on until load balancers looked away
            await runner.stop(self.left() * (1 - CLOSING_SHARE))
        try:
            await running
        except Exception:
            log.critical("the main loop failed", exc_info=True)
            failed = True
        return int(failed)

    async def opened(self, resources: AsyncExitStack) -> Runner | None:
        """Open the resources, again and again while that fails; None when told to stop before it succeeded."""
        pause = 0.1
        while not self.stopping.is_set():
            try:
                async with self.opening:
                    return await resources.enter_async_context(self.open_runner())
            except Exception:  # what is missing now may be there in a moment: stay up, unready
                log.exception("resources could not be opened; trying again", seconds=pause)
                self.opening = asyncio.timeout(None)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), pause)
            pause = min(pause * 2, 5.0)
        return None

    def begin_shutdown(self) -> None:
        """Turn readiness to 503 and start the clock of the budget. The first call counts."""
        if self.health.draining:
            return
        self.health.draining = True
        self.deadline = asyncio.get_running_loop().time() + self.budget
        faulthandler.dump_traceback_later(self.budget, exit=True)
        log.info("stopping", budget_seconds=self.budget)

    def left(self) -> float:
        return max(0.0, self.deadline - asyncio.get_running_loop().time())

    def take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        signals = itertools.count()

        def stop() -> None:
            self.begin_shutdown()
            self.stopping.set()
            with suppress(RuntimeError):  # it is open by now
                self.opening.reschedule(loop.time())

        def on_signal(number: int, _: object) -> None:
            if next(signals):
                os._exit(128 + number)  # a second signal does not wait
            faulthandler.dump_traceback_later(self.budget, exit=True)  # needs neither main loop nor lock
            loop.call_soon_threadsafe(stop, context=contextvars.Context())  # not that of the request it interrupts

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_signal)
