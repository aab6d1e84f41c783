"""Where a project comes from: its template's repository, and the commit in it that the project was made with."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import git
from .changelog import base_version
from .errors import TemplateUnusable, UpdateRefused
from .recorded import Recorded
from .source import Pin, Repository, find
from .template import Template, template_at


@dataclass
class Place:
    """Where a project comes from: its template, the commit that it was made with, and a folder for temporary files."""

    repository: Repository
    start: Pin
    folder: Path

    @cached_property
    def template(self) -> Template:
        """The template at that commit."""
        return template_at(self.start, self.folder / "old")

    def latest(self) -> Pin:
        """Return the latest release, the template's HEAD if it has none, or the start if that is newer."""
        end = self.repository.pin(next(iter(self.repository.releases()), "HEAD"))
        return self.start if self.is_older(end, self.start) else end

    def is_older(self, one: Pin, other: Pin) -> bool:
        """Tell whether one commit comes before another, by their releases or else by their history."""
        first, second = base_version(one.commit), base_version(other.commit)
        if first is not None and second is not None and first != second:
            return first < second
        ancestry = ("merge-base", "--is-ancestor", one.commit_hash, other.commit_hash)
        return one.commit_hash != other.commit_hash and git.succeeds(*ancestry, folder=self.repository.folder)


@contextmanager
def located(recorded: Recorded, source: str | None = None) -> Iterator[Place]:
    """Find the template of a project, and in it the commit that the project was made with.

    Raises UpdateRefused where that is gone, and what finding a template raises.
    """
    with tempfile.TemporaryDirectory(prefix="new-service-") as temporary:
        repository = find(source or recorded.source, Path(temporary))
        yield Place(repository, _pin_recorded(repository, recorded), Path(temporary))


def _pin_recorded(repository: Repository, recorded: Recorded) -> Pin:
    try:
        return repository.pin(recorded.commit)
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
