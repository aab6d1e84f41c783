"""What this API serves."""

from fastapi import FastAPI, HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .notes import endpoints as notes
from .resources import Resources
from .trials import endpoints as trials


class Greeting:
    """A middleware of our own: one more header on each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def greet(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-greeting", b"hello"))
            await send(message)

        await self.app(scope, receive, greet)


class Reader:
    """A middleware that reads the whole body first, as a signature check would, and refuses with an expected error."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/signed":
            await Request(scope, receive).body()
            raise HTTPException(401, "no signature")
        if scope["type"] == "http" and scope["path"] == "/raw":
            await send({"type": "http.response.start", "status": 202})  # the specification lets headers out
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send)


def configure(app: FastAPI, resources: Resources) -> None:
    """Add our slices and our middleware."""
    app.state.resources = resources
    app.add_middleware(Greeting)
    app.add_middleware(Reader)
    app.include_router(notes.router, prefix="/api/v1")
    app.include_router(trials.router, prefix="/api/v1")
