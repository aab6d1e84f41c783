"""The bot's own part of the chassis: its dispatcher, and what feeds it."""

import asyncio
import logging
from collections.abc import Mapping

from aiogram import Bot, Dispatcher
from prometheus_client import CollectorRegistry
from structlog.typing import Processor

from .bot_api import Session
from .bot_edge import Edge
from .bot_settings import TransportSettings
from .conversations import MemoryConversations
from .health import Check, Health
from .polling import ANSWER_SECONDS, Polling
from .webhook import Webhook


class ServiceRunner:
    """A dispatcher with the chassis's edge, and the polling or the webhook that feeds it."""

    log_processors: tuple[Processor, ...] = ()

    def __init__(
        self, settings: TransportSettings, health: Health, registry: CollectorRegistry, _: Mapping[str, str]
    ) -> None:
        logging.getLogger("aiogram").setLevel(logging.WARNING)  # the edge says better what came of an update
        session = Session(settings.telegram_api_url, settings.call_timeout_seconds)
        self.bot = Bot(settings.bot_token.get_secret_value(), session)
        self.app = Dispatcher(storage=MemoryConversations(), admin_ids=settings.bot_admin_ids)
        self.edge = Edge(self.app, self.bot, settings, health.metrics, registry)
        url, secret = settings.bot_webhook_url, settings.bot_webhook_secret
        if settings.bot_mode == "webhook" and url and secret:
            self.intake: Polling | Webhook = Webhook(self.edge, self.bot, settings, str(url), secret.get_secret_value())
        else:
            self.intake = Polling(self.edge, self.bot)
        self.drain_seconds = settings.shutdown_drain_seconds if isinstance(self.intake, Webhook) else 0.0
        health.add(Check("bot_api", self.intake.probe, timeout=ANSWER_SECONDS))

    async def run(self, started: asyncio.Event) -> None:
        started.set()  # also while the Bot API is down: restarting would not help
        try:
            await self.intake.run()
        finally:
            await self.bot.session.close()

    async def stop(self, seconds: float) -> None:
        self.intake.stop(seconds)
