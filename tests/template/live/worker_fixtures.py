"""Fixtures of the worker's proofs: a service with jobs that behave as the tests want, and its broker."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from new_service.template import Template

from .job_queue import Record, Valkey
from .runner import Project, Running

REDELIVERY_SECONDS = 3


@pytest.fixture(scope="session")
def worker_project(pytestconfig: pytest.Config, template: Template, workshop: Path) -> Project:
    """Return the extended worker, ready to be started; broken, where a sabotage is given. Read only."""
    from .conftest import extended, sabotage  # noqa: PLC0415 - it imports this module

    answers = {"service_name": "proving", "service_type": "worker"}
    return extended(template, answers, workshop / "worker", sabotage(pytestconfig, "worker"))


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with Valkey(tmp_path / "valkey") as valkey:
        yield valkey


@dataclass(frozen=True)
class Workers:
    """Starts workers of one queue, which write into one record."""

    project: Project
    valkey: Valkey
    record: Record
    folder: Path

    def start(self, name: str = "worker", **settings: Any) -> AbstractContextManager[Running]:
        given = {"BROKER_URL": self.valkey.url(), "RECORD": str(self.record.path)}
        given["WORKER_REDELIVERY_SECONDS"] = str(REDELIVERY_SECONDS)
        return self.project.started(self.folder / f"{name}.log", **given | settings)


@pytest.fixture
def workers(worker_project: Project, valkey: Valkey, tmp_path: Path) -> Workers:
    return Workers(worker_project, valkey, Record(tmp_path / "record"), tmp_path)


@pytest.fixture
def worker(workers: Workers) -> Iterator[Running]:
    """Yield one worker, ready."""
    with workers.start() as running:
        yield running
