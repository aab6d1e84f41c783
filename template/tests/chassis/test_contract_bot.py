"""What every bot must show from outside: the real process behind a fake Bot API. The template's."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_bot_api import TOKEN, FakeBotApi, refusal
from started_service import DEADLINE, PACKAGE, Running, eventually, free_port, run, service

SECRET = "a-secret-of-the-webhook-0123456789"


@pytest.fixture
def api() -> Iterator[FakeBotApi]:
    """One of the test's own, for a service of its own."""
    with FakeBotApi() as api:
        yield api


def test_every_update_is_counted_and_logged_with_an_id(running: Running, bot_api: FakeBotApi) -> None:
    number = bot_api.say("anything", user=77)
    eventually(lambda: any(line.get("update_id") == number for line in running.lines()))
    [line] = [line for line in running.lines() if line.get("update_id") == number]
    assert (line["message"], line["user"], len(line["request_id"])) == ("update", 77, 32)
    assert running.metric("bot_updates_total", 'update_type="message"') >= 1


def test_a_malformed_update_is_skipped(running: Running, bot_api: FakeBotApi) -> None:
    before = running.metric("bot_updates_total", "malformed")
    bot_api.give({"update_id": 1_000_000, "message": {"text": "canary"}}, {"update_id": 1_000_001, "unknown": {}})
    eventually(lambda: running.metric("bot_updates_total", "malformed") == before + 2)
    eventually(lambda: not bot_api.updates)
    assert "canary" not in running.log.read_text()


def test_sigterm_acknowledges_what_was_taken_and_exits_0(
    api: FakeBotApi, needed: dict[str, str], tmp_path: Path
) -> None:
    with service(tmp_path, **needed | {"TELEGRAM_API_URL": api.url}) as running:
        api.say("anything")
        eventually(lambda: running.metric("bot_updates_total") == 1)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(DEADLINE) == 0
        assert not api.updates


def test_the_webhook_takes_updates_with_the_secret_only(
    api: FakeBotApi, needed: dict[str, str], tmp_path: Path
) -> None:
    webhook = {"BOT_MODE": "webhook", "BOT_WEBHOOK_SECRET": SECRET, "TELEGRAM_API_URL": api.url}
    webhook |= {"HTTP_PORT": (port := str(free_port())), "BOT_WEBHOOK_URL": f"http://127.0.0.1:{port}/updates"}
    with service(tmp_path, **needed | webhook) as running:
        assert api.deliver(api.message("anything"), secret="guessed") == 403
        assert api.deliver(api.message("anything")) == 200
        assert running.metric("bot_updates_total") == 1
        assert running.api.post("/elsewhere").status_code == 404
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(DEADLINE) == 0
    assert api.webhook["url"]  # others may still listen there


def test_an_api_that_fails_makes_the_bot_unready_and_the_token_is_nowhere(
    api: FakeBotApi, needed: dict[str, str], tmp_path: Path
) -> None:
    with service(tmp_path, **needed | {"TELEGRAM_API_URL": api.url}) as running:
        api.token = "4711:another"
        eventually(lambda: not running.ready())
        api.token, api.outage = TOKEN, refusal(500, "Internal Server Error")
        eventually(lambda: "BotApiUnavailable" in running.ops.get("/health").text)
        api.outage = None
        eventually(running.ready)
        for text in (running.log.read_text(), running.ops.get("/metrics").text, running.ops.get("/health").text):
            assert TOKEN.partition(":")[2] not in text


def test_what_is_no_token_is_refused_without_being_shown(needed: dict[str, str]) -> None:
    wrong = run("-m", PACKAGE, **needed | {"BOT_TOKEN": "canary"})
    assert wrong.returncode == 78
    assert "BOT_TOKEN" in wrong.stderr
    assert "canary" not in wrong.stderr
