"""Notes as jobs: parse, call."""

from uuid import UUID

import structlog
from pydantic import BaseModel

from ..chassis.jobs import Job, Jobs
from ..resources import Resources
from .service import NewNote

jobs = Jobs()
log = structlog.get_logger(__name__)


class NoteToDelete(BaseModel):
    """Which note has to go."""

    id: UUID


@jobs.job("notes.create", attempts=5, timeout=30)
async def create_note(new: NewNote, job: Job[Resources]) -> None:
    """Runs a second time when a worker died in the middle: a store that lasts makes ``job.key`` unique."""
    note = await job.resources.notes.create(new)
    log.info("note created", note=str(note.id))


@jobs.job("notes.delete", timeout=30)
async def delete_note(note: NoteToDelete, job: Job[Resources]) -> None:
    """Where there is no such note, no second attempt would find one: ``NoteNotFound`` is a dead letter at once."""
    await job.resources.notes.delete(note.id)


@jobs.job("notes.newest", schedule="0 * * * *")
async def tell_newest_note(_: None, job: Job[Resources]) -> None:
    """Once an hour, in UTC, however many workers there are."""
    newest, more = await job.resources.notes.page(None, 1)
    log.info("notes", newest=[note.title for note in newest], more=more)
