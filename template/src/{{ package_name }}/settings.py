"""The service's own settings. Each field is an environment variable by its name in capitals."""

from pydantic import Field, HttpUrl

from .chassis.wiring import ChassisSettings


class Settings(ChassisSettings):
    """Add fields here, with a description; then run ``just env-example``."""

    note_review_url: HttpUrl | None = Field(None, description="Asked whether a note may be kept; none when empty")
