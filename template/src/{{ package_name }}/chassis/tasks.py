"""Background work with a name, a bound, a count and an end: the only way for a service to start any."""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any

import structlog

from .errors import Kind, ServiceError
from .metrics import Metrics

FOREVER = float("inf")
DEADLINE: ContextVar[float] = ContextVar("deadline", default=FOREVER)  # of the work in hand, in the loop's time
log = structlog.get_logger(__name__)


class TooManyTasks(ServiceError):
    """As many background tasks run as are allowed."""

    code = "too_many_tasks"
    kind = Kind.UNAVAILABLE


@dataclass
class TaskSupervisor:
    """Keeps every background task in sight: failures are logged and counted, shutdown leaves none behind."""

    metrics: Metrics
    most: int = 100
    graces: dict[asyncio.Task[Any], float] = field(default_factory=dict)

    def start(self, name: str, work: Coroutine[Any, Any, Any], *, grace: float = 0) -> asyncio.Task[Any]:
        """Run ``work``; ``grace`` is how many seconds it may go on once a shutdown has begun. Raises TooManyTasks."""
        if len(self.graces) >= self.most:
            work.close()
            raise TooManyTasks("The service has too much background work; try again later.")
        context = copy_context()
        context.run(DEADLINE.set, FOREVER)  # that of the request which starts it is not its own
        task = asyncio.create_task(work, name=name, context=context)
        self.graces[task] = grace
        self.metrics.background_tasks.inc()
        task.add_done_callback(self.ended)
        return task

    def ended(self, task: asyncio.Task[Any]) -> None:
        del self.graces[task]
        self.metrics.background_tasks.dec()
        if not task.cancelled() and (error := task.exception()):
            self.metrics.errors.labels(type(error).__name__).inc()
            log.error("background task failed", task=task.get_name(), exc_info=error)

    async def stop(self, seconds: float) -> None:
        """Give each task its grace, but never more than ``seconds`` in all, then cancel what still runs."""
        begun = (loop := asyncio.get_running_loop()).time()
        for task, grace in sorted(self.graces.items(), key=lambda item: item[1]):
            await asyncio.wait({task}, timeout=max(0.0, begun + min(grace, seconds) - loop.time()))
            if not task.done():
                log.warning("background task cut off", task=task.get_name())
                task.cancel()
        if self.graces:
            await asyncio.wait(set(self.graces), timeout=1)
