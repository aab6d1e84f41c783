"""The answers to a template's questions as one typed object, and what was said before anybody is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict

from .questions import MISSING, Question

SERVICE_NAME: Final = "service_name"
SERVICE_TYPE: Final = "service_type"
FEATURES: Final = "features"


class Answers(BaseModel):
    """Every recorded answer; those that the generator itself reads are named here, the rest are extra fields."""

    model_config = ConfigDict(frozen=True, extra="allow")

    service_name: str
    package_name: str
    service_type: str
    features: list[str] = []

    def recorded(self) -> dict[str, object]:
        """Return question and answer, as the template receives them."""
        return self.model_dump(exclude_unset=True)


@dataclass(frozen=True)
class Given:
    """What has been said before anybody is asked. Only strings of `organisation` may hold Jinja.

    `recorded` is what a project answered an older release: a question of it may be gone by now, but a default may
    still name it. `proposed_name` is the name of the folder to create: the service's, where nobody names it otherwise.
    """

    flags: Mapping[str, object] = field(default_factory=dict)
    file: Mapping[str, object] = field(default_factory=dict)
    recorded: Mapping[str, object] = field(default_factory=dict)
    organisation: Mapping[str, object] = field(default_factory=dict)
    preset: str | None = None
    wanted: Sequence[str] = ()
    unwanted: Sequence[str] = ()
    proposed_name: str | None = None

    @property
    def by_precedence(self) -> Mapping[str, Mapping[str, object]]:
        """The sources by name; the first that answers a question wins."""
        return {
            "": self.flags,
            "the answers file": self.file,
            "the project's answers": self.recorded,
            "the organisation's defaults": self.organisation,
        }

    def answer_to(self, name: str) -> object:
        """Return the answer with the highest precedence, MISSING if there is none."""
        return next((source[name] for source in self.by_precedence.values() if name in source), MISSING)

    def source_of(self, name: str) -> str | None:
        """Return where that answer comes from: empty for the command line, None if there is none."""
        return next((label for label, source in self.by_precedence.items() if name in source), None)

    def may_hold_jinja(self, name: str) -> bool:
        """Tell whether that answer is an expression: only the organisation's defaults are trusted with one."""
        return not any(name in source for source in (self.flags, self.file, self.recorded))


class Interviewer(Protocol):
    """Somebody who can be asked."""

    def answer(self, question: Question, default: object, context: Mapping[str, object]) -> object:
        """Return a valid answer."""

    def choose_features(self, service_type: str, preselected: Sequence[str]) -> list[str]:
        """Return a selection whose needs are met."""
