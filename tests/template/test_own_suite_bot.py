"""Layer 2 for bots: a created bot passes its own suite and checks, with all features and with none."""

import shutil
from pathlib import Path

import pytest

from .conftest import MakeProject, uv
from .test_own_suite import RESOURCES_WITHOUT_THE_EXAMPLE, assert_checks_pass, assert_suite_passes, just

BOT_WITHOUT_THE_EXAMPLE = '''"""What this bot serves: nothing yet."""

from aiogram import Dispatcher


def configure(app: Dispatcher, resources: None) -> None:
    """Add slices here."""
    app["resources"] = resources
'''


@pytest.fixture(scope="module")
def project(make_project: MakeProject) -> Path:
    """Return a created bot with its environment. Read only."""
    folder = make_project(service_name="chat-notes", package_name="chat_notes_bot", service_type="bot")
    uv("sync", "--quiet", "--locked", folder=folder)
    return folder


def copied(project: Path, folder: Path) -> Path:
    folder = shutil.copytree(project, folder, ignore=shutil.ignore_patterns(".venv"))
    uv("sync", "--quiet", "--locked", folder=folder)
    return folder


def test_its_suite_passes_with_its_coverage_gate(project: Path) -> None:
    assert_suite_passes(project)


def test_its_checks_pass(project: Path) -> None:
    assert_checks_pass(project)


def test_it_passes_without_any_feature(make_project: MakeProject) -> None:
    folder = make_project("minimal", service_name="chat-notes", service_type="bot")
    uv("sync", "--quiet", "--locked", folder=folder)
    assert_suite_passes(folder)
    assert_checks_pass(folder)


def test_it_can_be_tried_with_one_command(project: Path) -> None:
    run = just("smoke", "/help", "/note", folder=project)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "/note -> What is its title?" in run.stdout
    assert "SIGTERM -> exit code 0" in run.stdout


@pytest.mark.slow
def test_its_suite_passes_whatever_the_team_has_configured(project: Path, tmp_path: Path) -> None:
    folder = copied(project, tmp_path / "copy")
    (folder / "config/base.yaml").write_text("log_level: warning\nbot_mode: webhook\n")
    (folder / ".env").write_text("OPS_PORT=9100\nLOG_LEVEL=debug\nBOT_TOKEN=1:another\nTELEGRAM_API_URL=http://127.0.0.1:9\n")
    run = just("test", "--quiet", "--no-cov", folder=folder)
    assert run.returncode == 0, run.stdout


def test_without_the_example_everything_still_passes(project: Path, tmp_path: Path) -> None:
    folder = copied(project, tmp_path / "copy")
    for example in ("src/chat_notes_bot/notes", "tests/notes"):
        shutil.rmtree(folder / example)
    (folder / "src/chat_notes_bot/resources.py").write_text(RESOURCES_WITHOUT_THE_EXAMPLE)
    (folder / "src/chat_notes_bot/bot.py").write_text(BOT_WITHOUT_THE_EXAMPLE)
    run = just("test", "--quiet", "--no-cov", folder=folder)
    assert run.returncode == 0, run.stdout
    run = just("check", folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
