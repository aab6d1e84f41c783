"""The end of `update`, `add` and `remove`: show what comes, write it, lock; or take it back, or conclude it."""

import time
from collections.abc import Mapping
from pathlib import Path

from . import git
from .console import Console
from .errors import COULD_NOT, NO, Interrupted, Unresolved, UpdateRefused, UsageError
from .pending import Pending, forget, read_pending, undo, unresolved
from .renewal import Renewal
from .report import next_lines, show_renewal
from .steps import LOCK_FILE, Step, lock, timed
from .worktree import WorkTree, open_work_tree
from .writing import write


def finish(renewal: Renewal, console: Console, *, dry_run: bool, with_lock: bool) -> int:
    """Bring a renewal into the project, unless it is only to be shown, and return the exit code."""
    show_renewal(renewal, console, with_diff=dry_run)
    if not dry_run and not renewal.is_nothing:
        _write(renewal, console)
        if with_lock:
            _lock(renewal, console)
        _show(next_lines(renewal), console)
    if console.as_json:
        console.document(renewal.as_json(with_diff=dry_run))
    if renewal.merge.conflicts:
        return NO
    return COULD_NOT if any(step.outcome == "failed" for step in renewal.steps) else 0


def refuse_beside(chosen: str, others: Mapping[str, object]) -> None:
    """Raise UsageError for options that mean nothing beside --abort or --continue."""
    beside = [name for name, value in others.items() if value]
    if beside:
        raise UsageError(f"{chosen} does not go with {', '.join(beside)}", "give one of them")


def abort(folder: Path, console: Console) -> int:
    """Take back what is not committed yet, and return the exit code."""
    work_tree, pending = _open_pending(folder)
    undo(work_tree, pending)
    console.line(f"{pending.command} taken back; the project is as it was")
    _document(console, folder, pending, "aborted")
    return 0


def go_on(folder: Path, console: Console, *, with_lock: bool) -> int:
    """Conclude an update whose conflicts are resolved, and return the exit code."""
    work_tree, pending = _open_pending(folder)
    if not pending.is_whole:
        raise UpdateRefused("the update was cut off while it was written", "take it back: new-service update --abort")
    waiting = unresolved(work_tree, pending)
    if waiting:
        raise Unresolved(
            f"not resolved yet: {', '.join(waiting)}", "edit them, git add them, and run this command again"
        )
    step = _locked(folder) if with_lock else None
    if step is not None:
        _show(step.as_lines(), console)
        if step.outcome == "failed":
            _document(console, folder, pending, f"{step.detail}; {step.remedy}")
            return COULD_NOT
    forget(work_tree)
    console.line("resolved; review it with `git diff HEAD`, and commit it")
    _document(console, folder, pending, "resolved")
    return 0


def _open_pending(folder: Path) -> tuple[WorkTree, Pending]:
    work_tree = open_work_tree(folder)
    pending = read_pending(work_tree)
    if pending is None:
        raise UpdateRefused("no update waits to be committed here", "run: new-service update")
    return work_tree, pending


def _write(renewal: Renewal, console: Console) -> None:
    start = time.perf_counter()
    count = len(renewal.merge.changes)
    try:
        write(renewal.opened.work_tree, renewal.merge, renewal.command, renewal.new.commit)
    except KeyboardInterrupt:
        raise Interrupted("stopped; the project is as it was") from None
    step = Step(f"{count} file{'' if count == 1 else 's'}", "done", time.perf_counter() - start)
    renewal.steps.append(step)
    _show(step.as_lines(), console)


def _lock(renewal: Renewal, console: Console) -> None:
    folder = renewal.opened.recorded.folder
    if any(conflict.path == "pyproject.toml" for conflict in renewal.merge.conflicts):
        step = Step("uv.lock", "skipped", detail="pyproject.toml conflicts", remedy="once it is resolved: uv lock")
    elif not _needs_lock(renewal):
        step = Step("uv.lock", "skipped", detail="the dependencies are the same")
    else:
        with console.busy("uv.lock"):
            try:
                step = _locked(folder)
            except KeyboardInterrupt:
                raise Interrupted(
                    "stopped; the update is in the project, uv.lock is not",
                    "run: uv lock; or: new-service update --abort",
                ) from None
    renewal.steps.append(step)
    _show(step.as_lines(), console)


def _locked(folder: Path) -> Step:
    step = timed("uv.lock", lambda: lock(folder))
    git.succeeds(*git.NO_HOOKS, "add", "--", LOCK_FILE, folder=folder)  # not where git ignores it
    return step


def _needs_lock(renewal: Renewal) -> bool:
    changed = any(change.path == "pyproject.toml" for change in renewal.merge.changes)
    return changed or not (renewal.opened.recorded.folder / LOCK_FILE).exists()


def _document(console: Console, folder: Path, pending: Pending, outcome: str) -> None:
    if console.as_json:
        console.document({"project": str(folder.absolute()), "command": pending.command, "outcome": outcome})


def _show(lines: list[str], console: Console) -> None:
    for line in lines:
        console.line(line)
