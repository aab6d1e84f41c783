"""The service's own settings."""

from pathlib import Path

from pydantic import Field, SecretStr

from .chassis.wiring import ChassisSettings


class Settings(ChassisSettings):
    """What this service needs to know besides."""

    pay_token: SecretStr = Field(description="Key of the payment partner")
    record: Path = Field(description="Where the trials write down what they do")
    partner_url: str = Field("", description="Whom the trials call")
    opening: str = Field("", description="How opening goes wrong: it hangs")
