"""The three-way merge of two renders of a template with what a team made of the first, on git's own merge-tree.

What git cannot know is added before it merges: a file that the team owns and changed is the same on all sides, a file
that the team deleted is on none, and the answers file is always the new render's.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath

from .objects import Change, Entries, Entry, Merged, Objects
from .recorded import ANSWERS_FILE

_BASE, _OURS, _THEIRS = 1, 2, 3
_WANTED = {
    frozenset({_BASE, _OURS, _THEIRS}): "both changed it",
    frozenset({_OURS, _THEIRS}): "you added it, and so does the template",
    frozenset({_BASE, _OURS}): "you changed it, the template removes it",
    frozenset({_BASE, _THEIRS}): "you removed or renamed it, the template changes it",
    frozenset({_BASE}): "you and the template renamed it, each otherwise",
    frozenset({_OURS}): "you put it where the template puts something else",
    frozenset({_THEIRS}): "the template puts it where you put something else",
}


@dataclass(frozen=True)
class Sides:
    """The files of the older render, of the team's commit, and of the newer render."""

    base: Entries
    ours: Entries
    theirs: Entries


@dataclass(frozen=True)
class Conflict:
    """A file that both sides want otherwise; it waits for a person."""

    path: str
    wanted: str
    stages: Mapping[int, Entry] = field(repr=False)


@dataclass(frozen=True)
class Merge:
    """What comes of a merge, still in the object store. `before` and `tree` are of the project's folder."""

    objects: Objects = field(repr=False)
    before: str
    tree: str
    sides: tuple[str, str]  # what its markers call ours and theirs
    conflicts: tuple[Conflict, ...]
    missed: tuple[str, ...]  # the template's files that the team deleted or renamed, and that the template changes
    kept: Mapping[str, str]  # the team's files that it changed, with the patch that the template has for them

    @cached_property
    def changes(self) -> list[Change]:
        """What the project gets, conflicts left out."""
        open_ = {conflict.path for conflict in self.conflicts}
        return [change for change in self.objects.changes(self.before, self.tree) if change.path not in open_]


def merge(objects: Objects, before: str, renders: tuple[Entries, Entries], is_team: Callable[[str], bool]) -> Merge:
    """Merge the way from one render to the other into the tree of a project."""
    sides = Sides(renders[0], objects.entries(before), renders[1])
    base, theirs = _settle(sides, is_team, objects)
    merged = objects.merge(objects.tree(base), before, objects.tree(theirs))
    return Merge(
        objects=objects,
        before=before,
        tree=merged.tree,
        sides=merged.sides,
        conflicts=tuple(_conflicts(merged)),
        missed=tuple(
            path
            for path, entry in sorted(sides.base.items())
            if path not in sides.ours and entry != sides.theirs.get(path, entry) and not is_team(path)
        ),
        kept=dict(_kept(sides, is_team, objects)),
    )


def _kept(sides: Sides, is_team: Callable[[str], bool], objects: Objects) -> Iterator[tuple[str, str]]:
    for path in sorted({*sides.base, *sides.theirs}):
        old, mine, new = (side.get(path) for side in (sides.base, sides.ours, sides.theirs))
        if mine is not None and old != new and mine not in {old, new} and is_team(path):
            before, after = (objects.tree({path: entry} if entry else {}) for entry in (old, new))
            yield path, objects.diff(before, after)


def _settle(sides: Sides, is_team: Callable[[str], bool], objects: Objects) -> tuple[Entries, Entries]:
    """Return the base and their side as git gets them."""
    base, theirs = dict(sides.base), dict(sides.theirs)
    for path in {*base, *theirs}:
        mine = sides.ours.get(path)
        if mine is not None and mine != sides.base.get(path) and is_team(path):
            base[path] = theirs[path] = mine
    for path in {*_deleted(sides, objects), *_of_deleted_folders(sides, is_team)}:
        base.pop(path, None)
        theirs.pop(path, None)
    if ANSWERS_FILE in sides.ours:
        base[ANSWERS_FILE] = sides.ours[ANSWERS_FILE]
    return base, theirs


def _deleted(sides: Sides, objects: Objects) -> set[str]:
    """Return what the team deleted, under its old and, where the template renamed it, under its new name."""
    gone = {path for path in sides.base if path not in sides.ours}
    if not gone:
        return gone
    names = {
        change.old_path: change.path
        for change in objects.changes(objects.tree(sides.base), objects.tree(sides.theirs))
        if change.kind == "renamed"
    }
    return gone | {names[path] for path in gone if path in names}


def _of_deleted_folders(sides: Sides, is_team: Callable[[str], bool]) -> Iterator[str]:
    """Yield the new files of the team's that belong to an example of which the team kept nothing."""
    rendered = {folder for path in sides.base for folder in PurePath(path).parents}
    left = {folder for path in sides.base if path in sides.ours for folder in PurePath(path).parents}
    for path in sides.theirs:
        if path not in sides.base and path not in sides.ours and is_team(path):
            folder = next(folder for folder in PurePath(path).parents if folder in rendered)
            if folder not in left:
                yield path


def _conflicts(merged: Merged) -> Iterator[Conflict]:
    for path, stages in merged.unmerged.items():
        yield Conflict(path, _WANTED.get(frozenset(stages), "both changed it"), stages)
