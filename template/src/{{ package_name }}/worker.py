"""What this worker serves."""

from .chassis.attempts import Worker
from .notes import jobs as notes
from .resources import Resources


def configure(worker: Worker, resources: Resources) -> None:
    """Add slices."""
    worker.resources = resources
    worker.include(notes.jobs)
