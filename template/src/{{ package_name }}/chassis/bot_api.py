"""Calls to the Bot API: each ends in time, keeps to what Telegram allows a chat, and never shows the token."""

import asyncio
from typing import Any

import orjson
from aiogram import Bot
from aiogram import exceptions as telegram
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import GetUpdates, TelegramMethod
from aiogram.methods.base import TelegramType

from .errors import Kind, ServiceError
from .tasks import DEADLINE

FAILURES = TimeoutError, telegram.TelegramNetworkError, telegram.TelegramServerError, telegram.ClientDecodeError
FAILURES += (telegram.TelegramUnauthorizedError,)


class BotApiUnavailable(ServiceError):
    """The Bot API cannot be reached, does not answer in time, or answers with an error of its own."""

    code = "bot_api_unavailable"
    kind = Kind.UNAVAILABLE


class BotTokenRefused(BotApiUnavailable):
    """The Bot API does not know BOT_TOKEN."""


class ChatFlooded(ServiceError):
    """Telegram takes nothing more for this chat until later than the work in hand can wait."""

    code = "chat_flooded"
    kind = Kind.LIMITED


class RawUpdates(GetUpdates):
    """Updates as they come: aiogram's own method refuses all of an answer for one that is malformed."""

    __returning__ = list[Any]


class Session(AiohttpSession):
    """What the bot calls with. A chat that Telegram calls flooded is left alone as long as asked; others go on."""

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(api=TelegramAPIServer.from_base(url), json_loads=orjson.loads)
        self.seconds = seconds
        self.quiet_until: dict[object, float] = {}  # chat: in the loop's time

    async def make_request(self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None) -> Any:  # noqa: ASYNC109 - aiogram's way to say it
        """Raises BotApiUnavailable, ChatFlooded and, as TelegramAPIError, what Telegram says of the call."""
        now, chat = asyncio.get_running_loop().time, getattr(method, "chat_id", None)
        while True:
            if (until := self.quiet_until.get(chat, 0)) > DEADLINE.get():
                raise ChatFlooded("There were too many messages for this chat; try again later.")
            if until > now():
                await asyncio.sleep(until - now())
            try:
                async with asyncio.timeout_at(min(DEADLINE.get(), now() + (timeout or self.seconds))):
                    return await super().make_request(bot, method, timeout)
            except telegram.TelegramRetryAfter as flood:
                flooded = {other: until for other, until in self.quiet_until.items() if until > now()}
                self.quiet_until = flooded | {chat: now() + flood.retry_after}
            except FAILURES as error:
                kind = BotTokenRefused if isinstance(error, telegram.TelegramUnauthorizedError) else BotApiUnavailable
                failure = kind("Telegram cannot be reached at the moment.")
                failure.add_note(f"while calling {method.__api_method__}: {type(error.__cause__ or error).__name__}")
                break
        raise failure  # not from the error: its text may have the address, and the address has the token
