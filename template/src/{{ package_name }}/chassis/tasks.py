"""Background work with a name, a bound, a count and an end: the only place that may create tasks for a service."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from .errors import Kind, ServiceError
from .metrics import Metrics

MOST_TASKS = 100

log = structlog.get_logger(__name__)


class TooManyTasks(ServiceError):
    """As many background tasks run as are allowed; try again later."""

    code = "too_many_tasks"
    kind = Kind.UNAVAILABLE


class TaskSupervisor:
    """Keeps every background task in sight: failures are logged and counted, shutdown leaves none behind."""

    def __init__(self, metrics: Metrics, most: int = MOST_TASKS) -> None:
        self.metrics = metrics
        self.most = most
        self.graces: dict[asyncio.Task[Any], float] = {}

    def start(self, name: str, work: Coroutine[Any, Any, Any], *, grace: float = 0) -> asyncio.Task[Any]:
        """Run ``work`` in the background.

        Args:
            grace: seconds that it may go on after a shutdown began, before it is cancelled.

        Raises:
            TooManyTasks: the bound is reached; ``work`` is closed unstarted.
        """
        if len(self.graces) >= self.most:
            work.close()
            raise TooManyTasks("The service has too much background work; try again later.")
        task = asyncio.create_task(work, name=name)
        self.graces[task] = grace
        self.metrics.background_tasks.set(len(self.graces))
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        del self.graces[task]
        self.metrics.background_tasks.set(len(self.graces))
        if not task.cancelled() and (error := task.exception()):
            self.metrics.errors.labels(type(error).__name__).inc()
            log.error("background task failed", task=task.get_name(), exc_info=error)

    async def stop(self, seconds: float) -> None:
        """Give each task its grace, but never more than ``seconds`` in all, then cancel what still runs."""
        begun = asyncio.get_running_loop().time()
        for task, grace in sorted(self.graces.items(), key=lambda item: item[1]):
            left = begun + min(grace, seconds) - asyncio.get_running_loop().time()
            await asyncio.wait({task}, timeout=max(0.0, left))
            if not task.done():
                log.warning("background task cut off", task=task.get_name())
                task.cancel()
        if self.graces:
            await asyncio.wait(set(self.graces), timeout=1)
