"""The service's own resources."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .chassis.http_client import HttpClient
from .chassis.wiring import Chassis
from .notes.review import HttpReview
from .notes.service import NoteService
from .notes.store import MemoryNoteStore
from .settings import Settings


@dataclass(frozen=True)
class Resources:
    """What handlers get to work with."""

    notes: NoteService
    http: HttpClient
    settings: Settings


@asynccontextmanager
async def open_resources(settings: Settings, chassis: Chassis) -> AsyncGenerator[Resources]:
    """Nothing of our own but the slice."""
    review = HttpReview(chassis.http, str(settings.note_review_url)) if settings.note_review_url else None
    yield Resources(NoteService(MemoryNoteStore(), review), chassis.http, settings)
