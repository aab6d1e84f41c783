"""The parts of a bot's chassis, deeper than its own suite goes: run in the environment of a created bot."""

import shutil
from pathlib import Path

from .conftest import MakeProject, uv

PARTS = Path(__file__).with_name("parts_bot")  # not called test_*: here they could not be imported


def test_the_parts_of_a_bot(make_project: MakeProject) -> None:
    project = make_project(service_name="order-bot", service_type="bot")
    (project / "tests/parts").mkdir()
    for path in PARTS.glob("*.py"):
        shutil.copy(path, project / "tests/parts" / f"test_{path.name}")
    uv("sync", "--quiet", "--locked", folder=project)
    uv("run", "--locked", "pytest", "--quiet", "--no-cov", "tests/parts", folder=project)
