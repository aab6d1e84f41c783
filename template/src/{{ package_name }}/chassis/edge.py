"""The edge of the API, all in one ASGI callable: request id, body size, timeout, headers, access log and metrics.

One callable instead of a stack of middleware, because every layer costs every request.
"""

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar

import structlog
from prometheus_client import CollectorRegistry, Gauge, Histogram
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict

from .health import Health
from .problems import problem_response
from .request_id import request_id_from

KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CLIENT_GONE = 499  # nginx's number for a client that left before the answer
UNAVAILABLE = 503
DOCS_PATH = "/docs"

SCOPE: ContextVar[Scope] = ContextVar("scope", default={})  # noqa: B039 - never written to

log = structlog.get_logger(__name__)


def security_headers(policy: ContentSecurityPolicy) -> list[tuple[bytes, bytes]]:
    headers = Secure(
        csp=policy,
        hsts=StrictTransportSecurity().max_age(31_536_000).include_subdomains(),
        xcto=XContentTypeOptions(),
        xfo=XFrameOptions().deny(),
        referrer=ReferrerPolicy().no_referrer(),
        permissions=PermissionsPolicy().camera().geolocation().microphone(),
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
    ).headers
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def add_route(_: object, __: str, event: EventDict) -> EventDict:
    """Log processor: the template of the route, never the path, on every line of a request."""
    if scope := SCOPE.get():
        event["route"] = route_of(scope)
    return event


def route_of(scope: Scope) -> str:
    """The template of the matched route with its prefixes, ``unmatched`` when there is none (yet)."""
    # FastAPI keeps the prefixes of included routers in its own part of the scope.
    matched = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return getattr(matched, "path_format", "unmatched")


class Answer:
    """One answer on its way out: notes the status and adds what every answer carries."""

    __slots__ = ("clock", "extra", "send", "status")

    def __init__(self, send: Send, extra: list[tuple[bytes, bytes]]) -> None:
        self.send = send
        self.extra = extra
        self.status = 0
        self.clock: asyncio.Timeout | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self.extra]
            if self.clock:
                self.clock.reschedule(None)  # the answer has begun; a stream may take its time
        await self.send(message)


class Edge:
    """Wraps the application.

    Args:
        timeout: seconds until an answer must have begun.
        most_bytes: the largest body; the framework counts those that do not declare their length.
    """

    def __init__(
        self, app: ASGIApp, *, health: Health, registry: CollectorRegistry, timeout: float, most_bytes: int
    ) -> None:
        self.app = app
        self.health = health
        self.timeout = timeout
        self.most_bytes = most_bytes
        self.in_flight = 0
        self.durations = Histogram(
            "http_server_request_duration_seconds",
            "Seconds from the head of a request to the end of its answer",
            ["method", "route", "status"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        gauge = Gauge("http_server_requests_in_flight", "Requests that are being answered now", registry=registry)
        gauge.set_function(lambda: self.in_flight)
        self.observers: dict[tuple[str, str, int], Callable[[float], None]] = {}
        self.headers = security_headers(ContentSecurityPolicy().default_src("'none'").frame_ancestors("'none'"))
        docs = ContentSecurityPolicy().default_src("'self'", "'unsafe-inline'", "https:", "data:")
        self.docs_headers = security_headers(docs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        SCOPE.set(scope)
        incoming = dict(scope["headers"])
        request_id = request_id_from(incoming.get(b"x-request-id", b""), incoming.get(b"traceparent", b""))
        headers = self.docs_headers if scope["path"] == DOCS_PATH else self.headers
        answer = Answer(send, [*headers, (b"x-request-id", request_id.encode())])
        if self.health.draining:
            answer.extra.append((b"connection", b"close"))  # sends the client to another replica
        self.in_flight += 1
        try:
            if oversized(incoming, self.most_bytes):
                await self.refuse(scope, receive, answer, 413, f"The body is larger than {self.most_bytes} bytes.")
            else:
                await self.bounded(scope, receive, answer)
        finally:
            self.in_flight -= 1
            self.record(scope, answer.status or CLIENT_GONE, time.perf_counter() - started)

    async def bounded(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        """Run the application within its time; whatever escapes it is logged here, once, and answered."""
        clock = answer.clock = asyncio.timeout(self.timeout)
        try:
            async with clock:
                await self.app(scope, receive, answer)
        except ClientDisconnect:
            answer.status = CLIENT_GONE
        except asyncio.CancelledError:  # only the end of the shutdown's time cancels a request
            log.warning("request cut off by the shutdown")
            await self.refuse(scope, receive, answer, 503, "The service is stopping; try again.")
        except Exception as error:
            self.health.metrics.errors.labels(type(error).__name__).inc()
            late = isinstance(error, TimeoutError) and clock.expired()
            log.exception("request took too long" if late else "request failed")
            detail = f"No answer within {self.timeout:g} seconds." if late else "Something went wrong on our side."
            await self.refuse(scope, receive, answer, 503 if late else 500, detail)

    async def refuse(self, scope: Scope, receive: Receive, answer: Answer, status: int, detail: str) -> None:
        if not answer.status:
            headers = {"retry-after": "1"} if status == UNAVAILABLE else None
            await problem_response(scope["path"], status, detail, headers=headers)(scope, receive, answer)

    def record(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in KNOWN_METHODS else "other"
        route = route_of(scope)
        key = (method, route, status)
        observe = self.observers.get(key)
        if observe is None:
            observe = self.observers[key] = self.durations.labels(method, route, str(status)).observe
        observe(seconds)
        log.info("request", method=method, path=scope["path"], status=status, duration_ms=round(seconds * 1000, 2))


def oversized(headers: dict[bytes, bytes], most_bytes: int) -> bool:
    length = headers.get(b"content-length", b"")
    return length.isdigit() and int(length) > most_bytes
