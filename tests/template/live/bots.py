"""What the proofs of bots have in common: the fake Bot API that every bot ships, and ways to talk through it."""

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .runner import Project, Running, eventually, free_port

SHIPPED = Path(__file__).parents[3] / "template/tests/chassis/fake_bot_api.py"
SECRET = "secret-of-the-webhook-1c7f3a9d52e8"
ADMIN = 42


def shipped() -> Any:
    """Return the module as it is in a service."""
    spec = importlib.util.spec_from_file_location("fake_bot_api", SHIPPED)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["fake_bot_api"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FAKE = shipped()
TOKEN: str = FAKE.TOKEN
TOKEN_SECRET = TOKEN.partition(":")[2]  # what stands before it is the bot's id, which is public


@dataclass
class Bot:
    """A started bot and the Bot API that it talks to."""

    running: Running
    api: Any

    def told(self, text: str, user: int = 1, chat: int | None = None, answers: int = 1) -> list[str]:
        """Write to the bot and wait for its answers."""
        before = len(self.api.sent(chat or user))
        self.api.say(text, user, chat)
        eventually(lambda: len(self.api.sent(chat or user)) >= before + answers, f"an answer to {text!r}")
        return self.api.sent(chat or user)[before:]

    def outcomes(self, outcome: str) -> float:
        return self.running.metric("bot_updates_total", outcome=outcome)


@contextmanager
def started(project: Project, output: Path, api: Any, **settings: str) -> Iterator[Bot]:
    """Start the bot beside a fake Bot API."""
    given = {"TELEGRAM_API_URL": api.url, **settings}
    with project.started(output, ready=given.pop("READY", "yes") == "yes", **given) as running:
        yield Bot(running, api)


def webhook(path: str = "/updates") -> dict[str, str]:
    """Return the settings of a bot that Telegram sends its updates to."""
    port = str(free_port())
    url = f"http://127.0.0.1:{port}{path}"
    return {"BOT_MODE": "webhook", "BOT_WEBHOOK_URL": url, "BOT_WEBHOOK_SECRET": SECRET, "HTTP_PORT": port}


def seconds_until(condition: Callable[[], object], what: str, within: float) -> float:
    """Wait for something and return how long it took."""
    begun = time.monotonic()
    eventually(condition, what, within)
    return time.monotonic() - begun
