"""The service's own settings."""

from pydantic import Field, HttpUrl, SecretStr

from .chassis.wiring import ChassisSettings


class Settings(ChassisSettings):
    """What this service needs to know besides."""

    pay_token: SecretStr = Field(description="Key of the payment partner")
    database_url: SecretStr | None = Field(None, description="Never opened; a secret that is a URL")
    note_review_url: HttpUrl | None = Field(None, description="Asked whether a note may be kept")
    partner_url: HttpUrl | None = Field(None, description="Whom the trials call")
    warehouse_port: int = Field(0, ge=0, le=65535, description="Port of the warehouse; 0 for none")
    stock_port: int = Field(0, ge=0, le=65535, description="Port of the stock count, which the service can do without")
    reluctant_openings: int = Field(0, ge=0, description="How often opening the resources fails before it succeeds")
    probing: str = Field("", description="How a probe goes wrong: cancelled or stubborn")
    opening: str = Field("", description="How opening goes wrong: it hangs")
    closing: str = Field("", description="How closing the first resource goes wrong: raises, hangs or not at all")
