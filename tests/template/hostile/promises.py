"""What holds for a project, whatever was answered: each file is the one of harmless answers with other words in it."""

import ast
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pathspec import PathSpec

from tests.template.test_render import NEVER_ON_WINDOWS

from .texts import PRODUCT

# Words that stand nowhere else in the template, so that each can be replaced by an answer.
HARMLESS: Final[Mapping[str, str]] = {
    "service_name": "harmless-service",
    "package_name": "harmless_package",
    "description": "Harmless description",
    "owner": "@harmless/owner",
    "base_image": "harmless.example/base:1",
    "image_repository": "harmless.example/repository",
}
ANSWERS_FILE: Final = ".copier-answers.yml"

# github.com/distribution/reference, regexp.go; CODEOWNERS: docs.github.com, "About code owners".
PATH: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
HOST: Final = r"[A-Za-z0-9]+(?:(?:\.|-+)[A-Za-z0-9]+)*(?::[0-9]+)?"
REPOSITORY: Final = rf"(?:{HOST}/)?{PATH}(?:/{PATH})*"
IMAGE: Final = rf"{REPOSITORY}(?::[\w][\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
CODE_OWNER: Final = r"@[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)*|[A-Za-z0-9][\w.+-]*@[A-Za-z0-9][A-Za-z0-9.-]*"

PARSERS: Final[Mapping[str, Callable[[str], object]]] = {
    ".py": ast.parse, ".toml": tomllib.loads, ".yml": yaml.safe_load, ".yaml": yaml.safe_load, ".json": json.loads,
}  # fmt: skip

Files = Mapping[str, str]


def files(folder: Path) -> dict[str, str]:
    """Return every file's text by its path."""
    found = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in found}


def keeps_every_promise(written: Files, answers: Mapping[str, Any], harmless: Files) -> None:
    """Compare a project with the one of HARMLESS answers."""
    expected = {in_words_of(answers, path): (path, text) for path, text in harmless.items()}
    assert written.keys() == expected.keys()
    for path, (origin, text) in expected.items():
        if path not in {ANSWERS_FILE, "README.md"}:
            assert written[path] == in_words_of(as_the_file_writes(answers, origin), text), path
        if written[path] != text:
            is_sound(path, written[path], text)
    is_recorded(written[ANSWERS_FILE], answers)
    reads_as_text(written["README.md"], harmless["README.md"], answers)
    reads_as_text(written["docs/runbook.md"], harmless["docs/runbook.md"], answers)
    means_the_same_elsewhere(written, answers)


def in_words_of(answers: Mapping[str, Any], text: str) -> str:
    """Replace the harmless words."""
    words = {harmless: str(answers[name]) for name, harmless in HARMLESS.items()}
    return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], text)


def as_the_file_writes(answers: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Return the answers in the notation of a file, where that differs."""
    if path == "pyproject.toml":
        return {**answers, "description": json.dumps(answers["description"], ensure_ascii=False)[1:-1]}
    if path == "CODEOWNERS":
        return {**answers, "owner": answers["owner"] if "@" in answers["owner"] else f"@{answers['owner']}"}
    return answers


def is_sound(path: str, text: str, harmless: str) -> None:
    """Assert that a file parses, has no more lines than it should, and holds nothing that was evaluated."""
    PARSERS.get(Path(path).suffix, str)(text)
    assert not NEVER_ON_WINDOWS.search(Path(path).parts[1] if path.startswith("src/") else ""), path
    assert PRODUCT not in text, path
    if path != ANSWERS_FILE:  # YAML folds long texts
        assert len(text.splitlines()) == len(harmless.splitlines()), path


def is_recorded(text: str, answers: Mapping[str, Any]) -> None:
    recorded = yaml.safe_load(text)
    assert {name: value for name, value in recorded.items() if not name.startswith("_")} == answers


def reads_as_text(text: str, harmless: str, answers: Mapping[str, Any]) -> None:
    """Assert that a reader of the rendered Markdown sees the harmless document with the answers to the letter."""
    shown = [in_words_of(answers, line) for line in displayed(harmless)]
    assert displayed(text) == shown


def displayed(text: str) -> list[str]:
    """Return the blocks of a Markdown document, and the text in them as it is shown."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return [f"{token.type}{token.tag} {shown(token)}" for token in parser.parse(text)]


def shown(token: Token) -> str:
    return "".join(shown(child) for child in token.children) if token.children else token.content or token.tag


def means_the_same_elsewhere(written: Files, answers: Mapping[str, Any]) -> None:
    """Assert what no parser of Python's checks: owners, images, and that git takes every file."""
    assert re.fullmatch(rf"\* (?:{CODE_OWNER})\n", written["CODEOWNERS"], re.ASCII)
    assert re.fullmatch(IMAGE, answers["base_image"], re.ASCII)
    assert re.fullmatch(REPOSITORY, answers["image_repository"], re.ASCII)
    ignored = PathSpec.from_lines("gitignore", written[".gitignore"].splitlines())
    assert [*ignored.match_files(written)] == []
