"""Stands in for Sentry's server: takes envelopes at the endpoint that the SDK uses and keeps what is in them."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .runner import DEADLINE_SECONDS

KEY = "0123456789abcdef0123456789abcdef"


class SentryStandIn(ThreadingHTTPServer):
    """Keeps every envelope; while it is ``closed`` it lets whoever sends wait."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Intake)
        self.envelopes: list[str] = []
        self.opened = threading.Event()
        self.opened.set()

    @property
    def dsn(self) -> str:
        return dsn(self.server_port)

    def items(self, kind: str, **tags: str) -> list[dict[str, Any]]:
        """Return the items of a kind (``event``, ``transaction``) that have these tags."""
        found = [item for envelope in self.envelopes for item in parsed(envelope, kind)]
        return [item for item in found if tags.items() <= item.get("tags", {}).items()]


class Intake(BaseHTTPRequestHandler):
    """The endpoint of one project."""

    server: SentryStandIn

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.opened.wait(DEADLINE_SECONDS)
        known = self.path == "/api/1/envelope/" and f"sentry_key={KEY}" in self.headers["x-sentry-auth"]
        if known:
            packed = self.headers["content-encoding"] == "gzip"
            self.server.envelopes.append((gzip.decompress(body) if packed else body).decode())
        self.send_response(200 if known else 403)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def dsn(port: int) -> str:
    return f"http://{KEY}@127.0.0.1:{port}/1"


def parsed(envelope: str, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a kind; each is one line after a line that says what it is."""
    lines = envelope.splitlines()[1:]
    for header, payload in zip(lines[::2], lines[1::2], strict=False):
        if json.loads(header)["type"] == kind:
            yield json.loads(payload)


@contextmanager
def sentry_stand_in() -> Iterator[SentryStandIn]:
    with SentryStandIn() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.opened.set()
            server.shutdown()
            thread.join()
