"""What goes wrong in a bot arrives at Sentry, once and without what must not leave."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .bots import FAKE, TOKEN_SECRET, started
from .conftest import CANARY
from .runner import Project, eventually
from .sentry_stand_in import SentryStandIn, sentry_stand_in


@pytest.fixture
def api() -> Iterator[Any]:
    with FAKE.FakeBotApi() as api:
        yield api


@pytest.fixture
def sentry() -> Iterator[SentryStandIn]:
    with sentry_stand_in() as server:
        yield server


def test_a_bug_arrives_once_with_what_finds_it_and_nothing_private(
    bot_project: Project, api: Any, sentry: SentryStandIn, tmp_path: Path
) -> None:
    settings = {"SENTRY_DSN": sentry.dsn, "SENTRY_TRACES_SAMPLE_RATE": "0"}
    with started(bot_project, tmp_path / "output", api, **settings) as bot:
        reference = bot.told("/bug private-words", 7)[0].rpartition(" ")[2]
        bot.told("/closed", 7)
        eventually(lambda: sentry.items("event", request_id=reference))
        assert bot.running.stop() == 0
    [event] = sentry.items("event")
    assert event["user"] == {"id": "7"}
    assert event["tags"]["route"] == event["transaction"] == "bug"
    assert event["exception"]["values"][-1]["type"] == "LookupError"
    for envelope in sentry.envelopes:
        assert not any(secret in envelope for secret in (TOKEN_SECRET, CANARY, "private-words"))


def test_an_outage_of_telegram_is_an_event_without_the_token(
    bot_project: Project, api: Any, sentry: SentryStandIn, tmp_path: Path
) -> None:
    with started(bot_project, tmp_path / "output", api, SENTRY_DSN=sentry.dsn) as bot:
        broken = FAKE.refusal(500, "Internal Server Error")
        api.script = lambda method, _: broken if method == "sendMessage" else None
        api.say("/repeat it")
        bot.running.logged(message="the sender could not be told")
        assert bot.running.stop() == 0
    [event] = sentry.items("event")
    assert event["exception"]["values"][-1]["type"] == "BotApiUnavailable"
    assert not any(TOKEN_SECRET in envelope for envelope in sentry.envelopes)


def test_an_update_is_traced_by_its_handler(
    bot_project: Project, api: Any, sentry: SentryStandIn, tmp_path: Path
) -> None:
    settings = {"SENTRY_DSN": sentry.dsn, "SENTRY_TRACES_SAMPLE_RATE": "1"}
    with started(bot_project, tmp_path / "output", api, **settings) as bot:
        bot.told("/repeat private-words", 7)
        eventually(lambda: bot.outcomes("handled") == 1)
        assert bot.running.stop() == 0
        number = bot.running.lines(message="update")[0]["request_id"]
    [transaction] = sentry.items("transaction")
    assert (transaction["transaction"], transaction["user"]) == ("repeat", {"id": "7"})
    assert transaction["tags"]["request_id"] == number
    assert not any("private-words" in envelope for envelope in sentry.envelopes)
