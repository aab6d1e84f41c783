import sys
from pathlib import Path

import pytest

from new_service.answers import Answers
from new_service.project import Project
from new_service.steps import Step

ANSWERS = Answers(service_name="billing", package_name="billing", service_type="worker")


def program(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)


def commands(folder: str = "billing") -> list[str]:
    return [*Project(Path(folder), ANSWERS).next_commands()]


@pytest.fixture
def path(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is the whole PATH."""
    monkeypatch.setenv("PATH", str(work / "bin"))
    return work / "bin"


def test_the_shortest_command_that_works_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    assert commands() == ["cd billing", "uv run just dev", "uv run just test"]


def test_a_just_on_path_is_enough(path: Path) -> None:
    program(path, "just")
    assert commands() == ["cd billing", "just dev", "just test"]


def test_an_uv_that_is_not_on_path_is_told_with_its_path(path: Path) -> None:
    assert Path(commands()[1].removesuffix(" run just dev")).is_file()
    program(path, "uv")
    assert commands()[1] == "uv run just dev"


def test_a_folder_with_a_space_can_be_typed(path: Path) -> None:
    assert commands("my services/billing")[0] == "cd 'my services/billing'"


def test_a_failed_step_decides_the_exit_code() -> None:
    project = Project(Path("billing"), ANSWERS, steps=[Step("a", "done"), Step("b", "skipped")])
    assert project.exit_code == 0
    project.steps.append(Step("c", "failed"))
    assert project.exit_code == 3


def test_a_bot_is_told_what_it_needs(path: Path) -> None:
    bot = ANSWERS.model_copy(update={"service_type": "bot"})
    [_, dev, _] = Project(Path("billing"), bot).next_lines()
    assert "BOT_TOKEN" in dev
    assert ":9000" in dev
