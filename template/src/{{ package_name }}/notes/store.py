"""Keeps notes in memory. A database goes behind the same four methods."""

from bisect import bisect_left, bisect_right, insort
from datetime import datetime
from uuid import UUID

from .service import Note

MOST_NOTES = 10_000  # the oldest makes room, so that an example cannot fill the memory


def position(note: Note) -> tuple[datetime, UUID]:
    return note.created_at, note.id


class MemoryNoteStore:
    """A NoteStore that forgets everything when the process ends."""

    def __init__(self) -> None:
        self.by_id: dict[UUID, Note] = {}
        self.in_order: list[Note] = []

    async def add(self, note: Note) -> None:
        if len(self.in_order) == MOST_NOTES:
            del self.by_id[self.in_order.pop(0).id]
        self.by_id[note.id] = note
        insort(self.in_order, note, key=position)

    async def get(self, note_id: UUID) -> Note | None:
        return self.by_id.get(note_id)

    async def remove(self, note_id: UUID) -> bool:
        note = self.by_id.pop(note_id, None)
        if note is None:
            return False
        del self.in_order[bisect_left(self.in_order, position(note), key=position)]
        return True

    async def after(self, start: tuple[datetime, UUID] | None, limit: int) -> list[Note]:
        first = bisect_right(self.in_order, start, key=position) if start else 0
        return self.in_order[first : first + limit]
