"""A Bot API on loopback: has the updates that a test gives it, remembers what the bot calls. The template's."""

import itertools
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl
from urllib.request import ProxyHandler, Request, build_opener

TOKEN = "4711:fake-token-of-the-fake-bot-api-0123456789"  # what it knows, and nobody else does
Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Call:
    """One call of the bot; ``at`` on the clock of ``time.monotonic``, ``answer`` what it got."""

    method: str
    parameters: dict[str, str]
    at: float
    answer: dict[str, Any]


class FakeBotApi:
    """Use it as ``with FakeBotApi() as api``, and its ``url`` as TELEGRAM_API_URL."""

    def __init__(self, port: int = 0) -> None:
        self.port, self.token = port, TOKEN
        self.updates: dict[int, Any] = {}  # not acknowledged yet
        self.calls: list[Call] = []
        self.webhook: dict[str, str] = {}
        self.outage: Answer | None = None  # what every call gets
        self.script: Callable[[str, dict[str, str]], Answer | None] = lambda _, __: None  # a test's own answers
        self.news = threading.Condition()
        self.numbers = itertools.count(1)
        self.polls = 0

    def __enter__(self) -> Self:
        self.server = Server(("127.0.0.1", self.port), lambda *peer: Handler(self, *peer))
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), name="fake Bot API", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with self.news:
            self.polls += 1
            self.news.notify_all()  # nobody waits for news any more
        self.server.shutdown()
        self.server.server_close()

    def message(self, text: str, user: int = 1, chat: int | None = None, **more: Any) -> dict[str, Any]:
        """An update with what somebody wrote, not given to the bot yet."""
        who = {"id": user, "is_bot": False, "first_name": f"User {user}"}
        where = {"id": chat or user, "type": "private" if chat in {None, user} else "group"}
        number, command = next(self.numbers), text.partition(" ")[0]
        entities = [{"type": "bot_command", "offset": 0, "length": len(command)}] if text.startswith("/") else []
        message = {"message_id": number, "date": 1, "from": who, "chat": where, "text": text, "entities": entities}
        return {"update_id": number, "message": message | more}

    def give(self, *updates: Any) -> None:
        """Have updates for the bot that polls."""
        with self.news:
            for update in updates:
                self.updates[update["update_id"]] = update
            self.news.notify_all()

    def say(self, text: str, user: int = 1, chat: int | None = None) -> int:
        """Let somebody write to the bot that polls; the id of the update."""
        update = self.message(text, user, chat)
        self.give(update)
        return update["update_id"]

    def deliver(self, update: Any, secret: str | None = None) -> int:
        """Send an update to the webhook, once; the status of the answer, 0 when there was none."""
        headers = {"content-type": "application/json"}
        headers["x-telegram-bot-api-secret-token"] = self.webhook["secret_token"] if secret is None else secret
        request = Request(self.webhook["url"], json.dumps(update).encode(), headers)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
                return answer.status
        except OSError as error:
            return getattr(error, "code", 0)

    def sent(self, chat: int | None = None) -> list[str]:
        """The texts that the bot sent and that were taken, to one chat or to all."""
        calls = [call for call in list(self.calls) if call.method == "sendMessage" and call.answer["ok"]]
        return [call.parameters["text"] for call in calls if chat in {None, int(call.parameters["chat_id"])}]

    def answer(self, token: str, method: str, parameters: dict[str, str]) -> Answer:
        """What a call gets."""
        if token != self.token:
            return refusal(401, "Unauthorized")
        if scripted := self.outage or self.script(method, parameters):
            return scripted
        if method == "getUpdates":
            return self.get_updates(int(parameters.get("offset", 0)), float(parameters.get("timeout", 0)))
        if method in {"setWebhook", "deleteWebhook"}:
            self.webhook = parameters
        if method == "getMe":
            return 200, {"ok": True, "result": {"id": 4711, "is_bot": True, "first_name": "Fake"}}
        if method == "sendMessage":
            chat = {"id": int(parameters["chat_id"]), "type": "private"}
            return 200, {"ok": True, "result": {"message_id": 1, "date": 1, "chat": chat, "text": parameters["text"]}}
        return 200, {"ok": True, "result": True}

    def get_updates(self, offset: int, seconds: float) -> Answer:
        """As Telegram does: what is below the offset is acknowledged, and a new poll ends the one before it."""
        with self.news:
            self.polls += 1
            mine, end = self.polls, time.monotonic() + seconds
            self.updates = {number: update for number, update in self.updates.items() if number >= offset}
            self.news.notify_all()
            while not self.updates and mine == self.polls and (left := end - time.monotonic()) > 0:
                self.news.wait(left)
            if mine != self.polls or self.webhook:
                return refusal(409, "Conflict: terminated by other getUpdates request, or by a webhook")
            return 200, {"ok": True, "result": [self.updates[number] for number in sorted(self.updates)[:100]]}


def refusal(status: int, why: str, **parameters: int) -> Answer:
    """What the Bot API says when it does not do something."""
    return status, {"ok": False, "error_code": status, "description": why, "parameters": parameters}


class Server(ThreadingHTTPServer):
    """Takes whatever connects at once."""

    daemon_threads = True
    request_queue_size = 1024


class Handler(BaseHTTPRequestHandler):
    """One connection of the bot."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one piece

    def __init__(self, api: FakeBotApi, *peer: Any) -> None:
        self.api = api
        with suppress(OSError):  # the bot may go at any time
            super().__init__(*peer)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        _, bot, method = self.path.split("/")
        parameters = dict(parse_qsl(body, keep_blank_values=True))
        status, answer = self.api.answer(bot.removeprefix("bot"), method, parameters)
        self.api.calls.append(Call(method, parameters, time.monotonic(), answer))
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
