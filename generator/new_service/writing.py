"""Writes a merge into a project, so that it is either there or not."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from . import git
from .errors import CouldNotWrite, NewServiceError, UpdateRefused
from .merge import Conflict, Merge
from .pending import QUIET, Pending, conclude, undo, write_pending
from .steps import LOCK_FILE
from .worktree import WorkTree


def write(work_tree: WorkTree, merged: Merge, command: str, release: str) -> None:
    """Bring a merge into work tree and index, with markers and unmerged entries where it conflicts.

    An error or an interruption leaves the project as it was. Raises UpdateRefused for files in the way, CouldNotWrite.
    """
    changes = merged.objects.changes(merged.before, merged.tree, renames=False)
    before = merged.objects.entries(merged.before)
    _refuse_hidden(work_tree, [change.path for change in changes if change.kind == "added"], {*before})
    paths = {change.path for change in changes} | {conflict.path for conflict in merged.conflicts}
    if LOCK_FILE in before or not (work_tree.top / work_tree.prefix / LOCK_FILE).exists():
        paths.add(LOCK_FILE)  # it is resolved anew after this
    whole = merged.tree
    if work_tree.prefix:
        whole = merged.objects.tree(merged.objects.entries(merged.tree), work_tree.prefix, work_tree.head)
    pending = Pending(
        work_tree.head, whole, command, release,
        sorted(work_tree.prefix + path for path in paths),
        [work_tree.prefix + conflict.path for conflict in merged.conflicts],
    )  # fmt: skip
    checkout = (*QUIET, "read-tree", "-u", "-m", "HEAD", whole)
    _refuse_changed(work_tree, *checkout)
    with _undone_on_failure(work_tree, pending):
        git.run(*checkout, folder=work_tree.top)
        names = {merged.sides[0]: "yours", merged.sides[1]: f"template {release}"}
        for conflict in merged.conflicts:
            _name_sides(work_tree.top / work_tree.prefix / conflict.path, names)
        _leave_unmerged(work_tree, merged.conflicts)
        conclude(work_tree, pending)


@contextmanager
def _undone_on_failure(work_tree: WorkTree, pending: Pending) -> Iterator[None]:
    try:
        write_pending(work_tree, pending)
        yield
    except BaseException as error:
        with _undisturbed():
            _take_back(work_tree, pending, error)
        if isinstance(error, OSError):
            raise CouldNotWrite(f"the update could not be written: {error}", "the project is as it was") from error
        raise


def _take_back(work_tree: WorkTree, pending: Pending, cause: BaseException) -> None:
    try:
        undo(work_tree, pending)
    except (NewServiceError, OSError) as error:  # as on a disk that is full
        raise CouldNotWrite(
            f"the update is half written ({cause or type(cause).__name__}) and could not be taken back: {error}",
            "mend that, then run: new-service update --abort",
        ) from cause


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


def _refuse_changed(work_tree: WorkTree, *checkout: str) -> None:
    """Let git look, before anything is written, for what was edited while all this was prepared."""
    try:
        git.run(*checkout, "-n", folder=work_tree.top)
    except git.GitFailed as error:
        raise UpdateRefused(
            f"the project has changed meanwhile: {error.message}", "commit it, and run the command again"
        ) from error


def _refuse_hidden(work_tree: WorkTree, added: Sequence[str], known: set[str]) -> None:
    """Git overwrites files that it ignores; a team's must not be lost."""
    project = work_tree.top / work_tree.prefix
    taken = [path for path in added if _is_taken(project, path, known)]
    if taken:
        raise UpdateRefused(
            f"something that is not in git stands where the template brings {', '.join(taken)}",
            "commit or move it, and run the command again",
        )


def _is_taken(project: Path, path: str, known: set[str]) -> bool:
    for parent in reversed(PurePosixPath(path).parents[:-1]):
        if parent.as_posix() in known:
            return False  # a file of the commit's makes room for a folder
        if os.path.lexists(project / parent) and ((project / parent).is_symlink() or not (project / parent).is_dir()):
            return True
    there = project / path
    if there.is_dir() and not there.is_symlink():
        below = (file for file in there.rglob("*") if not file.is_dir() or file.is_symlink())
        return any(file.relative_to(project).as_posix() not in known for file in below)
    return os.path.lexists(there)


def _name_sides(path: Path, names: Mapping[str, str]) -> None:
    if path.is_symlink() or not path.is_file():
        return
    content = path.read_bytes()
    for commit, name in names.items():
        content = content.replace(commit.encode(), name.encode())
    path.write_bytes(content)


def _leave_unmerged(work_tree: WorkTree, conflicts: Sequence[Conflict]) -> None:
    lines: list[str] = []
    for conflict in conflicts:
        path = work_tree.prefix + conflict.path
        lines.append(f"0 {'0' * len(work_tree.head)}\t{path}\0")
        lines += [f"{entry.mode} {entry.oid} {stage}\t{path}\0" for stage, entry in sorted(conflict.stages.items())]
    if lines:
        update = git.start(*QUIET, "update-index", "-z", "--index-info", folder=work_tree.top, reads=True)
        update.result("".join(lines))
