"""The queue of a service in Redis, by streaq: at least once. Its own retries, limits and signals are not used."""

import asyncio
import logging
import math
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
import streaq
import structlog
from anyio import CancelScope, CapacityLimiter, current_time
from coredis import Redis
from coredis.exceptions import ConnectionError as Disconnected
from coredis.exceptions import RedisError
from coredis.retry import NoRetryPolicy
from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_core.core_schema import ValidationInfo
from streaq.constants import REDIS_GROUP
from streaq.types import StreamMessage

from .attempts import DEAD_LETTERED, RETRIED, UNKNOWN, Verdict, Worker
from .http_client import DependencyUnavailable
from .jobs import DeadLetter, Delivery
from .settings import CommonSettings, Seconds, varying

JOB = "job"  # the one function that streaq knows, besides schedules; its arguments are name, payload and headers
LOST = (Disconnected, TimeoutError)  # the broker is away and may come back
RENEWALS = 3  # of a claim before it lapses
PAUSE = 0.5  # seconds before the broker is tried again
SCHEMES = ("redis://", "rediss://", "unix://")
log = structlog.get_logger(__name__)


class BrokerSettings(CommonSettings):
    """How the broker is reached."""

    broker_url: SecretStr = varying("redis://127.0.0.1:6379", "", "Redis that brings the jobs, with its password")
    worker_redelivery_seconds: Seconds = Field(10, ge=1, le=14, description="When a dead worker's jobs start again")

    @field_validator("*")
    @classmethod
    def refuse_development_defaults(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name != "broker_url":
            return super().refuse_development_defaults(value, info)
        if not value.get_secret_value().startswith(SCHEMES):
            raise ValueError(f"must begin with {', '.join(SCHEMES[:-1])} or {SCHEMES[-1]}")
        return value


class Message(BaseModel):
    """What streaq keeps of a job; whatever else is found is no job."""

    f: str
    a: tuple[str, Any, dict[str, str]] | tuple[()]
    k: dict[str, Any]
    t: int


class Queue(streaq.Worker[None]):
    """One connection; once lost for good it cannot be opened again. A claim that is not renewed lapses."""

    def __init__(self, settings: BrokerSettings, service: str, concurrency: int = 1) -> None:
        for library in ("coredis", "streaq"):
            logging.getLogger(library).setLevel(logging.CRITICAL)  # each lost connection would be a traceback
        self.url, lapses = settings.broker_url.get_secret_value(), settings.worker_redelivery_seconds
        super().__init__(
            self.url,
            redis_kwargs=self.options(lapses + 2),  # a read waits for a job until claims lapse
            concurrency=concurrency,
            queue_name=service,
            serializer=partial(orjson.dumps, default=repr),  # a result may hold an exception
            deserializer=lambda raw: dict(Message.model_validate_json(raw)),
            idle_timeout=lapses,
        )
        self.prefetch = concurrency  # what waited here unbegun would be claimed again, and begun twice
        self.stream, self.dead_letters = self.stream_key + self.priorities[0], f"{self.prefix}:dead-letters"
        self.stopping, self.grace = asyncio.Event(), 0.0
        self.claimed: set[str] = set()

    def options(self, silence: float) -> dict[str, Any]:
        """How to connect; ``silence`` is how many seconds may pass without an answer."""
        secure = {"ssl_context": ssl.create_default_context()} if self.url.startswith("rediss://") else {}
        timeouts = dict.fromkeys(("stream_timeout", "max_idle_time"), silence)
        return {"decode_components": True, "connect_timeout": 1, "retry_policy": NoRetryPolicy(), **timeouts, **secure}

    def serve(self, worker: Worker) -> None:
        """Have every job attempted by the worker."""

        async def run(name: str = "", payload: Any = None, headers: Any = None, **_: Any) -> None:
            context = task.context
            delivery = Delivery(name, payload, headers or {}, context.task_id, context.tries)
            verdict = await worker.attempt(delivery, self.send)
            if verdict.outcome == DEAD_LETTERED:
                try:
                    await self.bury(delivery, verdict.reason, verdict.detail)
                except (RedisError, TimeoutError):
                    verdict = Verdict(RETRIED, pause=PAUSE)  # rather twice than never
            if verdict.outcome == RETRIED:
                raise streaq.StreaqRetry(delay=timedelta(seconds=verdict.pause))

        plain: Any = {"max_tries": None, "timeout": None, "ttl": 0, "silent": True, "unique": False}
        task = self.task(name=JOB, **plain)(run)
        for name, definition in worker.definitions.items():
            if definition.schedule:
                self.cron(definition.schedule, name=name, **plain)(partial(run, name))

    async def send(self, delivery: Delivery) -> None:
        """Raises DependencyUnavailable. What is on its way already, by its key, is not sent again."""
        task = self.enqueue_unsafe(JOB, delivery.job, delivery.payload, delivery.headers)
        task.id = delivery.key
        try:
            await task
        except LOST as error:
            raise DependencyUnavailable("Jobs cannot be sent at the moment.") from error

    async def backlog(self) -> tuple[int, float, int]:
        """Jobs that wait, the age of the oldest in seconds, and dead letters, as a connection sees them that is new."""
        async with Redis.from_url(self.url, decode_responses=True, **self.options(1)) as redis:
            async with redis.pipeline(transaction=False) as pipe:
                now, length, dead = pipe.time(), pipe.xlen(self.stream), pipe.hlen(self.dead_letters)
            if not await length:
                return 0, 0.0, await dead
            groups: Any = await redis.xinfo_groups(self.stream)
            taken, last = (groups[0]["pending"], groups[0]["last-delivered-id"]) if groups else (0, "0-0")
            waiting = await redis.xrange(self.stream, f"({last}", count=1)
            since = int(str(waiting[0].identifier).partition("-")[0]) / 1000 if waiting else math.inf
            return await length - taken, max(0.0, (await now).timestamp() - since), await dead

    # --- Dead letters: a hash, by idempotency key ---

    async def bury(self, delivery: Delivery, reason: str, detail: str) -> None:
        letter = DeadLetter(**vars(delivery), reason=reason, detail=detail, failed_at=datetime.now(UTC).isoformat())
        await self.redis.hset(self.dead_letters, {delivery.key: orjson.dumps(letter)})

    async def letters(self) -> list[DeadLetter]:
        """The dead letters, oldest first."""
        found = [DeadLetter(**orjson.loads(raw)) for raw in (await self.redis.hgetall(self.dead_letters)).values()]
        return sorted(found, key=lambda letter: letter.failed_at)

    async def replay(self, letter: DeadLetter) -> None:
        """Send it anew, with all its attempts."""
        await self.send(letter)
        await self.drop(letter)

    async def drop(self, letter: DeadLetter) -> None:
        await self.redis.hdel(self.dead_letters, [letter.key])

    async def finish_failed_task(self, msg: StreamMessage, *rest: Any, **how: Any) -> None:
        """Keep what cannot be read; streaq would forget it."""
        if raw := await self.redis.get(self.task_key + msg.task_id):
            log.error("a job cannot be read", key=msg.task_id)
            await self.bury(Delivery(UNKNOWN, raw, {}, msg.task_id), "unreadable", "No sender of jobs writes such.")
        await super().finish_failed_task(msg, *rest, **how)

    # --- The loops of streaq, which would take the signals, or end with the first lost connection ---

    async def signal_handler(self, scope: CancelScope) -> None:
        await self.stopping.wait()
        scope.cancel()
        for job in self._cancel_scopes.values():
            job.deadline = min(job.deadline, current_time() + self.grace)

    async def producer(self, queue: Any, limiter: CapacityLimiter, scope: CancelScope) -> None:
        with queue:
            while True:
                with suppress(*LOST):
                    await super().producer(queue.clone(), limiter, scope)
                await asyncio.sleep(PAUSE)

    async def schedule_delayed_tasks(self) -> None:
        while True:
            with suppress(*LOST):
                for name in {*await self.redis.hkeys(self.cron_registry_key)} - self.registry.keys():
                    await self.unschedule_by_id(name)  # an older version had it
                await super().schedule_delayed_tasks()
            await asyncio.sleep(PAUSE)

    async def renew_idle_timeouts(self, scope: CancelScope) -> None:
        with scope:
            while True:
                with suppress(*LOST):
                    if self.claimed:
                        await self.redis.xclaim(self.stream, REDIS_GROUP, self.id, 0, [*self.claimed], justid=True)
                await asyncio.sleep(self.idle_timeout / 1000 / RENEWALS)

    async def run_task(self, msg: StreamMessage) -> None:
        if msg.message_id in self.claimed:
            return  # the claim lapsed while the loop stood still, and was given to ourselves
        self.claimed.add(msg.message_id)
        try:
            await super().run_task(msg)
        except LOST:
            log.warning("the broker was lost during a job, which comes again", key=msg.task_id)
        finally:
            self.claimed.remove(msg.message_id)
