"""Decides what may happen to notes; knows nothing of transport or storage."""

from datetime import UTC, datetime
from typing import Annotated, Protocol
from uuid import UUID, uuid4

from pydantic import BaseModel, Field

from ..chassis.errors import Kind, ServiceError


class NewNote(BaseModel):
    """What somebody wants to note down."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=4096)] = ""


class Note(NewNote):
    """A note as it is kept."""

    id: UUID
    created_at: datetime


class NoteNotFound(ServiceError):
    """There is no note with that id."""

    code = "note_not_found"
    kind = Kind.NOT_FOUND


class NoteRefused(ServiceError):
    """The review did not accept the note."""

    code = "note_refused"
    kind = Kind.INVALID


class Review(Protocol):
    """Says whether a note may be kept."""

    async def accepts(self, new: NewNote) -> bool: ...


class NoteStore(Protocol):
    """Where notes are kept, in the order of their creation."""

    async def add(self, note: Note) -> None: ...
    async def get(self, note_id: UUID) -> Note | None: ...
    async def remove(self, note_id: UUID) -> bool: ...
    async def after(self, start: tuple[datetime, UUID] | None, limit: int) -> list[Note]: ...


class NoteService:
    """The operations on notes."""

    def __init__(self, store: NoteStore, review: Review | None = None) -> None:
        self.store = store
        self.review = review

    async def create(self, new: NewNote) -> Note:
        """Raises NoteRefused."""
        if self.review and not await self.review.accepts(new):
            raise NoteRefused("The note was not accepted.")
        note = Note(id=uuid4(), created_at=datetime.now(UTC), title=new.title, text=new.text)
        await self.store.add(note)
        return note

    async def get(self, note_id: UUID) -> Note:
        """Raises NoteNotFound."""
        note = await self.store.get(note_id)
        if note is None:
            raise NoteNotFound("There is no note with this id.")
        return note

    async def delete(self, note_id: UUID) -> None:
        """Raises NoteNotFound."""
        if not await self.store.remove(note_id):
            raise NoteNotFound("There is no note with this id.")

    async def page(self, after: tuple[datetime, UUID] | None, limit: int) -> tuple[list[Note], bool]:
        """The notes created after a position, and whether more follow."""
        notes = await self.store.after(after, limit + 1)
        return notes[:limit], len(notes) > limit
