"""Commands that are slow, fail or write much."""

import asyncio
import logging

import structlog
from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.methods import SendMessage
from aiogram.types import CallbackQuery, Message

from ..chassis.errors import Kind, ServiceError
from ..chassis.http_client import HttpClient
from ..settings import Settings

log = structlog.get_logger(__name__)


class WarehouseClosed(ServiceError):
    """An expected error of our own."""

    code = "warehouse_closed"
    kind = Kind.CONFLICT


def router() -> Router:
    router = Router(name="trials")
    for handler in (slow, bug, leave, cancelled, closed, repeat, returned, partner, noise):
        router.message.register(handler, Command(handler.__name__))
    router.callback_query.register(pressed)
    return router


async def slow(message: Message, command: CommandObject) -> None:
    """Say that it has begun, wait, say that it is done."""
    seconds, name = (command.args or "0 x").split()
    await message.answer(f"begun {name}")
    await asyncio.sleep(float(seconds))
    await message.answer(f"done {name}")


async def bug(message: Message, settings: Settings) -> None:
    log.info("about to fail", pay_token=settings.pay_token, text_length=len(message.text or ""))
    raise LookupError("an-internal-name")


async def leave(message: Message) -> None:
    raise SystemExit(3)


async def cancelled(message: Message) -> None:
    inner = asyncio.get_running_loop().create_future()
    inner.cancel()
    await inner


async def closed(message: Message) -> None:
    raise WarehouseClosed("The warehouse is closed.")


async def repeat(message: Message, command: CommandObject) -> None:
    await message.answer(command.args or "nothing")


async def returned(message: Message) -> SendMessage:
    return message.answer("returned")


async def partner(message: Message, http: HttpClient, settings: Settings) -> None:
    answer = await http.get(str(settings.partner_url))
    await message.answer(f"the partner says {answer.status_code}")


async def noise(message: Message) -> None:
    logging.getLogger("library").warning("from a library")
    logging.getLogger("library").warning("%d", "no number")
    await message.answer("heard")


async def pressed(query: CallbackQuery) -> None:
    await query.answer("pressed")
