"""The worker's own part of the chassis: its settings, what it works on, and how it starts and stops."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import structlog
from prometheus_client import CollectorRegistry, Gauge
from pydantic import Field
from structlog.typing import Processor

from .attempts import Worker
from .health import Check, Health
from .redis_queue import PAUSE, BrokerSettings, Queue
from .settings import Positive

log = structlog.get_logger(__name__)


class TransportSettings(BrokerSettings):
    """What a worker is set up with besides."""

    worker_concurrency: Positive = Field(10, description="Jobs that are worked on at once")


class ServiceRunner:
    """A worker and the queue that it works on, connected to again and again while that fails."""

    log_processors: tuple[Processor, ...] = ()
    drain_seconds = 0.0  # it takes no more jobs at once; nobody has to look away first

    def __init__(
        self, settings: TransportSettings, health: Health, registry: CollectorRegistry, identity: Mapping[str, str]
    ) -> None:
        self.app, self.stopped = Worker(health.metrics.errors, registry), False
        self.settings, self.service = settings, identity["service"]
        self.queue = self.connection()
        self.depth = Gauge("worker_queue_depth", "Jobs that wait", registry=registry)
        self.age = Gauge("worker_queue_age_seconds", "How long the oldest of them has waited", registry=registry)
        self.dead = Gauge("worker_dead_letters", "Jobs that were given up", registry=registry)
        health.add(Check("broker", self.look))

    def connection(self) -> Queue:
        return Queue(self.settings, self.service, self.settings.worker_concurrency)

    async def look(self) -> None:
        for gauge, value in zip((self.depth, self.age, self.dead), await self.queue.backlog(), strict=True):
            gauge.set(value)

    async def run(self, started: asyncio.Event) -> None:
        started.set()
        while not self.stopped:
            self.queue = self.connection()
            self.queue.serve(self.app)
            try:
                await self.queue.run_async()
            except Exception as error:  # noqa: BLE001 - it may be away, come back, and have forgotten everything
                log.warning("the broker cannot be used; trying again", error=type(error).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.queue.stopping.wait(), PAUSE)

    async def stop(self, seconds: float) -> None:
        self.stopped, self.queue.grace = True, seconds
        self.queue.stopping.set()
