"""Bounds on the shape of JSON, checked before any handler or model sees it. Size is bounded by the framework."""

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import Kind, ServiceError
from .problems import is_json


class JsonRefused(ServiceError):
    """The body is no JSON, or deeper, longer or wordier than allowed."""

    code = "json_refused"
    kind = Kind.INVALID


@dataclass(frozen=True)
class InputLimits:
    """ASGI layer between the framework's error handling and its routes."""

    app: ASGIApp
    size: int  # the largest body in bytes, declared or not
    depth: int  # how deep objects and arrays may nest
    items: int  # how many items an array may have
    characters: int  # how many characters a text may have

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        length = headers.get(b"content-length", b"0")
        if length == b"0" and b"transfer-encoding" not in headers:
            await self.app(scope, receive, send)
        elif length.isdigit() and int(length) > self.size:
            raise HTTPException(413)
        elif not is_json(headers.get(b"content-type", b"").decode("latin-1")):
            await RequestBodyLimitMiddleware(self.app, self.size)(scope, receive, send)
        else:
            body = await self.read(Request(scope, receive))
            messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

            async def replay() -> Message:
                return messages.pop() if messages else await receive()

            await self.app(scope, replay, send)

    async def read(self, request: Request) -> bytes:
        """The whole body. Raises HTTPException when it is too large, JsonRefused for what is in it."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self.size:
                raise HTTPException(413)
        try:
            self.check(orjson.loads(body or b"null"))
        except orjson.JSONDecodeError:
            raise JsonRefused("The body is not valid JSON.") from None
        return bytes(body)

    def check(self, value: Any, depth: int = 0) -> None:
        """Raise JsonRefused when a value goes beyond the limits."""
        if isinstance(value, str) and len(value) > self.characters:
            raise JsonRefused(f"A text in the body is longer than {self.characters} characters.")
        if isinstance(value, (dict, list)):
            if depth == self.depth:
                raise JsonRefused(f"The body is nested deeper than {self.depth} levels.")
            if isinstance(value, list) and len(value) > self.items:
                raise JsonRefused(f"An array in the body has more than {self.items} items.")
            for inner in value.values() if isinstance(value, dict) else value:
                self.check(inner, depth + 1)
