"""Where conversations stand: in memory, so that a restart forgets them. Another aiogram storage goes in its place."""

from collections.abc import Mapping
from typing import Any

from aiogram.fsm.storage.base import StorageKey
from aiogram.fsm.storage.memory import MemoryStorage

MOST_CONVERSATIONS = 100_000  # the oldest makes room


class MemoryConversations(MemoryStorage):
    """aiogram's, without its leak: it keeps a record of everybody who ever wrote."""

    async def get_state(self, key: StorageKey) -> str | None:
        if len(self.storage) > MOST_CONVERSATIONS:
            del self.storage[next(iter(self.storage))]
        return self.storage[key].state if key in self.storage else None

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        await super().set_data(key, data)
        if not data and not self.storage[key].state:
            del self.storage[key]  # the conversation was cleared
