"""What this bot serves."""

from aiogram import Dispatcher

from .notes import handlers as notes
from .resources import Resources


def configure(app: Dispatcher, resources: Resources) -> None:
    """Add slices, and middleware or error handlers of your own."""
    app["notes"] = resources.notes  # handlers get it by this name
    app.include_router(notes.router())
