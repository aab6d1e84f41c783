"""How many updates a second of processor time a generated bot handles, beside the same handlers on bare aiogram.

Run by hand: `python tests/benchmarks/bot_updates_per_second.py [ROUNDS] [VARIANT…]`. Needs two cores: the bots are
bound to one, the fake Bot API that every bot ships runs in this process on the other. All poll, and answer each update
with one call; within a round every bot has its turn, so that a slower moment of the machine hits all. Processor time is
the bot's own, from /proc, so that a fake that is slower than the bot does not matter.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uv import find_uv_bin

sys.path.insert(0, str(Path(__file__).parents[2] / "template/tests/chassis"))
from fake_bot_api import TOKEN, FakeBotApi  # pyrefly: ignore[missing-import] - it stands in the template

BARE = '''"""The slice of the bot without the chassis."""

import asyncio
import os

import uvloop
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from measured.notes import handlers
from measured.notes.service import NoteService
from measured.notes.store import MemoryNoteStore


async def main() -> None:
    app = Dispatcher(admin_ids=(), notes=NoteService(MemoryNoteStore()))
    app.include_router(handlers.router())
    session = AiohttpSession(api=TelegramAPIServer.from_base(os.environ["TELEGRAM_API_URL"]))
    await app.start_polling(Bot(os.environ["BOT_TOKEN"], session), handle_signals=False, tasks_concurrency_limit=50)


uvloop.run(main())
'''
VARIANTS = {
    "bare": ("--preset", "minimal"),
    "minimal": ("--preset", "minimal"),
    "rate-limit": ("--preset", "minimal", "--feature", "rate-limit"),
    "standard": ("--preset", "standard"),
}
UPDATES, WARM_UP, USERS = 3000, 300, 50
TEXTS = ("/help", "/note", "milk", "two bottles")  # what each user sends, in turns
BOT_CORE, API_CORE = "0", "1"
DEADLINE_SECONDS = 300


@dataclass(frozen=True)
class Bot:
    """A variant that runs, with a Bot API of its own."""

    api: Any
    pid: int

    def handle(self, count: int) -> None:
        """Give it updates, and wait until each was answered and acknowledged."""
        answered = self.answers() + count
        texts = (TEXTS[number // USERS % len(TEXTS)] for number in range(count))
        self.api.give(*[self.api.message(text, number % USERS + 1) for number, text in enumerate(texts)])
        wait_for(lambda: self.answers() >= answered and not self.api.updates)

    def answers(self) -> int:
        return sum(call.method == "sendMessage" for call in list(self.api.calls))


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, "the bot did not answer"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def create(folder: Path, options: tuple[str, ...]) -> Path:
    """Create a bot from the last commit, with its environment; return its interpreter."""
    program = Path(sys.executable).with_name("new-service")
    named = ["--name", "measured", "--type", "bot", "--yes", "--no-git"]
    subprocess.run([program, "create", folder, *named, *options], check=True, stdout=sys.stderr)
    subprocess.run([find_uv_bin(), "sync", "--quiet", "--no-dev"], cwd=folder, check=True)
    (folder / "bare.py").write_text(BARE)
    return folder / ".venv/bin/python"


@contextmanager
def running(name: str, folder: Path) -> Iterator[Bot]:
    """Create and run a variant on the bots' core."""
    python = create(folder, VARIANTS[name])
    command = [python, "bare.py"] if name == "bare" else [python, "-m", "measured"]
    with FakeBotApi() as api, (folder / "log").open("wb") as output:
        settings = {"BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": api.url, "ENVIRONMENT": "production"}
        settings |= {"OPS_PORT": str(free_port())}
        if name in {"rate-limit", "standard"}:
            settings |= {"RATE_LIMIT_USER": "9999999/second", "RATE_LIMIT_CHAT": "9999999/second"}
        process = subprocess.Popen(
            ["taskset", "-c", BOT_CORE, *command],
            cwd=folder,
            env=os.environ | settings,
            stdout=output,
            stderr=output,
        )
        try:
            wait_for(lambda: api.polls > 0)
            yield Bot(api, process.pid)
        finally:
            process.kill()
            process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(bot: Bot) -> float:
    """Return updates per second of the bot's processor time."""
    bot.handle(WARM_UP)
    bot.api.calls.clear()
    before = cpu_seconds(bot.pid)
    bot.handle(UPDATES)
    return UPDATES / (cpu_seconds(bot.pid) - before)


def main(rounds: int, names: list[str]) -> None:
    """Print a row for each variant: medians, and the median of its share of bare in the same round."""
    os.sched_setaffinity(0, {int(API_CORE)})
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        bots = {
            name: stack.enter_context(running(name, Path(temporary, str(number)))) for number, name in enumerate(names)
        }
        seen = [{name: measure(bot) for name, bot in bots.items()} for _ in range(rounds)]
    print("| | updates per CPU second | keeps | µs CPU |", "| --- | --- | --- | --- |", sep="\n")
    for name in names:
        rate = statistics.median(row[name] for row in seen)
        keeps = statistics.median(row[name] / row["bare"] for row in seen)
        print(f"| {name} | {rate:.0f} | {keeps:.0%} | {1e6 / rate:.0f} |")


if __name__ == "__main__":
    chosen = sys.argv[2:] or [*VARIANTS]
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, list(dict.fromkeys(["bare", *chosen])))
