"""Webhook: Telegram sends updates to us, and sends again what is not answered with 200."""

import asyncio
import hmac
from urllib.parse import urlsplit

from aiogram import Bot
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .bot_edge import Edge
from .bot_settings import TransportSettings
from .ops import Server, listen

MOST_BYTES = 1_048_576
ANSWER_SECONDS = 2  # by then Telegram knows that an update was taken, also when its handler still runs


class Webhook:
    """Listens behind BOT_WEBHOOK_URL. Replicas share that, so it stays registered when one of them stops."""

    def __init__(self, edge: Edge, bot: Bot, settings: TransportSettings, url: str, secret: str) -> None:
        self.edge, self.bot, self.settings, self.url, self.secret = edge, bot, settings, url, secret
        self.registered = False
        route = Route(urlsplit(url).path, self.receive, methods=["POST"])
        limit = Middleware(RequestBodyLimitMiddleware, max_body_size=MOST_BYTES)
        self.server = Server(Starlette(routes=[route], middleware=[limit]), ws="none", proxy_headers=False)

    async def run(self) -> None:
        """Take updates until told to stop, and finish them."""
        async with asyncio.TaskGroup() as self.handlers:
            await self.server.serve([listen(self.settings.http_host, self.settings.http_port)])

    async def receive(self, request: Request) -> Response:
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), self.secret.encode()):
            return Response(status_code=403)
        if not (task := self.edge.take(await request.body(), self.handlers)):
            return Response(status_code=503, headers={"retry-after": "1"})
        await asyncio.wait({task}, timeout=ANSWER_SECONDS)
        return Response()

    async def probe(self) -> None:
        """Raises what keeps updates from coming."""
        if self.registered:
            await self.bot.get_me(request_timeout=ANSWER_SECONDS)
            return
        kinds, most = self.edge.app.resolve_used_update_types(), self.edge.most
        await self.bot.set_webhook(self.url, secret_token=self.secret, allowed_updates=kinds, max_connections=most)
        self.registered = True

    def stop(self, seconds: float) -> None:
        self.server.config.timeout_graceful_shutdown = max(1, int(seconds))
        self.server.should_exit = True
