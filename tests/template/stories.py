"""Projects of past releases as their teams left them, and what an update to the next release must make of each.

That is computed beside the generator: file by file, with nothing but git's comparison of two folders and its merge of
one file.
"""

import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

import pytest
import yaml

from new_service.console import Console
from new_service.ownership import Owner, Ownership
from new_service.template import render
from new_service.update import Request, update

from .conftest import git, release
from .edit_kits import KITS, Kit, belongs_to_the_example, files_of
from .releases import NEXT, WORKING, Releases, past

Tree = dict[str, bytes]
ANSWERS: Final = ".copier-answers.yml"
TAGS: Final = (*past(), WORKING)
OLDEST: Final = TAGS[0]
_ROWS: Final = 6  # of answers; each release and kit takes every other one


def cases(by_default: Collection[tuple[str, str]]) -> Iterator[object]:
    """Yield every release with every kit and a few answers; all are slow, but one for each release and kit named."""
    for place, tag in enumerate(TAGS):
        for number, kit in enumerate(KITS):
            for more in range(_ROWS // 2):
                row = (place + number + 2 * more) % _ROWS
                is_default = (tag, kit) in by_default and not more
                marks = () if is_default else (pytest.mark.slow,)
                yield pytest.param((tag, kit, row), id=f"{tag}-{kit}-{row}", marks=marks)


@dataclass(frozen=True)
class Story:
    """A project as its team left it, as it was made, and as the next release would make it."""

    project: Path
    made: Path
    fresh: Path
    ownership: Ownership

    def owner(self, path: str) -> Owner:
        return self.ownership.of(PurePath(path))

    def renamed(self) -> dict[str, str]:
        """Return what the template renamed, by git's own measure."""
        flags = ("--no-index", "--name-status", "--find-renames", "-l0")
        command = ["git", "diff", *flags, self.made.name, self.fresh.name]
        listed = subprocess.run(command, cwd=self.made.parent, capture_output=True, text=True, check=False).stdout
        fields = [line.split("\t") for line in listed.splitlines() if line.startswith("R")]
        return {old.removeprefix("made/"): new.removeprefix("fresh/") for _, old, new in fields}


def tell(releases: Releases, folder: Path, tag: str, kit: Kit, answers: Mapping[str, object]) -> Story:
    """Make a project of a release, let its team do what a kit has, and commit both."""
    old, new = releases.template(tag), releases.template(NEXT)
    project = folder / "service"
    render(old, answers, project)
    made = shutil.copytree(project, folder / "made")
    recorded = recorded_answers(project)
    render(new, recorded, folder / "fresh")
    git("init", "--quiet", folder=project)
    release(project, "made")
    kit.apply(project, Ownership(old.questionnaire, recorded))
    release(project, "edited")
    return Story(project, made, folder / "fresh", Ownership(new.questionnaire, recorded))


def recorded_answers(project: Path) -> dict[str, object]:
    content = yaml.safe_load((project / ANSWERS).read_text())
    return {name: value for name, value in content.items() if not name.startswith("_")}


def contents(folder: Path) -> Tree:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files_of(folder)}


def unmerged(project: Path) -> set[str]:
    return {line.split("\t")[1] for line in git("ls-files", "--unmerged", folder=project).splitlines()}


def updated(project: Path, **flags: str) -> int:
    return update(Request(project, flags=flags, with_lock=False), Console())


def expected(story: Story) -> tuple[Tree, set[str]]:
    """Return what an update must come to, and which files it must leave as conflicts."""
    made, ours, fresh = contents(story.made), contents(story.project), contents(story.fresh)
    renamed, tree, conflicts = story.renamed(), dict(fresh), set()
    for path in {*made, *ours} - {ANSWERS}:
        old, mine, name = made.get(path), ours.get(path), renamed.get(path, path)
        if mine == old:
            continue
        if mine is None:
            tree.pop(name, None)
        elif old is None or story.owner(path) is Owner.TEAM:
            tree[path] = mine
        elif (merged := _merged(mine, old, fresh.get(name), story.made.parent)) is None:
            conflicts.add(name)
        else:
            tree[name] = merged
    if not any(belongs_to_the_example(path) for path in ours):
        tree = {path: content for path, content in tree.items() if not belongs_to_the_example(path)}
    return tree, conflicts


def _merged(mine: bytes, old: bytes, new: bytes | None, folder: Path) -> bytes | None:
    """Merge one file with git; None is a conflict."""
    if new is None or new == old:
        return None if new is None else mine
    names = ("mine", "old", "new")
    for name, content in zip(names, (mine, old, new), strict=True):
        (folder / name).write_bytes(content)
    run = subprocess.run(["git", "merge-file", "-p", *names], cwd=folder, capture_output=True, check=False)
    return None if run.returncode else run.stdout
