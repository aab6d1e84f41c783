"""The edge of the API, one ASGI callable because each layer costs every request: id, bounds, headers, log, metrics."""

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, Gauge, Histogram
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import clear_contextvars
from structlog.typing import EventDict

from .errors import ServiceError
from .health import Health
from .problems import problem
from .request_id import take_request_id
from .tasks import DEADLINE, FOREVER

TICK = 0.05  # seconds; timers are rounded and may ring a little early
CLIENT_GONE = 499  # nginx's number for a client that left before the answer
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds; the objective's 0.1 is an edge
TOO_LARGE = "The body is larger than this service accepts."
DOCS_PATH = "/docs"
SECURITY_HEADERS = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"referrer-policy": b"no-referrer",
    b"strict-transport-security": b"max-age=31536000; includeSubDomains",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}  # as OWASP's REST security cheat sheet has them
Headers = list[tuple[bytes, bytes]]
Refusal = tuple[int, str]  # status and detail
Guard = Callable[[Scope, dict[bytes, bytes], Headers], Refusal | None]
SCOPE: ContextVar[Scope | None] = ContextVar("scope", default=None)
log = structlog.get_logger(__name__)


def add_route(_: object, __: str, event: EventDict) -> EventDict:
    """Log processor: the template of the route, never the path, on every line of a request."""
    if scope := SCOPE.get():
        event["route"] = route_of(scope)
    return event


def route_of(scope: Scope) -> str:
    # FastAPI keeps the prefixes of included routers in its own part of the scope.
    matched = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return getattr(matched, "path_format", "unmatched")


@dataclass(slots=True)
class Answer:
    """One answer on its way out: notes how it went and adds what every answer carries."""

    send: Send
    extra: Headers
    clock: asyncio.TimerHandle | None = None
    status: int = 0
    ended: float = 0.0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = list(message.get("headers", ()))
            names = {name for name, _ in own}
            message["headers"] = own + [header for header in self.extra if header[0] not in names]
            if self.clock:
                self.clock.cancel()  # the answer has begun; a stream may take its time
                DEADLINE.set(FOREVER)
        elif not message.get("more_body"):
            self.ended = time.perf_counter()
        await self.send(message)


class Edge:
    """Wraps the application; an answer must have begun within ``timeout`` seconds. ``guards`` may refuse a request."""

    guards: tuple[Guard, ...] = ()

    def __init__(self, app: ASGIApp, health: Health, registry: CollectorRegistry, timeout: float, largest: int) -> None:
        self.app, self.health, self.timeout, self.most_bytes, self.in_flight = app, health, timeout, largest, 0
        name, meaning = "http_server_request_duration_seconds", "Seconds from a request's head to its answer's end"
        self.durations = Histogram(name, meaning, ["method", "route", "status"], buckets=BUCKETS, registry=registry)
        gauge = Gauge("http_server_requests_in_flight", "Requests that are being answered now", registry=registry)
        gauge.set_function(lambda: self.in_flight)
        self.observers: dict[tuple[str, str, int], Callable[[float], None]] = {}
        self.headers = list(SECURITY_HEADERS.items())
        policy = b"default-src 'self' 'unsafe-inline' https: data:"  # the page loads Swagger UI from afar
        self.docs_headers = list({**SECURITY_HEADERS, b"content-security-policy": policy}.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        SCOPE.set(scope)
        clear_contextvars()  # of the request before on the same connection
        incoming = dict(scope["headers"])
        request_id = take_request_id(incoming.get(b"x-request-id", b""), incoming.get(b"traceparent", b""))
        headers = self.docs_headers if scope["path"] == DOCS_PATH else self.headers
        answer = Answer(send, [*headers, (b"x-request-id", request_id.encode())])
        if self.health.draining:  # sends the client to another replica
            answer.extra.append((b"connection", b"close"))
        self.in_flight += 1
        try:
            if refusal := next(filter(None, (guard(scope, incoming, answer.extra) for guard in self.guards)), None):
                await problem(scope["path"], *refusal)(scope, receive, answer)
            elif int(incoming.get(b"content-length", b"0")) > self.most_bytes:
                await problem(scope["path"], 413, TOO_LARGE)(scope, receive, answer)
            else:
                await self.bounded(scope, receive, answer)
        finally:
            self.in_flight -= 1
            self.record(scope, answer.status or CLIENT_GONE, (answer.ended or time.perf_counter()) - started)

    async def bounded(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        """Run the application within its time. Not asyncio.timeout, which costs several times a timer."""
        left = self.most_bytes

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, TOO_LARGE)
            return message

        loop = asyncio.get_running_loop()
        cancel = asyncio.current_task().cancel  # pyrefly: ignore[missing-attribute] - a request always runs in a task
        clock = answer.clock = loop.call_later(self.timeout, cancel)
        DEADLINE.set(clock.when() - TICK)  # leaves a moment to say what was missing
        try:
            await self.app(scope, counted, answer)
        except ClientDisconnect:
            answer.status = CLIENT_GONE
        except (HTTPException, ServiceError):
            pass  # raised by a middleware and answered; the framework passes it on all the same
        except BaseException as error:  # whatever it is, it is answered and logged, once, here
            over = clock.when() - loop.time() < TICK or self.health.draining  # its own time, or the shutdown's
            late = isinstance(error, asyncio.CancelledError) and over
            self.health.metrics.errors.labels(type(error).__name__).inc()
            log.exception("request was cut off" if late else "request failed")
            detail = "There was no answer in time; try again." if late else "Something went wrong on our side."
            if not answer.status:
                await problem(scope["path"], 503 if late else 500, detail)(scope, receive, answer)
        finally:
            clock.cancel()

    def record(self, scope: Scope, status: int, seconds: float) -> None:
        key = scope["method"], route_of(scope), status  # the parser knows 46 methods
        if key not in self.observers:
            self.observers[key] = self.durations.labels(*map(str, key)).observe
        self.observers[key](seconds)
        log.info("request", method=key[0], path=scope["path"], status=status, duration_ms=round(seconds * 1000, 2))
