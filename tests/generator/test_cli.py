"""What every command shares: quick help, one place for errors, no traceback."""

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from new_service.cli import app

from .conftest import NewService, commit_all, git

PROGRAM = Path(sys.executable).with_name("new-service")
SLOW_MODULES = {"copier", "questionary", "prompt_toolkit", "jinja2", "yaml", "rich.status", "covertable"}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["create", "--help"], ["variants", "--help"], []])
def test_help_and_version_import_nothing_slow(arguments: list[str]) -> None:
    code = (
        "import sys, atexit; from new_service.cli import main; sys.argv[1:] = sys.argv[1:];"
        f"atexit.register(lambda: print('SLOW', *({SLOW_MODULES!r} & sys.modules.keys()))); main()"
    )
    run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert run.stdout.splitlines()[-1].strip() == "SLOW", run.stdout + run.stderr


def test_the_version_is_that_of_the_package(new_service: NewService) -> None:
    assert new_service("--version").out == version("new-service") + "\n"


@pytest.mark.parametrize("command", ["create", "features", "variants"])
def test_every_option_is_documented(root: Path, command: str) -> None:
    page = (root / "docs" / f"{command}.md").read_text()
    parameters = get_group(app).commands[command].params
    ways = [
        [*parameter.opts, *parameter.secondary_opts] for parameter in parameters if parameter.opts[0].startswith("-")
    ]
    assert [way for way in ways if not any(f"`{option}" in page for option in way)] == []


def test_the_program_is_installed(sample_repository: Path, work: Path) -> None:
    arguments = ["create", "--name", "billing", "--yes", "--no-lock", "--template", str(sample_repository)]
    run = subprocess.run([str(PROGRAM), *arguments], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert (work / "billing" / ".git").is_dir()


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command fail in a way that nobody thought of."""

    def explode(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("new_service.features.open_template", explode)


def test_a_bug_is_one_line_and_a_pointer(new_service: NewService, bug: None) -> None:
    outcome = new_service("features")
    assert outcome.code == 3
    assert outcome.err.splitlines() == [
        "error: this should not have happened: ZeroDivisionError: division by zero",
        "       set NEW_SERVICE_DEBUG=1, run it again, and report what it prints",
    ]


def test_a_bug_can_be_looked_at(bug: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW_SERVICE_DEBUG", "1")
    assert isinstance(CliRunner().invoke(app, ["features"]).exception, ZeroDivisionError)


def test_a_terminal_without_unicode_gets_no_traceback(sample_repository: Path, work: Path) -> None:
    arguments = ["create", "--name", "billing", "--yes", "--no-lock", "--template", str(sample_repository)]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    run = subprocess.run([str(PROGRAM), *arguments], capture_output=True, text=True, env=environment, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert "? first commit" in run.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_leaves_nothing_behind(template: Path, work: Path, number: signal.Signals, code: int) -> None:
    (template / "template" / "endless.txt.jinja").write_text(
        "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}"
    )
    commit_all(template)
    arguments = ["create", "a/billing", "--name", "billing", "--yes", "--no-lock", "--template", str(template)]
    process = subprocess.Popen([str(PROGRAM), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not any(work.glob("a/.billing.*/*")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert "✔" not in out
    assert not any(work.iterdir())


def test_a_reader_that_goes_away_is_no_error(sample_repository: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [PROGRAM, "features", "--template", sample_repository]
    run = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert run.stderr == ""


def test_an_outer_hooks_repository_is_left_alone(
    new_service: NewService, work: Path, identity: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = work.with_name("outer")
    git("init", "--quiet", str(outer), folder=work)
    monkeypatch.setenv("GIT_DIR", str(outer / ".git"))
    assert new_service("create", "--name", "billing", "--yes", "--no-lock").code == 0
    monkeypatch.delenv("GIT_DIR")
    assert git("log", "--format=%s", folder=work / "billing").startswith("Create the service")
    assert git("count-objects", folder=outer).startswith("0 objects")
