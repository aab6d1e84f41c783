"""The wizard, on a real pseudo-terminal."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
import yaml

PROGRAM = Path(sys.executable).with_name("new-service")
SECONDS = 20
ENTER, SPACE, UP, DOWN, CTRL_C = "\r", " ", "\x1b[A", "\x1b[B", "\x03"


class Terminal:
    """A person at a terminal who reads before answering."""

    def __init__(self, *arguments: str, template: Path) -> None:
        self._child = pexpect.spawn(
            str(PROGRAM),
            ["create", "--no-lock", "--no-git", "--template", str(template), *arguments],
            env=os.environ | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
            dimensions=(50, 140),
            encoding="utf-8",
            timeout=SECONDS,
        )
        self._seen: list[str] = []

    def sees(self, text: str) -> None:
        self._child.expect_exact(text)
        self._seen.append(str(self._child.before) + text)

    def types(self, keys: str) -> None:
        self._child.send(keys)

    def answers(self, question: str, keys: str = ENTER) -> None:
        self.sees(question)
        self.types(keys)

    def is_left_with(self, code: int) -> None:
        self._child.expect(pexpect.EOF)
        self._seen.append(str(self._child.before))
        self._child.close()
        assert self._child.exitstatus == code, self.screen

    @property
    def screen(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", "".join(self._seen))

    def close(self) -> None:
        self._child.close(force=True)


@pytest.fixture
def terminal(sample_repository: Path) -> Iterator[Terminal]:
    opened = Terminal(template=sample_repository)
    yield opened
    opened.close()


def recorded(folder: Path) -> dict[str, object]:
    return yaml.safe_load((folder / ".copier-answers.yml").read_text())


def test_a_person_is_led_from_the_name_to_the_next_commands(terminal: Terminal, work: Path) -> None:
    terminal.answers("What is the service called?", "billing" + ENTER)
    terminal.answers("What does it do", ENTER)
    terminal.answers("What kind of service", ENTER)
    terminal.sees("Which features?")
    terminal.sees("observability")
    terminal.sees("OpenTelemetry")
    terminal.types(DOWN + DOWN + SPACE + ENTER)
    terminal.answers("Which team", ENTER)
    terminal.answers("Which Python", ENTER)
    terminal.answers("Which CI", DOWN + ENTER)
    terminal.sees("billing · HTTP API · rate-limit, sentry, tracing · 15 files")
    terminal.sees("the template's, updated for you")
    assert not any(work.iterdir())
    terminal.answers("Create it in ./billing?", ENTER)
    terminal.sees("✔ 15 files")
    terminal.sees("cd billing")
    terminal.is_left_with(0)
    answers = recorded(work / "billing")
    assert answers["features"] == ["rate-limit", "sentry", "tracing"]
    assert answers["ci"] == "none"


def test_an_invalid_name_is_told_at_once_and_can_be_corrected(terminal: Terminal) -> None:
    terminal.answers("What is the service called?", "Bad Name" + ENTER)
    terminal.sees("use lowercase letters, digits and dashes")
    terminal.types("\x7f" * len("Bad Name") + "good-name" + ENTER)
    terminal.answers("What does it do", CTRL_C)
    terminal.is_left_with(130)


@pytest.mark.parametrize("after", ["What is the service called?", "Which features?"])
def test_ctrl_c_writes_nothing(sample_repository: Path, work: Path, after: str) -> None:
    name = [] if "called" in after else ["--name", "billing", "--set", "description=x", "--type", "api"]
    terminal = Terminal(*name, template=sample_repository)
    terminal.answers(after, CTRL_C)
    terminal.sees("stopped; nothing was written")
    terminal.is_left_with(130)
    assert "Traceback" not in terminal.screen
    assert not any(work.iterdir())


def test_a_no_writes_nothing(sample_repository: Path, work: Path) -> None:
    answers = work.with_name("answers.yml")
    answers.write_text("description: d\nowner: o\nci: none\nfeatures: []\npython_version: '3.13'\nservice_type: api\n")
    terminal = Terminal("--name", "billing", "--answers", str(answers), template=sample_repository)
    terminal.answers("Create it in ./billing?", "n")
    terminal.sees("nothing was written")
    terminal.is_left_with(1)
    assert not any(work.iterdir())


def test_what_a_feature_needs_is_proposed(sample_repository: Path, work: Path) -> None:
    given = ["--set", "description=d", "--set", "owner=o", "--set", "ci=none", "--set", "python_version=3.13"]
    terminal = Terminal(
        "--name", "billing", "--type", "worker", "--set", "broker=kafka", *given, template=sample_repository
    )
    terminal.answers("Which features?", DOWN + DOWN + DOWN + SPACE + ENTER)
    terminal.answers("audit cannot do without postgres. Add postgres?", "n")
    terminal.answers("Which features?", ENTER)
    terminal.answers("audit cannot do without postgres. Add postgres?", "y")
    terminal.answers("Create it in ./billing?", ENTER)
    terminal.is_left_with(0)
    assert recorded(work / "billing")["features"] == ["sentry", "postgres", "audit"]


def test_i_inverts_the_features(sample_repository: Path, work: Path) -> None:
    given = ["--set", "description=d", "--set", "owner=o", "--set", "ci=none", "--set", "python_version=3.13"]
    terminal = Terminal("--name", "billing", "--type", "api", *given, template=sample_repository)
    terminal.answers("Which features?", "i" + ENTER)
    terminal.answers("Create it in ./billing?", ENTER)
    terminal.is_left_with(0)
    assert recorded(work / "billing")["features"] == ["tracing", "postgres", "audit", "load-test"]


def test_with_yes_a_person_is_asked_nothing(sample_repository: Path, work: Path) -> None:
    terminal = Terminal("--name", "billing", "--yes", template=sample_repository)
    terminal.sees("✔ 14 files")
    terminal.is_left_with(0)
    assert "?" not in terminal.screen


def test_a_mistyped_option_is_refused_before_the_first_question(sample_repository: Path) -> None:
    terminal = Terminal("--type", "cron", template=sample_repository)
    terminal.sees("'cron' is no choice")
    terminal.is_left_with(2)
    assert "What is the service called" not in terminal.screen.replace("answers: What", "")
