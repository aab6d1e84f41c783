"""What this bot serves: the example, and trials that are slow, fail or write much."""

from aiogram import Dispatcher

from .notes import handlers as notes
from .resources import Resources
from .trials import handlers as trials


def configure(app: Dispatcher, resources: Resources) -> None:
    """Add our slices."""
    app["notes"] = resources.notes
    app["http"] = resources.http
    app["settings"] = resources.settings
    app.include_router(trials.router())
    app.include_router(notes.router())
