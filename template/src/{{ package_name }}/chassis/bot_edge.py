"""The edge of the bot, around whatever handles an update: id, order, bounds, error replies, log, metrics."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import structlog
from aiogram import Bot, Dispatcher
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.dispatcher.middlewares.user_context import EventContext, UserContextMiddleware
from aiogram.exceptions import TelegramForbiddenError
from aiogram.filters import Filter
from aiogram.methods import TelegramMethod
from aiogram.types import TelegramObject, Update, User
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from pydantic import ValidationError
from structlog.contextvars import bind_contextvars, clear_contextvars

from .bot_settings import REPLY_SECONDS, TransportSettings
from .errors import Kind, ServiceError
from .metrics import Metrics
from .request_id import REQUEST_ID, take_request_id
from .tasks import DEADLINE

MOST_STATES, OTHER = 100, "other"  # states that are told apart, and the name of the rest
Conversation = tuple[int | None, int | None]  # user and chat
Guard = Callable[[Conversation], str | None]  # what to reply instead, an empty text for nothing; None lets it through
log = structlog.get_logger(__name__)


class AdminOnly(Filter):
    """Lets through whom BOT_ADMIN_IDS names. What they do is counted as an operation."""

    def update_handler_flags(self, flags: dict[str, Any]) -> None:
        flags["admin"] = True

    async def __call__(self, _: Any, admin_ids: tuple[int, ...], event_from_user: User | None = None) -> bool:
        return event_from_user is not None and event_from_user.id in admin_ids


class Edge:
    """Handles one update at a time of each conversation, and each within its time. ``guards`` may refuse one."""

    guards: tuple[Guard, ...] = ()

    def __init__(
        self, app: Dispatcher, bot: Bot, settings: TransportSettings, metrics: Metrics, registry: CollectorRegistry
    ) -> None:
        self.app, self.bot, self.errors = app, bot, metrics.errors
        self.timeout, self.most = settings.bot_timeout_seconds, settings.bot_max_in_flight
        self.in_flight: set[asyncio.Task[None]] = set()
        self.turns: WeakValueDictionary[Conversation, asyncio.Lock] = WeakValueDictionary()  # gone with the last user
        self.states: set[str] = set()
        counter = partial(Counter, registry=registry)
        self.updates = counter("bot_updates_total", "Updates that came", ["update_type", "outcome"])
        self.actions = counter("bot_user_actions_total", "Handlers that ran", ["action_type"])
        self.operations = counter("bot_admin_operations_total", "Handlers of admin commands that ran", ["operation"])
        self.steps = counter("bot_fsm_transitions_total", "Steps in conversations", ["from_state", "to_state"])
        name, meaning = "bot_update_duration_seconds", "Seconds from an update's arrival to the end of its handler"
        self.durations = Histogram(name, meaning, registry=registry)
        gauge = Gauge("bot_updates_in_flight", "Updates that are being handled now", registry=registry)
        gauge.set_function(lambda: len(self.in_flight))
        for kind in {*app.observers} - {"update", "error"}:
            app.observers[kind].middleware(self.count)

    def take(self, raw: Any, handlers: asyncio.TaskGroup) -> asyncio.Task[None] | None:
        """Begin to handle an update; None when as many are in flight as may be."""
        if len(self.in_flight) >= self.most:
            return None
        task = handlers.create_task(self.handle(raw))
        self.in_flight.add(task)
        task.add_done_callback(self.in_flight.discard)
        return task

    async def handle(self, raw: Any) -> None:
        """Do what an update asks for, given as it came. Whatever goes wrong is told, logged and counted here."""
        started, kind, outcome = time.perf_counter(), OTHER, "cut_off"
        take_request_id()
        clear_contextvars()
        try:
            validate = Update.model_validate_json if isinstance(raw, bytes) else Update.model_validate
            update = validate(raw, context={"bot": self.bot})
            bind_contextvars(update_id=update.update_id)
            kind = update.event_type
            outcome = await self.answer(update, UserContextMiddleware.resolve_event_context(update))
        except Exception as error:  # noqa: BLE001 - aiogram cannot read it; the text would show what somebody wrote
            outcome, wrong = "malformed", error.errors() if isinstance(error, ValidationError) else []
            fields = [".".join(map(str, one["loc"])) for one in wrong]
            log.warning("malformed update skipped", error=type(error).__name__, fields=fields)
        finally:
            seconds = time.perf_counter() - started
            self.durations.observe(seconds)
            self.updates.labels(kind, outcome).inc()
            log.info("update", update_type=kind, outcome=outcome, duration_ms=round(seconds * 1000, 2))

    async def answer(self, update: Update, context: EventContext) -> str:
        """What came of an update, in one word; if nothing good, its sender has been told."""
        conversation = context.user_id, context.chat_id
        bind_contextvars(user=context.user_id, chat=context.chat_id)
        refusals = (guard(conversation) for guard in self.guards)
        if (refusal := next((text for text in refusals if text is not None), None)) is not None:
            await self.reply(context, refusal)
            return "limited"
        DEADLINE.set(asyncio.get_running_loop().time() + self.timeout)
        clock, turn = asyncio.timeout_at(DEADLINE.get()), self.turns.setdefault(conversation, asyncio.Lock())
        try:
            async with clock, turn:  # in order of arrival, or two steps of a conversation would get mixed up
                result = await self.app.feed_update(self.bot, update)
                if isinstance(result, TelegramMethod):  # aiogram's other way to answer
                    await self.bot(result)
        except TelegramForbiddenError:
            return "blocked"  # by the user, who may
        except ServiceError as error:
            if error.kind >= Kind.UNAVAILABLE:
                log.exception("update failed by an error")
            await self.reply(context, f"{error}\nReference: {REQUEST_ID.get()}")
            return error.kind.name.lower()
        except BaseException as error:  # whatever it is: what ends the process would come again and end it again
            self.errors.labels(type(error).__name__).inc()
            log.exception("update was cut off" if clock.expired() else "update failed")
            await self.reply(context, f"Something went wrong on our side.\nReference: {REQUEST_ID.get()}")
            return "failed"
        return "unhandled" if result is UNHANDLED else "handled"

    async def reply(self, context: EventContext, text: str) -> None:
        DEADLINE.set(asyncio.get_running_loop().time() + REPLY_SECONDS)
        try:
            if text and context.chat_id:
                await self.bot.send_message(context.chat_id, text, message_thread_id=context.thread_id)
        except Exception as error:  # noqa: BLE001 - there is nobody left to tell
            log.warning("the sender could not be told", error=type(error).__name__)

    async def count(self, handler: Callable[..., Any], event: TelegramObject, data: dict[str, Any]) -> Any:
        """Count the handler that fits, and the step of a conversation that it makes. A middleware of aiogram's."""
        name, admin = getattr(data["handler"].callback, "__name__", OTHER), data["handler"].flags.get("admin")
        bind_contextvars(route=name)
        self.actions.labels(name).inc()
        if admin:
            self.operations.labels(name).inc()
        try:
            return await handler(event, data)
        finally:
            after = await data["state"].get_state() if "state" in data else None
            if after != data.get("raw_state"):
                self.steps.labels(self.known(data["raw_state"]), self.known(after)).inc()

    def known(self, state: str | None) -> str:
        if len(self.states) < MOST_STATES:
            self.states.add(state or "none")
        return state or "none" if (state or "none") in self.states else OTHER
