"""What this worker serves."""

from .chassis.attempts import Worker
from .notes import jobs as notes
from .resources import Resources
from .trials import jobs as trials


def configure(worker: Worker, resources: Resources) -> None:
    """Add our slices."""
    worker.resources = resources
    worker.include(notes.jobs)
    worker.include(trials.jobs)
