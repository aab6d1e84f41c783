"""What this API serves."""

from fastapi import FastAPI

from .notes import endpoints as notes
from .resources import Resources


def configure(app: FastAPI, resources: Resources) -> None:
    """Add slices, and middleware or exception handlers of your own."""
    app.state.resources = resources
    app.include_router(notes.router, prefix="/api/v1")
