"""What an update is about to do, or has done and nobody has committed yet: noted beside git's own state.

The note is written before the first file changes, so that an error, a signal or a person can take everything back.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote

from . import git
from .errors import UpdateRefused
from .steps import LOCK_FILE
from .worktree import WorkTree

QUIET = (*git.NO_HOOKS, "--literal-pathspecs")


@dataclass(frozen=True)
class Pending:
    """An update in the work tree. Paths are relative to the repository's top; `tree` is what it makes of the whole.

    It `is_whole` once everything is written; until then only the way back is left.
    """

    head: str
    tree: str
    command: str
    release: str
    paths: Sequence[str]
    conflicts: Sequence[str]
    is_whole: bool = False


def read_pending(work_tree: WorkTree) -> Pending | None:
    """Return what waits to be committed; None once HEAD has moved, or when nothing does."""
    try:
        pending = Pending(**json.loads(_note(work_tree).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return pending if pending.head == work_tree.head else None


def write_pending(work_tree: WorkTree, pending: Pending) -> None:
    """Note what comes; the note is there whole or not at all."""
    note = _note(work_tree)
    note.parent.mkdir(exist_ok=True)
    written = note.with_suffix(".new")
    written.write_text(json.dumps(asdict(pending)), encoding="utf-8")
    written.replace(note)


def conclude(work_tree: WorkTree, pending: Pending) -> None:
    """Note that all of it has been written."""
    write_pending(work_tree, replace(pending, is_whole=True))


def forget(work_tree: WorkTree) -> None:
    """Let go of the way back."""
    _note(work_tree).unlink(missing_ok=True)


def undo(work_tree: WorkTree, pending: Pending) -> None:
    """Give the files of an update back their state of before. Raises UpdateRefused for what somebody changed since."""
    tree = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", pending.head, folder=work_tree.top)
    known = set(tree.split("\0"))
    _refuse_to_lose(work_tree, pending, known)
    reset = ("reset", "--quiet", "--pathspec-from-file=-", "--pathspec-file-nul", pending.head)
    _give(work_tree, pending.paths, *reset)
    for path in pending.paths:
        if path not in known:
            _remove(work_tree.top, path)
    restored = [path for path in pending.paths if path in known]
    _give(work_tree, restored, "checkout-index", "--force", "--index", "--quiet", "-z", "--stdin")
    forget(work_tree)


def unresolved(work_tree: WorkTree, pending: Pending) -> list[str]:
    """Return the conflicts that still wait: unmerged, or with a marker left in them."""
    unmerged = git.run("diff", "--name-only", "--diff-filter=U", "-z", folder=work_tree.top).split("\0")
    waiting = [path for path in pending.conflicts if path in unmerged or _has_marker(work_tree.top / path)]
    return sorted({*waiting, *filter(None, unmerged)})


def _refuse_to_lose(work_tree: WorkTree, pending: Pending, known: set[str]) -> None:
    """What is neither as before nor as the update wrote it is somebody's work; a conflict is meant to be edited."""
    foreign = {*_below_restored(work_tree, pending, known)}
    if pending.is_whole:
        since = (_changed(work_tree, tree, pending.paths) for tree in (pending.tree, pending.head))
        foreign |= set.intersection(*since) - {*pending.conflicts, work_tree.prefix + LOCK_FILE}
    if foreign:
        raise UpdateRefused(
            f"changed since the update: {', '.join(sorted(foreign))}",
            "commit or stash that, or give it up with `git checkout HEAD -- FILE`, and run the command again",
        )


def _changed(work_tree: WorkTree, tree: str, paths: Sequence[str]) -> set[str]:
    changed = git.run("diff", "--name-only", "--no-renames", "-z", tree, folder=work_tree.top)
    there = {path for path in paths if (work_tree.top / path).is_file()}  # one that is gone holds nobody's work
    return {*changed.split("\0")} & there


def _below_restored(work_tree: WorkTree, pending: Pending, known: set[str]) -> Iterator[str]:
    """Yield the files of others in a folder that has to become a file again."""
    for path in pending.paths:
        folder = work_tree.top / path
        if path in known and folder.is_dir() and not folder.is_symlink():
            below = (file.relative_to(work_tree.top).as_posix() for file in folder.rglob("*") if not file.is_dir())
            yield from (file for file in below if file not in pending.paths)


def _give(work_tree: WorkTree, paths: Sequence[str], *arguments: str) -> None:
    git.start(*QUIET, *arguments, folder=work_tree.top, reads=True).result("\0".join(paths))


def _has_marker(path: Path) -> bool:
    with suppress(OSError):
        return any(line.startswith((b"<<<<<<< yours", b">>>>>>> template ")) for line in path.read_bytes().splitlines())
    return False


def _remove(top: Path, path: str) -> None:
    with suppress(OSError):  # somebody put a folder there, or it cannot be written: git says so if it matters
        (top / path).unlink()
    for folder in (top / path).parents:
        if folder == top:
            return
        with suppress(OSError):  # something else is in it
            folder.rmdir()


def _note(work_tree: WorkTree) -> Path:
    project = f"-{quote(work_tree.prefix, safe='')}" if work_tree.prefix else ""  # one for each of a repository
    return work_tree.git_dir / "new-service" / f"pending{project}.json"
