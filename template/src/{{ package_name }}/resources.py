"""The service's own resources: opened after the chassis's, closed before them, in reverse order."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .chassis.wiring import Chassis
from .notes.review import HttpReview
from .notes.service import NoteService
from .notes.store import MemoryNoteStore
from .settings import Settings


@dataclass(frozen=True)
class Resources:
    """What handlers get to work with."""

    notes: NoteService


@asynccontextmanager
async def open_resources(settings: Settings, chassis: Chassis) -> AsyncGenerator[Resources]:
    """Open clients here, add their readiness checks to ``chassis.health``, and close them after the ``yield``."""
    review = HttpReview(chassis.http, str(settings.note_review_url)) if settings.note_review_url else None
    yield Resources(notes=NoteService(MemoryNoteStore(), review))
