"""Notes over HTTP: parse, call, answer."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from ..chassis.errors import Kind, ServiceError
from .service import NewNote, Note, NoteService

router = APIRouter(prefix="/notes", tags=["notes"])


class InvalidCursor(ServiceError):
    """The cursor is not one that a page of this API came with."""

    code = "invalid_cursor"
    kind = Kind.INVALID


class Notes(BaseModel):
    """One page; ``next_cursor`` is there when more follow."""

    items: list[Note]
    next_cursor: str | None = None


async def note_service(request: Request) -> NoteService:
    return request.app.state.resources.notes


Service = Annotated[NoteService, Depends(note_service)]


@router.post("", status_code=201)
async def create_note(new: NewNote, notes: Service, request: Request, response: Response) -> Note:
    note = await notes.create(new)
    response.headers["location"] = f"{request.url.path}/{note.id}"
    return note


@router.get("")
async def list_notes(
    notes: Service, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> Notes:
    items, more = await notes.page(decode(cursor) if cursor else None, limit)
    return Notes(items=items, next_cursor=encode(items[-1]) if more else None)


@router.get("/{note_id}")
async def get_note(note_id: UUID, notes: Service) -> Note:
    return await notes.get(note_id)


@router.delete("/{note_id}", status_code=204)
async def delete_note(note_id: UUID, notes: Service) -> None:
    await notes.delete(note_id)


def encode(note: Note) -> str:
    return urlsafe_b64encode(f"{note.created_at.isoformat()} {note.id}".encode()).decode()


def decode(cursor: str) -> tuple[datetime, UUID]:
    try:
        created_at, note_id = urlsafe_b64decode(cursor).decode().split(" ")
        return datetime.fromisoformat(created_at).astimezone(UTC), UUID(note_id)
    except (ValueError, OverflowError):
        raise InvalidCursor("The cursor is not valid; start again without one.") from None
