"""Hostile answers through the ways that people take: the command line, an answers file, plain copier."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
import yaml
from copier import run_copy
from copier.errors import CopierError

from tests.answer_sets import REFUSED, VALID, Answers

from .hostile.promises import HARMLESS, files, keeps_every_promise

PROGRAM: Final = Path(sys.executable).with_name("new-service")
LAUGHS: Final = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]" for n in range(1, 20))])

ARGUMENTS: Final[Mapping[str, list[str | bytes]]] = {
    "bytes-that-are-no-text": ["--name=billing", b"--set=description=caf\xe9"],
    "a-second-owner": ["--name=billing", "--set=owner=@a/b\n* @evil"],
    "a-way-out-of-the-folder": ["--name=billing", "--set=package_name=../../../escape"],
    "a-way-out-by-name": ["--name=../billing"],
    "a-line-of-a-dockerfile": ["--name=billing", "--set=base_image=python:3\nRUN id"],
    "no-end": ["--name=billing", f"--set=description={'x' * 10_000}"],
}
CONTENTS: Final[Mapping[str, str | bytes]] = {
    "nul": 'service_name: billing\ndescription: "a\\0b"\n',
    "newline": 'service_name: billing\ndescription: "a\\nb"\n',
    "line-separator": 'service_name: billing\nowner: "a\\Lb"\n',
    "surrogate": 'service_name: billing\ndescription: "a\\ud800"\n',
    "billion-laughs": f"service_name: billing\n{LAUGHS}\nowner: *a19\n",
    "laughing-features": f"service_name: billing\n{LAUGHS}\nfeatures: *a19\n",
    "python-object": "service_name: !!python/object/apply:os.system [id]\n",
    "other-encoding": "service_name: billing\ndescription: caf\xe9\n".encode("latin-1"),
}


# One of each question; all of them go through copier's own code in test_hostile_answers.py, too.
COPIED: Final = (
    "name-with-a-path", "package-with-a-path", "description-is-no-utf-8", "owner-with-a-newline", "image-with-a-newline",
    "repository-with-a-path",
)  # fmt: skip


def is_refused_without_a_trace(arguments: list[str | bytes], template: Path, folder: Path) -> None:
    before = everything(folder)
    command: list[str | bytes] = [str(PROGRAM), "create", "--yes", "--template", str(template), *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=60)
    lines = run.stderr.decode().splitlines()
    assert run.returncode == 2, lines
    assert lines
    assert all(line.startswith(("error: ", "       ")[number % 2]) for number, line in enumerate(lines)), lines
    assert max(map(len, lines)) < 400
    assert run.stdout == b""
    assert everything(folder) == before


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_command_line_refuses_in_two_lines(name: str, template_repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "within/folder"
    folder.mkdir(parents=True)
    is_refused_without_a_trace(ARGUMENTS[name], template_repository, folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["within", "folder"]


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_of_answers_is_refused_in_two_lines(name: str, template_repository: Path, tmp_path: Path) -> None:
    content = CONTENTS[name]
    (tmp_path / "answers.yml").write_bytes(content if isinstance(content, bytes) else content.encode())
    is_refused_without_a_trace(["--answers=answers.yml"], template_repository, tmp_path)


@pytest.mark.parametrize("name", COPIED)
def test_plain_copier_refuses_too(name: str, template_repository: Path, tmp_path: Path) -> None:
    with pytest.raises((CopierError, ValueError)):
        plain_copy(template_repository, REFUSED[name][0], tmp_path / "service")
    assert [*tmp_path.iterdir()] == []


def test_plain_copier_keeps_the_same_promises(template_repository: Path, tmp_path: Path) -> None:
    plain_copy(template_repository, HARMLESS, tmp_path / "harmless")
    plain_copy(template_repository, VALID["hostile-description"], tmp_path / "service")
    written = files(tmp_path / "service")
    recorded = yaml.safe_load(written[".copier-answers.yml"])
    answers = {name: value for name, value in recorded.items() if not name.startswith("_")}
    assert VALID["hostile-description"].items() <= answers.items()
    keeps_every_promise(written, answers, files(tmp_path / "harmless"))


def everything(folder: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def plain_copy(template: Path, answers: Answers, folder: Path) -> None:
    run_copy(str(template), folder, dict(answers), vcs_ref="HEAD", defaults=True, quiet=True)
