"""What the edge, the session and the conversations keep in mind is bounded, and in order."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram import Dispatcher
from aiogram.exceptions import TelegramRetryAfter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import StorageKey
from aiogram.methods import GetMe, SendMessage
from aiogram.types import Message
from fake_bot_api import TOKEN, FakeBotApi, refusal

from order_bot.chassis import conversations
from order_bot.chassis.bot_api import BotApiUnavailable, ChatFlooded
from order_bot.chassis.bot_edge import MOST_STATES
from order_bot.chassis.serve_bot import ServiceRunner
from order_bot.chassis.tasks import DEADLINE
from order_bot.chassis.wiring import Chassis
from order_bot.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def api() -> Any:
    with FakeBotApi() as api:
        yield api


async def nothing(*_: Any) -> None:
    """What is opened."""


class Open:
    """No resources at all."""

    async def __aenter__(self) -> None:
        """Nothing."""

    async def __aexit__(self, *_: object) -> None:
        """Nothing."""


def configure(app: Dispatcher, _: None) -> None:
    app.message.register(handle)


order: list[str] = []


async def handle(message: Message, state: FSMContext) -> None:
    text = message.text or ""
    if text == "state":
        await state.set_state(f"State:{message.from_user.id}")
        return
    await asyncio.sleep(0.02 if text.startswith("slow") else 0)
    order.append(text)


@pytest.fixture
async def runner(api: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServiceRunner]:
    order.clear()
    for name, value in {"BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": api.url, "CALL_TIMEOUT_SECONDS": "2"}.items():
        monkeypatch.setenv(name, value)
    for name in ("RATE_LIMIT_USER", "RATE_LIMIT_CHAT"):
        monkeypatch.setenv(name, "1000000/second")
    async with Chassis(Settings(), lambda *_: Open(), configure).open() as runner, runner.bot.session:
        yield runner


async def test_one_conversation_is_in_order_and_all_turns_are_forgotten(runner: ServiceRunner, api: Any) -> None:
    texts = [f"{'slow' if number % 3 == 0 else 'quick'} {number}" for number in range(20)]
    async with asyncio.TaskGroup() as handlers:
        for text in texts:
            assert runner.edge.take(api.message(text, 1), handlers)
    assert order == texts
    gc.collect()
    assert not runner.edge.turns
    assert not runner.edge.in_flight


async def test_states_made_up_at_run_time_do_not_become_series(runner: ServiceRunner, api: Any) -> None:
    for user in range(3 * MOST_STATES):
        await runner.edge.handle(api.message("state", user + 1))
    states = {sample.labels["to_state"] for metric in runner.edge.steps.collect() for sample in metric.samples}
    assert len(states) <= MOST_STATES + 1
    assert "other" in states


async def test_an_update_of_a_new_kind_warns_nobody_with_its_content(runner: ServiceRunner) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await runner.edge.handle({"update_id": 1, "of_a_new_kind": {"text": "private"}})
    assert not [str(warning.message) for warning in warned]


async def test_people_without_a_conversation_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MOST_CONVERSATIONS", 10)
    storage = conversations.MemoryConversations()
    keys = [StorageKey(bot_id=1, chat_id=number, user_id=number) for number in range(100)]
    for key in keys:
        assert await storage.get_state(key) is None
    assert not storage.storage
    for key in keys[:5]:
        state = FSMContext(storage, key)
        await state.set_state("A:b")
        await state.update_data(title="x")
        await state.clear()
    assert not storage.storage
    for key in keys:
        await storage.set_state(key, "A:b")
        await storage.get_state(key)
    assert len(storage.storage) <= 11
    assert await storage.get_state(keys[-1]) == "A:b"


async def test_only_the_flooded_chat_waits_and_what_has_passed_is_forgotten(runner: ServiceRunner, api: Any) -> None:
    session, loop = runner.bot.session, asyncio.get_running_loop()
    floods = {"1", "2"}

    def flood(_: str, given: dict[str, str]) -> Any:
        if given.get("chat_id") in floods:
            floods.discard(given["chat_id"])
            return refusal(429, "Too Many Requests", retry_after=1)
        return None

    api.script = flood
    begun = loop.time()
    await runner.bot(SendMessage(chat_id=1, text="x"))
    assert loop.time() - begun >= 1
    begun = loop.time()
    await asyncio.gather(*(runner.bot(SendMessage(chat_id=chat, text="x")) for chat in (2, 2)))
    await runner.bot(GetMe())
    assert loop.time() - begun >= 1
    assert set(session.quiet_until) == {2}


async def test_a_call_that_cannot_be_in_time_is_not_made(runner: ServiceRunner, api: Any) -> None:
    session, now = runner.bot.session, asyncio.get_running_loop().time
    session.quiet_until[1] = now() + 60
    DEADLINE.set(now() + 1)
    with pytest.raises(ChatFlooded):
        await runner.bot(SendMessage(chat_id=1, text="x"))
    assert not api.calls


@pytest.mark.parametrize(
    "answer",
    [refusal(500, "Internal"), refusal(502, "Bad Gateway"), (200, {"ok": "maybe"}), (200, {"ok": True, "result": []})],
)
async def test_an_answer_that_is_none_is_an_outage_and_shows_nothing(
    runner: ServiceRunner, api: Any, answer: Any
) -> None:
    api.outage = answer
    with pytest.raises(BotApiUnavailable) as outage:
        await runner.bot(GetMe())
    assert outage.value.__cause__ is None
    assert outage.value.__context__ is None
    assert "getMe" in outage.value.__notes__[0]


async def test_what_telegram_says_of_a_call_is_left_to_the_handler(runner: ServiceRunner, api: Any) -> None:
    api.outage = refusal(400, "Bad Request: message text is empty")
    with pytest.raises(Exception, match="message text is empty") as said:
        await runner.bot(SendMessage(chat_id=1, text="x"))
    assert not isinstance(said.value, BotApiUnavailable | TelegramRetryAfter)
