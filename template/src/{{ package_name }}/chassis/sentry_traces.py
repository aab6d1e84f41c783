"""Traces to Sentry: a share of the requests, each one transaction by the name of its route."""

import random
import re
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from .edge import CLIENT_GONE, route_of
from .request_id import REQUEST_ID
from .sentry import PER_SECOND, Allowance, Sentry

CALLER = re.compile(rb"([0-9a-f]{32})-([0-9a-f]{16})(-[01])?")  # Sentry's own trace header


def traced(app: ASGIApp, sentry: Sentry) -> ASGIApp:
    """The application with its traces; untouched when none are to be sent."""
    return Traces(app, sentry) if sentry.settings.sentry_dsn and sentry.settings.sentry_traces_sample_rate else app


class Traces:
    """Wraps the edge. A caller's trace is continued, but whether it is sent is decided here: nobody can force it."""

    def __init__(self, app: ASGIApp, sentry: Sentry) -> None:
        import sentry_sdk  # noqa: PLC0415 - 0.2 s of every start, which nobody pays without a DSN

        self.app, self.sdk, self.rate = app, sentry_sdk, sentry.settings.sentry_traces_sample_rate
        self.allowance = Allowance(PER_SECOND, sentry.dropped.labels("too_many_traces"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen = scope["type"] == "http" and random.random() < self.rate  # noqa: S311 - a sample, not a secret
        await (self.trace if chosen and self.allowance.take() else self.app)(scope, receive, send)

    async def trace(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = CLIENT_GONE

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        caller = CALLER.fullmatch(dict(scope["headers"]).get(b"sentry-trace", b""))
        joined: Any = {"trace_id": caller[1].decode(), "parent_span_id": caller[2].decode()} if caller else {}
        transaction = self.sdk.tracing.Transaction(op="http.server", source="route", sampled=True, **joined)
        with self.sdk.isolation_scope() as own, self.sdk.start_transaction(transaction):
            transaction.sample_rate = self.rate  # what one stands for, so that Sentry's totals are right
            try:
                await self.app(scope, receive, noted)
            finally:
                transaction.name = f"{scope['method']} {route_of(scope)}"
                transaction.set_http_status(status)
                transaction.set_tag("request_id", REQUEST_ID.get())
                if user := get_contextvars().get("user"):
                    own.set_user({"id": str(user)})
