"""A bot behind a webhook takes updates from Telegram only, not more than it can bear, and stops without losing one."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .bots import FAKE, SECRET, Bot, started, webhook
from .fault_proxy import FaultProxy
from .runner import DEADLINE_SECONDS, Project, eventually

MOST_BYTES = 1_048_576
HEADER = "x-telegram-bot-api-secret-token"


@pytest.fixture
def api() -> Iterator[Any]:
    with FAKE.FakeBotApi() as api:
        yield api


@pytest.fixture(scope="module")
def bot(bot_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """One bot for the proofs that leave it as it was."""
    output = tmp_path_factory.mktemp("webhook") / "output"
    with FAKE.FakeBotApi() as api, started(bot_project, output, api, **webhook()) as bot:
        yield bot


def in_background(deliver: Callable[[], int]) -> tuple[threading.Thread, list[int]]:
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.append(deliver()))
    thread.start()
    return thread, got


def test_it_registers_itself_with_its_secret_and_bounds(bot: Bot) -> None:
    assert bot.api.webhook["url"].endswith("/updates")
    assert bot.api.webhook["secret_token"] == SECRET
    assert bot.api.webhook["max_connections"] == "50"
    assert "message" in bot.api.webhook["allowed_updates"]


def test_an_update_is_handled_and_answered_with_200(bot: Bot) -> None:
    assert bot.api.deliver(bot.api.message("/repeat hello", 1)) == 200
    assert bot.api.sent(1) == ["hello"]
    assert bot.running.probe("ready") == 200


@pytest.mark.parametrize("secret", ["", "guessed", SECRET[:-1], SECRET + "x", SECRET.upper(), "ü"])
def test_what_is_not_from_telegram_is_refused_and_not_handled(bot: Bot, secret: str) -> None:
    before = bot.running.metric("bot_updates_total")
    headers = {HEADER: secret.encode("latin-1")} if secret else {}
    answer = bot.running.api.post("/updates", headers=headers, json=bot.api.message("/repeat forged", 2))
    assert answer.status_code == 403
    assert SECRET not in answer.text
    assert bot.running.metric("bot_updates_total") == before
    assert not bot.api.sent(2)


def test_nothing_else_is_served_and_no_body_is_too_large(bot: Bot) -> None:
    headers = {HEADER: SECRET}
    assert bot.running.api.post("/", headers=headers).status_code == 404
    assert bot.running.api.get("/updates", headers=headers).status_code == 405
    too_large = b" " * (MOST_BYTES + 1)
    assert bot.running.api.post("/updates", headers=headers, content=too_large).status_code == 413
    assert bot.running.api.post("/updates", headers=headers, content=iter([too_large])).status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"update_id": 1, "message": 2}', b"\xff"])
def test_a_malformed_update_is_taken_so_that_it_does_not_come_again(bot: Bot, body: bytes) -> None:
    before = bot.outcomes("malformed")
    assert bot.running.api.post("/updates", headers={HEADER: SECRET}, content=body).status_code == 200
    eventually(lambda: bot.outcomes("malformed") == before + 1)


def test_a_slow_handler_is_not_waited_for_without_end(bot: Bot) -> None:
    begun = time.monotonic()
    assert bot.api.deliver(bot.api.message("/slow 5 it", 3)) == 200
    assert time.monotonic() - begun < 5
    assert bot.api.sent(3) == ["begun it"]
    eventually(lambda: bot.api.sent(3) == ["begun it", "done it"])


def test_what_is_too_much_is_sent_back_to_telegram(bot_project: Project, api: Any, tmp_path: Path) -> None:
    settings = webhook() | {"BOT_MAX_IN_FLIGHT": "2"}
    with started(bot_project, tmp_path / "output", api, **settings) as bot, ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(api.deliver, api.message(f"/slow 3 {user}", user)) for user in (1, 2)]
        eventually(lambda: bot.running.metric("bot_updates_in_flight") == 2)
        headers, update = {HEADER: SECRET}, api.message("/repeat third", 3)
        refused = bot.running.api.post("/updates", headers=headers, json=update)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert bot.running.probe("live") == 200
        eventually(lambda: api.deliver(update) == 200, "Telegram sends it again until it is taken")
        assert [one.result() for one in slow] == [200, 200]
        assert api.sent(3) == ["third"]
        assert bot.running.metric("bot_updates_total") == 3


def test_a_handler_that_runs_when_the_signal_comes_ends_and_the_webhook_stays(
    bot_project: Project, api: Any, tmp_path: Path
) -> None:
    with started(bot_project, tmp_path / "output", api, **webhook()) as bot:
        update, slower = api.message("/slow 1 it", 1), api.message("/slow 4 more", 2)
        answered, got = in_background(lambda: api.deliver(update))
        assert api.deliver(slower) == 200  # before its handler ends
        bot.running.process.send_signal(signal.SIGTERM)
        assert bot.running.process.wait(DEADLINE_SECONDS) == 0
        answered.join()
        assert got == [200]
        assert api.sent(1) == ["begun it", "done it"]
        assert api.sent(2) == ["begun more", "done more"]
        assert api.webhook["url"]
        assert "deleteWebhook" not in {call.method for call in api.calls}


def test_while_it_drains_it_goes_on_taking_updates(bot_project: Project, api: Any, tmp_path: Path) -> None:
    with started(bot_project, tmp_path / "output", api, **webhook(), SHUTDOWN_DRAIN_SECONDS="3") as bot:
        bot.running.process.send_signal(signal.SIGTERM)
        eventually(lambda: bot.running.ops.get("/health/ready").json()["status"] == "draining")
        begun, taken = time.monotonic(), [0.0]
        while bot.running.process.poll() is None:
            if api.deliver(api.message("/repeat late", 1)) == 200:
                taken.append(time.monotonic())
        assert bot.running.process.returncode == 0
        assert taken[-1] - begun > 2
        assert api.sent() == ["late"] * (len(taken) - 1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", bot.running.port))


def test_an_api_that_is_not_there_at_start_is_registered_with_later(
    bot_project: Project, api: Any, tmp_path: Path
) -> None:
    with FaultProxy(api.port) as proxy:
        proxy.down()
        settings = webhook() | {"READY": "no", "TELEGRAM_API_URL": f"http://127.0.0.1:{proxy.port}"}
        with started(bot_project, tmp_path / "output", api, **settings) as bot:
            bot.running.wait_until("startup", 200)
            assert bot.running.probe("ready") == 503
            assert not api.webhook
            proxy.passing()
            bot.running.wait_until("ready", 200)
            assert api.deliver(api.message("/repeat now", 1)) == 200
            proxy.blackhole()
            bot.running.wait_until("ready", 503)
            proxy.passing()
            bot.running.wait_until("ready", 200)


def test_the_secret_is_nowhere(bot: Bot, bot_project: Project) -> None:
    shown = bot_project.run("--check-config", **webhook(), ENVIRONMENT="production", PAY_TOKEN="t" * 32)
    assert shown.returncode == 0, shown.stderr  # the defaults go with each other, draining included
    assert "BOT_WEBHOOK_SECRET=**********" in shown.stdout.splitlines()
    seen = shown.stdout + shown.stderr + bot.running.output.read_text()
    assert SECRET not in seen + bot.running.ops.get("/metrics").text
