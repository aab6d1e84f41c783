"""What a bot is set up with."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import NoDecode

from .lifecycle import CLOSING_SHARE
from .settings import EVERYWHERE, CommonSettings, Listed, Port, Positive, Seconds, varying

REPLY_SECONDS = 2.0  # until a sender has been told that something went wrong


TOKEN, SECRET = re.compile(r"\d+:[\w-]+", re.ASCII), re.compile(r"[\w-]{1,256}", re.ASCII)  # as the Bot API has them


class TransportSettings(CommonSettings):
    """All of it, besides what every service has."""

    bot_token: SecretStr = Field(description="The bot's token, as @BotFather gave it")
    bot_mode: Literal["polling", "webhook"] = Field("polling", description="polling, with one replica, or webhook")
    bot_admin_ids: Annotated[tuple[int, ...], NoDecode, Listed] = Field(
        (), description="Telegram's ids of users who may give admin commands, separated by commas"
    )
    bot_max_in_flight: Positive = Field(50, le=100, description="Updates handled at once")
    bot_timeout_seconds: Seconds = Field(10, gt=0, description="Until an update must have been handled")
    bot_webhook_url: AnyHttpUrl | None = Field(None, description="Where Telegram reaches the webhook, path included")
    bot_webhook_secret: SecretStr | None = Field(None, description="What Telegram shows to the webhook; your own")
    telegram_api_url: str = Field("https://api.telegram.org", pattern="^https?://", description="Where the Bot API is")
    http_host: str = varying("127.0.0.1", EVERYWHERE, "Address of the webhook")
    http_port: Port = Field(8000, description="Port of the webhook")

    def contradictions(self) -> Iterator[str]:
        yield from super().contradictions()
        if not TOKEN.fullmatch(self.bot_token.get_secret_value()):
            yield "BOT_TOKEN: is not a token; copy it from @BotFather"
        if self.bot_webhook_secret and not SECRET.fullmatch(self.bot_webhook_secret.get_secret_value()):
            yield "BOT_WEBHOOK_SECRET: must be 1 to 256 letters, digits, _ and -"
        webhook = self.bot_mode == "webhook"
        if webhook and not (self.bot_webhook_url and self.bot_webhook_secret):
            yield "BOT_MODE: webhook needs BOT_WEBHOOK_URL and BOT_WEBHOOK_SECRET"
        if webhook and self.http_port == self.ops_port:
            yield "HTTP_PORT: must differ from OPS_PORT"
        drain = self.shutdown_drain_seconds if webhook else 0
        budget = (self.shutdown_timeout_seconds - drain) * (1 - CLOSING_SHARE) - REPLY_SECONDS
        if self.bot_timeout_seconds > budget:
            yield f"BOT_TIMEOUT_SECONDS: must be at most {budget:g}, or a shutdown would cut handlers off"
