"""Bulkhead: one slow dependency must not take all the room that there is for work."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from .http_client import DependencyUnavailable


class BulkheadFull(DependencyUnavailable):
    """As many calls to this dependency are under way as are allowed, and none ended in time."""

    code = "bulkhead_full"


class Bulkhead:
    """One for each dependency: bounds how many calls run at once and how long, in seconds, others wait for them."""

    def __init__(self, most: int, wait: float) -> None:
        self.wait = wait
        self.in_use = 0
        self.slots = asyncio.Semaphore(most)

    @asynccontextmanager
    async def slot(self, until: float) -> AsyncGenerator[None]:
        """Raises BulkheadFull."""
        try:
            async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + self.wait)):
                await self.slots.acquire()
        except TimeoutError:
            raise BulkheadFull("Something that this service needs is too busy; try again later.") from None
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1
            self.slots.release()
