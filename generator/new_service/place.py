"""Where a project comes from: its template's repository, and the commit in it that the project was made with."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from . import git
from .changelog import base_version
from .errors import TemplateUnreachable, TemplateUnusable, UpdateRefused
from .recorded import Recorded
from .source import Pin, Repository, brought_along, find
from .template import Template, template_at


@dataclass
class Place:
    """Where a project comes from: its template, the commit that it was made with, and a folder for temporary files."""

    repository: Repository
    start: Pin
    folder: Path
    notice: str = ""

    @cached_property
    def template(self) -> Template:
        """The template at that commit."""
        return template_at(self.start, self.folder / "old")

    def latest(self) -> Pin:
        """Return the latest release, the template's HEAD if it has none, or the start if that is newer."""
        end = self.repository.pin(self.repository.latest)
        return self.start if self.is_older(end, self.start) else end

    def is_older(self, one: Pin, other: Pin) -> bool:
        """Tell whether one commit comes before another, by their releases or else by their history."""
        first, second = base_version(one.commit), base_version(other.commit)
        if first is not None and second is not None and first != second:
            return first < second
        ancestry = ("merge-base", "--is-ancestor", one.commit_hash, other.commit_hash)
        return one.commit_hash != other.commit_hash and git.succeeds(*ancestry, folder=self.repository.folder)


@contextmanager
def located(
    recorded: Recorded, source: str | None = None, *, to: str | None = None, newest: bool = False
) -> Iterator[Place]:
    """Find the template of a project, and in it the commit that the project was made with.

    Nothing is fetched if new-service brings along what is wanted: that commit, the version `to`, and with `newest` one
    after it. Raises UpdateRefused where the commit is gone, and what finding a template raises.
    """
    with tempfile.TemporaryDirectory(prefix="new-service-") as temporary:
        if source is None:
            yield _locate(recorded, to, Path(temporary), newest=newest)
        else:
            yield _found(find(source, Path(temporary)), recorded, Path(temporary))


def _locate(recorded: Recorded, to: str | None, folder: Path, *, newest: bool) -> Place:
    mine = _brought_along(recorded, to, folder)
    if mine is not None and (not newest or mine.latest().commit_hash != mine.start.commit_hash):
        return mine
    try:
        return _found(find(recorded.source, folder), recorded, folder)
    except (TemplateUnreachable, TemplateUnusable, UpdateRefused) as error:
        if mine is None:
            raise
        return replace(mine, notice=f"{error.message}; only what this new-service brings along was looked at")


def _brought_along(recorded: Recorded, to: str | None, folder: Path) -> Place | None:
    repository = brought_along(recorded.source, folder)
    if repository is None or not all(repository.has(version) for version in (recorded.commit, to) if version):
        return None
    return Place(repository, repository.pin(recorded.commit), folder)


def _found(repository: Repository, recorded: Recorded, folder: Path) -> Place:
    try:
        return Place(repository, repository.pin(recorded.commit), folder)
    except TemplateUnusable as error:
        raise UpdateRefused(
            f"the template at {repository.source} does not have {recorded.commit!r}, which the project was made with",
            "name the template that has it with --template, or push that commit to it",
        ) from error


def asked_at(template: Template, recorded: Recorded) -> dict[str, object]:
    """Return those recorded answers for which the template has a question."""
    questions = template.questionnaire.questions
    answers = recorded.answers.items()
    return {name: value for name, value in answers if name in questions and not questions[name].is_derived}
