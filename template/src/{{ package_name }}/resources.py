"""The service's own resources: opened after the chassis's, closed before them, in reverse order."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .chassis.wiring import Chassis
from .notes.service import NoteService
from .notes.store import MemoryNoteStore
from .settings import Settings


@dataclass(frozen=True)
class Resources:
    """What handlers get to work with."""

    notes: NoteService


@asynccontextmanager
async def open_resources(settings: Settings, chassis: Chassis) -> AsyncGenerator[Resources]:  # noqa: ARG001 - for yours
    """Open clients here, add their readiness checks to ``chassis.health``, and close them after the ``yield``."""
    yield Resources(notes=NoteService(MemoryNoteStore()))
