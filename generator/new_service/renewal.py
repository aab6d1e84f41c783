"""What `update`, `add` and `remove` share: render what was and what will be, and merge both into a project."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from .answers import SERVICE_TYPE, Answers, Given
from .changelog import Release, releases_between
from .errors import UpdateRefused, shown
from .merge import Merge, merge
from .objects import Entries, Objects, scratch
from .ownership import Owner, Ownership
from .pending import forget, read_pending
from .place import Place, asked_at
from .recorded import Recorded, read_recorded
from .settle import settle
from .source import Pin
from .steps import Step
from .template import Template, render, template_at
from .worktree import WorkTree, open_work_tree


@dataclass(frozen=True)
class Opened:
    """A project that is ready to be changed."""

    work_tree: WorkTree
    recorded: Recorded

    @property
    def name(self) -> str:
        """What the service is called."""
        return str(self.recorded.answers.get("service_name", self.recorded.folder.resolve().name))


@dataclass
class Renewal:
    """One way of a project from its recorded answers and release to others."""

    command: str
    opened: Opened
    old: Template
    new: Template
    answers: Answers
    merge: Merge
    steps: list[Step] = field(default_factory=list)

    @cached_property
    def releases(self) -> list[Release]:
        """What the template's changelog says of the way."""
        return [] if self.old is self.new else releases_between(self.new.folder, self.old.commit, self.new.commit)

    @property
    def defaulted(self) -> dict[str, object]:
        """New questions that got the template's default."""
        recorded = self.opened.recorded.answers
        return {name: value for name, value in self.answers.recorded().items() if name not in recorded}

    @property
    def is_nothing(self) -> bool:
        """Whether the project has all of it already."""
        return self.merge.tree == self.merge.before and not self.merge.conflicts

    def as_json(self, *, with_diff: bool) -> dict[str, object]:
        """Return the document that --json prints."""
        changes = [{key: value for key, value in change._asdict().items() if value} for change in self.merge.changes]
        document: dict[str, object] = {
            "project": str(self.opened.recorded.folder.absolute()),
            "from": self.old.commit,
            "to": self.new.commit,
            "features": self.answers.features,
            "changes": changes,
            "conflicts": [{"path": conflict.path, "wanted": conflict.wanted} for conflict in self.merge.conflicts],
            "missed": list(self.merge.missed),
            "kept": [{"path": path, "diff": patch} for path, patch in self.merge.kept.items()],
            "new_answers": self.defaulted,
            "changelog": [release.as_json() for release in self.releases],
            "steps": [asdict(step) | {"seconds": round(step.seconds, 3)} for step in self.steps],
        }
        if with_diff:
            document["diff"] = self.merge.objects.diff(self.merge.before, self.merge.tree)
        return document


def open_project(folder: Path) -> Opened:
    """Open a project that may be changed now. Raises NotAProject, TreeDirty and UpdateRefused."""
    recorded = read_recorded(folder)
    work_tree = open_work_tree(folder)
    if read_pending(work_tree) is not None and not work_tree.changed():
        forget(work_tree)  # somebody has taken it back by hand
    pending = read_pending(work_tree)
    if pending is not None:
        raise UpdateRefused(
            f"what `new-service {pending.command}` did is not committed yet",
            "commit it, or take it back with: new-service update --abort",
        )
    work_tree.refuse_dirty()
    return Opened(work_tree, recorded)


@contextmanager
def prepared(
    opened: Opened, command: str, given: Given, place: Place, end: Pin, *, dry_run: bool = False
) -> Iterator[Renewal]:
    """Render both sides and merge them; the work tree is not touched.

    Raises what answering and rendering a template raise, and UpdateRefused.
    """
    old = new = place.template
    if end.commit_hash != place.start.commit_hash:
        new = template_at(end, place.folder / "new")
    _refuse_other_type(given)
    answers = settle(new.questionnaire, new.catalogue, given, defaults=True)
    where = opened.work_tree.git_dir, opened.work_tree.top
    with scratch(*where) if dry_run else nullcontext(Objects(*where)) as objects:
        renders = _renders(opened, old, new, answers, objects)
        merged = merge(objects, opened.work_tree.tree, renders, _is_team(opened, old, new, answers))
        yield Renewal(command, opened, old, new, answers, merged)


def _renders(
    opened: Opened, old: Template, new: Template, answers: Answers, objects: Objects
) -> tuple[Entries, Entries]:
    """Return the files of the project as the template makes it now, and as it will."""
    recorded = asked_at(old, opened.recorded)
    name = opened.recorded.folder.resolve().name
    with tempfile.TemporaryDirectory(prefix="new-service-renders-") as temporary:
        render(old, recorded, Path(temporary, "old", name))
        render(new, answers.recorded(), Path(temporary, "new", name))
        stored = objects.store(Path(temporary))
    sides = [f"{side}/{name}/" for side in ("old", "new")]
    first, second = (
        {path.removeprefix(side): entry for path, entry in stored.items() if path.startswith(side)} for side in sides
    )
    return first, second


def _is_team(opened: Opened, old: Template, new: Template, answers: Answers) -> Callable[[str], bool]:
    both = (
        Ownership(old.questionnaire, opened.recorded.answers),
        Ownership(new.questionnaire, answers.recorded()),
    )
    return lambda path: any(ownership.of(PurePosixPath(path)) is Owner.TEAM for ownership in both)


def _refuse_other_type(given: Given) -> None:
    before = given.recorded.get(SERVICE_TYPE)
    wanted = given.flags.get(SERVICE_TYPE, before)
    if wanted != before:
        raise UpdateRefused(
            f"a service of the type {shown(before)} cannot become one of the type {shown(wanted)}",
            "create a new service and move the slices over",
        )
