"""Bounds on the shape of JSON, checked before any handler or model sees it. Size is bounded by the framework."""

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import Kind, ServiceError
from .problems import is_json


class JsonRefused(ServiceError):
    """The body is no JSON, or deeper, longer or wordier than allowed."""

    code = "json_refused"
    kind = Kind.INVALID


@dataclass(frozen=True)
class JsonLimits:
    """How deep objects and arrays may nest, how many items an array and how many characters a text may have."""

    depth: int
    items: int
    characters: int

    def check(self, value: Any, depth: int = 0) -> None:
        """Raise JsonRefused when a value goes beyond the limits."""
        if isinstance(value, str):
            if len(value) > self.characters:
                raise JsonRefused(f"A text in the body is longer than {self.characters} characters.")
        elif isinstance(value, (dict, list)):
            if depth == self.depth:
                raise JsonRefused(f"The body is nested deeper than {self.depth} levels.")
            if isinstance(value, list) and len(value) > self.items:
                raise JsonRefused(f"An array in the body has more than {self.items} items.")
            for inner in value.values() if isinstance(value, dict) else value:
                self.check(inner, depth + 1)


class LimitJson:
    """ASGI layer between the framework's error handling and its routes."""

    def __init__(self, app: ASGIApp, limits: JsonLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_json(content_type(scope)):
            await self.app(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        if body:
            try:
                content = orjson.loads(body)
            except orjson.JSONDecodeError:
                raise JsonRefused("The body is not valid JSON.") from None
            self.limits.check(content)
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self.app(scope, replay, send)


def content_type(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), "")
