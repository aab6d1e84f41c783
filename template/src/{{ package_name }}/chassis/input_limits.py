"""Bounds on the shape of JSON, checked before any handler or model sees it. The edge bounds its size."""

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import Kind, ServiceError
from .problems import is_json


class JsonRefused(ServiceError):
    """The body is no JSON, or deeper, longer or wordier than allowed."""

    code = "json_refused"
    kind = Kind.INVALID


@dataclass(frozen=True)
class JsonLimits:
    """ASGI layer between the framework's error handling and its routes."""

    app: ASGIApp
    depth: int  # how deep objects and arrays may nest
    items: int  # how many items an array may have
    characters: int  # how many characters a text or a key may have

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = next((value for name, value in scope.get("headers", ()) if name == b"content-type"), b"")
        if scope["type"] != "http" or not is_json(sent.decode("latin-1")):
            await self.app(scope, receive, send)
            return
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        if messages[-1]["type"] == "http.disconnect":
            raise ClientDisconnect
        try:
            self.check(orjson.loads(b"".join(message.get("body", b"") for message in messages) or b"null"))
        except orjson.JSONDecodeError:
            raise JsonRefused("The body is not valid JSON.") from None
        messages.reverse()

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self.app(scope, replay, send)

    def check(self, value: Any, depth: int = 0) -> None:
        """Raise JsonRefused when a value goes beyond the limits."""
        if isinstance(value, str) and len(value) > self.characters:
            raise JsonRefused(f"A text in the body is longer than {self.characters} characters.")
        if isinstance(value, (dict, list)):
            if depth == self.depth:
                raise JsonRefused(f"The body is nested deeper than {self.depth} levels.")
            if isinstance(value, list) and len(value) > self.items:
                raise JsonRefused(f"An array in the body has more than {self.items} items.")
            for inner in (*value, *value.values()) if isinstance(value, dict) else value:
                self.check(inner, depth + 1)
