"""The service's own resources."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from .chassis.http_client import HttpClient
from .chassis.wiring import Chassis
from .notes.service import NoteService
from .notes.store import MemoryNoteStore
from .settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Resources:
    """What jobs get to work with."""

    notes: NoteService
    http: HttpClient
    settings: Settings

    def record(self, **fields: object) -> None:
        """Write a line that outlives whatever happens to the process next."""
        line = " ".join(f"{name}={value}" for name, value in fields.items())
        with self.settings.record.open("a") as file:
            file.write(f"{line}\n")


@asynccontextmanager
async def open_resources(settings: Settings, chassis: Chassis) -> AsyncGenerator[Resources]:
    """Two parts whose end is logged."""
    if settings.opening == "hangs":
        await asyncio.Event().wait()
    yield Resources(NoteService(MemoryNoteStore()), chassis.http, settings)
    log.info("resources closed")
