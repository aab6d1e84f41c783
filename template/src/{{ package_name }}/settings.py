"""The service's own settings. Each field is an environment variable by its name in capitals."""

from .chassis.wiring import ChassisSettings


class Settings(ChassisSettings):
    """Add fields here, with a description; then run ``just env-example``."""
