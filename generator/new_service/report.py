"""How `update`, `add` and `remove` tell what they bring."""

from collections.abc import Iterator

from .console import Console
from .objects import Change
from .renewal import Renewal


def show_renewal(renewal: Renewal, console: Console, *, with_diff: bool) -> None:
    """Print what comes: the files, the conflicts, what is left to be done by hand, and what the releases say."""
    console.line(_headline(renewal), style="bold")
    if renewal.is_nothing:
        console.line("    nothing changes")
    for change in renewal.merge.changes:
        console.line(f"    {change.kind:<9} {_where(change)}")
    for conflict in renewal.merge.conflicts:
        console.line(f"    conflict  {conflict.path}: {conflict.wanted}", style="red")
    for line in _by_hand(renewal):
        console.line(line)
    for name, value in renewal.defaulted.items():
        console.line(f"new question: {name} = {value}   (another answer: --set {name}=…)")
    for line in _changelog(renewal):
        console.line(line)
    if with_diff:
        console.line()
        for line in renewal.merge.objects.diff(renewal.merge.before, renewal.merge.tree).splitlines():
            console.line(line)


def next_lines(renewal: Renewal) -> list[str]:
    """Return what to type next."""
    if renewal.merge.conflicts:
        return [
            "",
            "    resolve the conflicts and `git add` them; then: new-service update --continue",
            "    or take all of it back:                        new-service update --abort",
        ]
    return [
        "",
        "    git diff HEAD   to review it, then commit",
        "    new-service update --abort   takes it back",
    ]


def _headline(renewal: Renewal) -> str:
    old, new = renewal.old.commit, renewal.new.commit
    if old != new:
        return f"{renewal.opened.name} · {old} → {new}"
    before = renewal.opened.recorded.answers.get("features", [])
    was = set(before) if isinstance(before, list) else set()
    now = set(renewal.answers.features)
    toggled = [*(f"+{name}" for name in sorted(now - was)), *(f"-{name}" for name in sorted(was - now))]
    return f"{renewal.opened.name} · {' '.join(toggled) or new}"


def _where(change: Change) -> str:
    return f"{change.old_path} → {change.path}" if change.old_path else change.path


def _by_hand(renewal: Renewal) -> Iterator[str]:
    for path in renewal.merge.missed:
        yield f"    missed    {path}: you removed or renamed it, the template changes it"
    if renewal.merge.kept:
        yield "yours and edited, so left as they are; this is what the template has for them:"
    for path, patch in renewal.merge.kept.items():
        yield f"    {path}"
        yield from (f"        {line}" for line in patch.splitlines()[2:])


def _changelog(renewal: Renewal) -> Iterator[str]:
    for release in renewal.releases:
        yield f"{release.version}{f' ({release.date})' if release.date else ''}"
        yield from (f"    {line}".rstrip() for line in release.text.splitlines())
