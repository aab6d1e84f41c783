"""The service's own resources."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import httpx2
import structlog
from prometheus_client import Counter

from .chassis.health import Check
from .chassis.http_client import HttpClient
from .chassis.tasks import TaskSupervisor
from .chassis.wiring import Chassis
from .notes.review import HttpReview
from .notes.service import NoteService
from .notes.store import MemoryNoteStore
from .settings import Settings

log = structlog.get_logger(__name__)
openings = itertools.count()


@dataclass(frozen=True)
class Resources:
    """What handlers get to work with."""

    notes: NoteService
    http: HttpClient
    tasks: TaskSupervisor
    trials: Counter
    settings: Settings


async def ask(client: httpx2.AsyncClient, port: int) -> None:
    """Ask a neighbour how it is, on the connection that is open already if there is one."""
    answer = await client.get(f"http://127.0.0.1:{port}/health/live")
    answer.raise_for_status()


async def odd(how: str) -> None:
    """Fail as some clients do: with the cancellation of something inside, or by not letting themselves be cancelled."""
    if how == "cancelled":
        raise asyncio.CancelledError
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


@asynccontextmanager
async def part(name: str, closing: str = "") -> AsyncGenerator[None]:
    try:
        yield
    finally:
        log.info("closing", part=name)
        if closing == "hangs":
            await asyncio.Event().wait()
    if closing == "raises":
        raise RuntimeError(name)


@asynccontextmanager
async def open_resources(settings: Settings, chassis: Chassis) -> AsyncGenerator[Resources]:
    """Two parts that close in reverse, dependencies that are watched, a metric of our own."""
    trials = Counter("trials_total", "Trials that were made", registry=chassis.registry)
    if settings.probing:
        chassis.health.add(Check("odd", partial(odd, settings.probing)))
    chassis.tasks.start("beside", asyncio.Event().wait())
    if settings.opening == "hangs":
        await asyncio.Event().wait()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx2.AsyncClient(timeout=None, trust_env=False))  # the check has one
        if settings.warehouse_port:
            chassis.health.add(Check("warehouse", partial(ask, client, settings.warehouse_port)))
        if settings.stock_port:
            chassis.health.add(Check("stock", partial(ask, client, settings.stock_port), critical=False))
        await stack.enter_async_context(part("first"))
        await stack.enter_async_context(part("second", settings.closing))
        if next(openings) < settings.reluctant_openings:
            raise ConnectionRefusedError("nobody there yet")
        review = HttpReview(chassis.http, str(settings.note_review_url)) if settings.note_review_url else None
        yield Resources(NoteService(MemoryNoteStore(), review), chassis.http, chassis.tasks, trials, settings)
