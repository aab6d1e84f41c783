"""Polling: asks for updates and acknowledges what is done. At most one process may do it for a bot."""

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError

from .bot_api import RawUpdates
from .bot_edge import Edge
from .errors import ServiceError

POLL_SECONDS = 25  # how long Telegram may wait for something to tell
ANSWER_SECONDS = 2  # until an answer must be there, beyond that
TICK, PAUSE = 0.25, 0.5  # seconds until it is asked again: while updates are in flight, and after a failure
FAILURES = ServiceError, TelegramAPIError, TimeoutError
log = structlog.get_logger(__name__)


class Polling:
    """Telegram repeats what is not acknowledged, and an offset acknowledges all below it. So it stays at the lowest
    update that is not done; those above it come again, are known and passed over.
    """

    def __init__(self, edge: Edge, bot: Bot) -> None:
        self.edge, self.bot = edge, bot
        self.kinds: list[str] | None = None  # of updates that have handlers; None until the first can come
        self.taken: set[int] = set()  # ids of updates, not acknowledged
        self.in_flight: dict[int, asyncio.Task[None]] = {}
        self.failure: Exception | None = None  # of the last attempt to ask
        self.stopping, self.asking = asyncio.Event(), asyncio.timeout(None)

    async def run(self) -> None:
        """Take updates until told to stop, finish them and acknowledge the last ones."""
        async with asyncio.TaskGroup() as handlers:
            while not self.stopping.is_set():
                try:
                    found, self.failure = await self.ask(), None
                except FAILURES as error:
                    self.failure = error
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self.stopping.wait(), PAUSE)
                    continue
                fresh = [raw for raw in found if self.take(raw, handlers)]
                if self.in_flight:
                    await asyncio.wait(self.in_flight.values(), timeout=TICK)
                elif found and not fresh:
                    await asyncio.sleep(TICK)
        for _ in range(3):
            with suppress(*FAILURES):
                if self.taken:
                    await self.ask()
        if self.taken:
            log.error("what was done last could not be acknowledged and will come again", update_ids=[*self.taken])

    async def ask(self) -> list[Any]:
        """The updates from the lowest on that is not done; those below are acknowledged by that."""
        if self.kinds is None:
            await self.bot.delete_webhook()  # with one, Telegram answers no poll; what is pending stays
            self.kinds = self.edge.app.resolve_used_update_types()
        offset = min(self.in_flight, default=max(self.taken, default=-1) + 1)
        seconds = 0 if self.in_flight or self.failure or self.stopping.is_set() else POLL_SECONDS
        question = RawUpdates(offset=offset, timeout=seconds, allowed_updates=self.kinds)
        async with asyncio.timeout(None) as self.asking:
            found = await self.bot(question, request_timeout=seconds + ANSWER_SECONDS)
        self.taken = {number for number in self.taken if number >= offset}  # none: ask without, as ids may start anew
        return found

    def take(self, raw: Any, handlers: asyncio.TaskGroup) -> bool:
        number = raw.get("update_id") if isinstance(raw, dict) else None
        if not isinstance(number, int) or number in self.taken or not (task := self.edge.take(raw, handlers)):
            return False
        self.taken.add(number)
        self.in_flight[number] = task
        task.add_done_callback(lambda _: self.in_flight.pop(number))
        return True

    async def probe(self) -> None:
        """Raises what keeps updates from coming."""
        try:
            await self.bot.get_me(request_timeout=ANSWER_SECONDS)
        except BaseException:
            self.hang_up()  # its answer may be lost as well
            raise
        if self.failure:
            raise self.failure

    def hang_up(self) -> None:
        with suppress(RuntimeError, AssertionError):  # nothing is asked
            self.asking.reschedule(asyncio.get_running_loop().time())

    def stop(self, _: float) -> None:
        self.stopping.set()
        self.hang_up()
