"""Writes a merge into a project, so that it is either there or not, and takes it back until it is committed.

Before the first file changes, what is about to change is noted beside git's own state. An error or a signal undoes it
at once; after a crash, or when a person thinks better of it, `--abort` does.
"""

import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from . import git
from .errors import CouldNotWrite, UpdateRefused
from .merge import Conflict, Merge
from .steps import LOCK_FILE
from .worktree import WorkTree

_REMOVED = "0" * 40
_QUIET = ("-c", "core.hooksPath=/dev/null", "--literal-pathspecs")


@dataclass(frozen=True)
class Pending:
    """An update that is in the work tree and not yet committed. Paths are relative to the repository's top."""

    head: str
    command: str
    release: str
    paths: Sequence[str]
    conflicts: Sequence[str]


def read_pending(work_tree: WorkTree) -> Pending | None:
    """Return what waits to be committed; None once HEAD has moved, or when nothing does."""
    try:
        pending = Pending(**json.loads(_note(work_tree).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return pending if pending.head == work_tree.head else None


def forget(work_tree: WorkTree) -> None:
    """Let go of the way back."""
    _note(work_tree).unlink(missing_ok=True)


def write(work_tree: WorkTree, merged: Merge, command: str, release: str) -> None:
    """Bring a merge into work tree and index, with markers and unmerged entries where it conflicts.

    An error or an interruption leaves the project as it was. Raises UpdateRefused for files in the way.
    """
    changes = [*merged.objects.changes(merged.before, merged.tree, renames=False)]
    _refuse_hidden(work_tree, [change.path for change in changes if change.kind == "added"])
    paths = {change.path for change in changes} | {conflict.path for conflict in merged.conflicts}
    lock = work_tree.top / work_tree.prefix / LOCK_FILE
    if LOCK_FILE in merged.objects.entries(merged.before) or not lock.exists():
        paths.add(LOCK_FILE)  # it is resolved anew after this
    whole = merged.tree
    if work_tree.prefix:
        whole = merged.objects.tree(merged.objects.entries(merged.tree), work_tree.prefix, work_tree.head)
    pending = Pending(
        work_tree.head, command, release,
        sorted(work_tree.prefix + path for path in paths),
        [work_tree.prefix + conflict.path for conflict in merged.conflicts],
    )  # fmt: skip
    with _undone_on_failure(work_tree, pending):
        git.run(*_QUIET, "read-tree", "-u", "-m", "HEAD", whole, folder=work_tree.top)
        names = {merged.sides[0]: "yours", merged.sides[1]: f"template {release}"}
        for conflict in merged.conflicts:
            _name_sides(work_tree.top / work_tree.prefix / conflict.path, names)
        _leave_unmerged(work_tree, merged.conflicts)


def undo(work_tree: WorkTree, pending: Pending) -> None:
    """Give the files of an update back their state of before; others are left alone."""
    tree = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", pending.head, folder=work_tree.top)
    known = set(tree.split("\0"))
    listed = "\0".join(pending.paths)
    reset = git.start(
        *_QUIET, "reset", "--quiet", "--pathspec-from-file=-", "--pathspec-file-nul", pending.head,
        folder=work_tree.top, reads=True,
    )  # fmt: skip
    reset.result(listed)
    for path in pending.paths:
        if path not in known:
            _remove(work_tree.top, path)
    restored = "\0".join(path for path in pending.paths if path in known)
    checkout = ("checkout-index", "--force", "--index", "--quiet", "-z", "--stdin")
    git.start(*_QUIET, *checkout, folder=work_tree.top, reads=True).result(restored)
    forget(work_tree)


def unresolved(work_tree: WorkTree, pending: Pending) -> list[str]:
    """Return the conflicts that still wait: unmerged, or with a marker left in them."""
    unmerged = git.run("diff", "--name-only", "--diff-filter=U", "-z", folder=work_tree.top).split("\0")
    waiting = [path for path in pending.conflicts if path in unmerged or _has_marker(work_tree.top / path)]
    return sorted({*waiting, *filter(None, unmerged)})


@contextmanager
def _undone_on_failure(work_tree: WorkTree, pending: Pending) -> Iterator[None]:
    note = _note(work_tree)
    try:
        note.parent.mkdir(exist_ok=True)
        written = note.with_suffix(".new")
        written.write_text(json.dumps(asdict(pending)), encoding="utf-8")
        written.replace(note)  # whole or not at all
        yield
    except BaseException as error:
        with _undisturbed():
            undo(work_tree, pending)
        if isinstance(error, OSError):
            raise CouldNotWrite(f"the update could not be written: {error}", "the project is as it was") from error
        raise


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no second signal stop the way back."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse_hidden(work_tree: WorkTree, added: Sequence[str]) -> None:
    """Git overwrites files that it ignores; a team's must not be lost."""
    taken = [path for path in added if os.path.lexists(work_tree.top / work_tree.prefix / path)]
    if taken:
        raise UpdateRefused(
            f"the template brings {', '.join(taken)}, which is there already and not in git",
            "commit or move it, and run the command again",
        )


def _name_sides(path: Path, names: Mapping[str, str]) -> None:
    if path.is_symlink() or not path.is_file():
        return
    content = path.read_bytes()
    for commit, name in names.items():
        content = content.replace(commit.encode(), name.encode())
    path.write_bytes(content)


def _leave_unmerged(work_tree: WorkTree, conflicts: Sequence[Conflict]) -> None:
    lines = [
        line
        for conflict in conflicts
        for line in (
            f"0 {_REMOVED}\t{work_tree.prefix}{conflict.path}\0",
            *(
                f"{entry.mode} {entry.oid} {stage}\t{work_tree.prefix}{conflict.path}\0"
                for stage, entry in sorted(conflict.stages.items())
            ),
        )
    ]
    if lines:
        update = git.start(*_QUIET, "update-index", "-z", "--index-info", folder=work_tree.top, reads=True)
        update.result("".join(lines))


def _has_marker(path: Path) -> bool:
    with suppress(OSError):
        return any(line.startswith((b"<<<<<<< yours", b">>>>>>> template ")) for line in path.read_bytes().splitlines())
    return False


def _remove(top: Path, path: str) -> None:
    (top / path).unlink(missing_ok=True)
    for folder in (top / path).parents:
        if folder == top:
            return
        with suppress(OSError):  # something else is in it
            folder.rmdir()


def _note(work_tree: WorkTree) -> Path:
    return work_tree.state / "pending.json"
