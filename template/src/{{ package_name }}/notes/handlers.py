"""Notes in a chat: parse, call, answer."""

from uuid import UUID

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import Message
from pydantic import ValidationError

from ..chassis.bot_edge import AdminOnly
from ..chassis.errors import Kind, ServiceError
from .service import NewNote, NoteService

HELP = "/note keeps a note: I ask for its title, then for its text.\n/cancel leaves that.\n/help shows this."


class NoteInvalid(ServiceError):
    """What was sent cannot be part of a note."""

    code = "note_invalid"
    kind = Kind.INVALID


class Asked(StatesGroup):
    """What the bot waits for."""

    title = State()
    text = State()


def router() -> Router:
    """Which message goes to which handler; the first that fits."""
    router = Router(name="notes")
    router.message.register(start, CommandStart())
    router.message.register(show_help, Command("help"))
    router.message.register(cancel, Command("cancel"))
    router.message.register(begin_note, Command("note"))
    router.message.register(forget_note, Command("forget"), AdminOnly())
    router.message.register(take_title, Asked.title, F.text)
    router.message.register(take_text, Asked.text, F.text)
    return router


async def start(message: Message, state: FSMContext) -> None:
    await state.clear()
    await message.answer(f"Hello! I keep notes.\n{HELP}")


async def show_help(message: Message) -> None:
    await message.answer(HELP)


async def cancel(message: Message, state: FSMContext) -> None:
    await state.clear()
    await message.answer("Never mind.")


async def begin_note(message: Message, state: FSMContext) -> None:
    await state.set_state(Asked.title)
    await message.answer("What is its title?")


async def take_title(message: Message, state: FSMContext) -> None:
    title = parsed(title=message.text or "").title
    await state.update_data(title=title)
    await state.set_state(Asked.text)
    await message.answer("And its text?")


async def take_text(message: Message, state: FSMContext, notes: NoteService) -> None:
    note = await notes.create(parsed(title=await state.get_value("title", ""), text=message.text or ""))
    await state.clear()
    await message.answer(f"Noted: {note.title} ({note.id})")


async def forget_note(message: Message, command: CommandObject, notes: NoteService) -> None:
    """For administrators: ``/forget`` and the id of a note."""
    try:
        note_id = UUID(command.args or "")
    except ValueError:
        raise NoteInvalid("After /forget comes the id of a note.") from None
    await notes.delete(note_id)
    await message.answer("Forgotten.")


def parsed(**fields: str) -> NewNote:
    try:
        return NewNote(**fields)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise NoteInvalid(f"The {wrong['loc'][0]} cannot be kept: {wrong['msg'].lower()}. Send another one.") from None
