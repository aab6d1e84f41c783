"""Whatever the order in which handlers end, and however often asking fails: each update once, none acknowledged early."""

import asyncio
import random
from typing import Any

import pytest
from aiogram.methods import DeleteWebhook

from order_bot.chassis.bot_api import BotApiUnavailable
from order_bot.chassis.polling import Polling

pytestmark = pytest.mark.anyio
COUNT = 60


class Telegram:
    """Keeps what is not acknowledged; fails, and loses answers, at random."""

    def __init__(self, chance: random.Random, failing: float) -> None:
        self.chance, self.failing = chance, failing
        self.pending = {number: {"update_id": number} for number in self.numbers()}
        self.acknowledged: set[int] = set()
        self.done: set[int] = set()

    def numbers(self) -> list[int]:
        start = self.chance.randrange(1, 10_000)
        return sorted(self.chance.sample(range(start, start + 5 * COUNT), COUNT))  # with gaps

    async def __call__(self, method: Any, request_timeout: int | None = None) -> Any:
        await asyncio.sleep(self.chance.random() * 0.002)
        if self.chance.random() < self.failing:
            raise BotApiUnavailable("lost on the way there")
        for number in [number for number in self.pending if number < method.offset]:
            assert number in self.done, "it was acknowledged before it was done"
            self.acknowledged.add(number)
            del self.pending[number]
        if self.chance.random() < self.failing:
            raise BotApiUnavailable("lost on the way back")
        return [self.pending[number] for number in sorted(self.pending)[:100]]

    async def delete_webhook(self) -> bool:
        return DeleteWebhook.__returning__(True)


class Edge:
    """Handles updates for a random time; remembers how often each came and how many there were at once."""

    def __init__(self, telegram: Telegram, most: int) -> None:
        self.telegram, self.most = telegram, most
        self.handled: list[int] = []
        self.now = self.peak = 0
        self.app = self

    def resolve_used_update_types(self) -> list[str]:
        return ["message"]

    def take(self, raw: dict[str, int], handlers: asyncio.TaskGroup) -> asyncio.Task[None] | None:
        if self.now >= self.most:
            return None
        self.now += 1
        self.peak = max(self.peak, self.now)
        return handlers.create_task(self.handle(raw["update_id"]))

    async def handle(self, number: int) -> None:
        self.handled.append(number)
        await asyncio.sleep(self.telegram.chance.random() * 0.02)
        self.telegram.done.add(number)
        self.now -= 1


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"TICK": 0.002, "PAUSE": 0.001}.items():
        monkeypatch.setattr(f"{Polling.__module__}.{name}", seconds)


@pytest.mark.parametrize("seed", range(20))
async def test_each_update_is_handled_once_and_acknowledged_when_it_is_done(seed: int) -> None:
    chance = random.Random(seed)
    telegram = Telegram(chance, failing=chance.choice([0, 0.1, 0.4]))
    given = set(telegram.pending)
    edge = Edge(telegram, most=chance.choice([1, 3, 50]))
    polling = Polling(edge, telegram)
    running = asyncio.get_running_loop().create_task(polling.run())
    async with asyncio.timeout(20):
        while telegram.pending:
            await asyncio.sleep(0.005)
    polling.stop(1)
    await running
    assert sorted(edge.handled) == sorted(given)
    assert telegram.acknowledged == given
    assert edge.peak <= edge.most


@pytest.mark.parametrize("seed", range(20))
async def test_a_stop_at_any_moment_leaves_what_was_not_begun_and_nothing_else(seed: int) -> None:
    chance = random.Random(seed)
    telegram = Telegram(chance, failing=0)
    edge = Edge(telegram, most=7)
    polling = Polling(edge, telegram)
    running = asyncio.get_running_loop().create_task(polling.run())
    await asyncio.sleep(chance.random() * 0.1)
    polling.stop(1)
    async with asyncio.timeout(5):
        await running
    assert telegram.acknowledged == set(edge.handled)
    assert not set(telegram.pending) & set(edge.handled)


async def test_ids_that_start_anew_are_not_missed() -> None:
    telegram = Telegram(random.Random(1), failing=0)
    edge = Edge(telegram, most=50)
    polling = Polling(edge, telegram)
    running = asyncio.get_running_loop().create_task(polling.run())
    async with asyncio.timeout(5):
        while telegram.pending:
            await asyncio.sleep(0.005)
        telegram.done.clear()
        telegram.pending[1] = {"update_id": 1}  # after a week of silence Telegram may begin again anywhere
        while 1 not in edge.handled or telegram.pending:
            await asyncio.sleep(0.005)
    polling.stop(1)
    await running
    assert 1 in telegram.acknowledged
