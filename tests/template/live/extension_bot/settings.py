"""The service's own settings."""

from pydantic import Field, HttpUrl, SecretStr

from .chassis.wiring import ChassisSettings


class Settings(ChassisSettings):
    """What this service needs to know besides."""

    pay_token: SecretStr = Field(description="Key of the payment partner")
    note_review_url: HttpUrl | None = Field(None, description="Asked whether a note may be kept")
    partner_url: HttpUrl | None = Field(None, description="Whom the trials call")
