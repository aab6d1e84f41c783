"""The rate limit of chats lets through what it says over any time, and tells each sender once a period."""

import random
from types import SimpleNamespace

import pytest

from order_bot.chassis.rate_limit_chats import Allowances


@pytest.mark.parametrize("seed", range(10))
def test_no_window_lets_more_than_twice_the_amount_through_and_nothing_is_lost(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, clock = random.Random(seed), SimpleNamespace(now=0.0)
    monkeypatch.setattr(f"{Allowances.__module__}.time", SimpleNamespace(monotonic=lambda: clock.now))
    amount = chance.choice([1, 5, 30])
    allowances = Allowances(f"{amount}/minute")
    granted: list[float] = []
    told: list[float] = []
    for _ in range(3000):
        clock.now += chance.expovariate(20 * amount / 60)
        wait, tell = allowances.take(1)
        if not wait:
            granted.append(clock.now)
        elif tell:
            told.append(clock.now)
    for start in granted:
        assert sum(start <= at < start + 60 for at in granted) <= 2 * amount
    assert len(granted) >= clock.now / 60 * amount * 0.9
    assert all(later - earlier >= 60 for earlier, later in zip(told, told[1:], strict=False))


def test_after_the_wait_that_was_told_the_next_one_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(f"{Allowances.__module__}.time", SimpleNamespace(monotonic=lambda: clock.now))
    allowances = Allowances("3/hour")
    assert [allowances.take(1)[0] for _ in range(3)] == [0, 0, 0]
    wait, _ = allowances.take(1)
    clock.now += wait - 1
    assert allowances.take(1)[0] == pytest.approx(1)
    clock.now += 1
    assert allowances.take(1)[0] == 0
