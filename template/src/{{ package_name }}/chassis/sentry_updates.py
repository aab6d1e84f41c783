"""Traces to Sentry: a share of the updates, each one transaction by the name of its handler."""

import random
from collections.abc import Callable
from typing import Any

from aiogram import Dispatcher
from structlog.contextvars import get_contextvars

from .request_id import REQUEST_ID
from .sentry import PER_SECOND, Allowance, Sentry


def trace_updates(app: Dispatcher, sentry: Sentry) -> None:
    """Add the middleware that does it; none when no traces are to be sent."""
    rate = sentry.settings.sentry_traces_sample_rate
    if not (sentry.settings.sentry_dsn and rate):
        return
    import sentry_sdk  # noqa: PLC0415 - 0.2 s of every start, which nobody pays without a DSN

    allowance = Allowance(PER_SECOND, sentry.dropped.labels("too_many_traces"))

    async def trace(handler: Callable[..., Any], update: Any, data: dict[str, Any]) -> Any:
        if random.random() >= rate or not allowance.take():  # noqa: S311 - a sample, not a secret
            return await handler(update, data)
        transaction = sentry_sdk.tracing.Transaction(op="queue.process", source="task", sampled=True)
        with sentry_sdk.isolation_scope() as own, sentry_sdk.start_transaction(transaction):
            transaction.sample_rate = rate  # what one stands for, so that Sentry's totals are right
            try:
                return await handler(update, data)
            finally:
                bound = get_contextvars()
                transaction.name = bound.get("route", "unhandled")
                transaction.set_tag("request_id", REQUEST_ID.get())
                if user := bound.get("user"):
                    own.set_user({"id": str(user)})

    app.update.outer_middleware(trace)
