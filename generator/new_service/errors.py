"""What can go wrong, as facts: a message for a person, a hint that can be followed, an exit code."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

NO = 1
WRONG_USAGE = 2
COULD_NOT = 3
INTERRUPTED = 130  # 128 + SIGINT, as shells report it

_LONGEST_SHOWN: Final = 60


class NewServiceError(Exception):
    """The base of all errors that a user can meet; `cli.py` prints it and exits with its code."""

    exit_code = COULD_NOT

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def problems(self) -> "Sequence[NewServiceError]":
        """The single problems this error stands for; most stand for themselves."""
        return (self,)


class UsageError(NewServiceError):
    """The command, an answer or a configuration file says something that cannot be meant."""

    exit_code = WRONG_USAGE


class AnswersRefused(UsageError):
    """One or more answers cannot be used; all of them are named at once."""

    def __init__(self, problems: Iterable[NewServiceError]) -> None:
        self._problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self._problems))

    @property
    def problems(self) -> Sequence[NewServiceError]:
        """Every refused answer."""
        return self._problems


class AnswersMissing(UsageError):
    """Nobody can be asked, and these questions have no answer yet."""


class DestinationTaken(UsageError):
    """The project's folder holds something already, or is a file."""


class NotAProject(UsageError):
    """What was named is no project that the template made, or not under version control."""


class TreeDirty(UsageError):
    """The project has changes that are not committed."""


class UpdateRefused(UsageError):
    """The project cannot be brought there."""


class Unresolved(NewServiceError):
    """Conflicts of an update still wait for somebody."""

    exit_code = NO


class TemplateUnusable(UsageError):
    """What was named is no template that can be rendered."""


class TemplateUnreachable(NewServiceError):
    """The template could not be fetched."""


class RenderFailed(NewServiceError):
    """The template raised while a file was rendered; nothing was written."""


class ToolMissing(NewServiceError):
    """A program or package that this step needs is not installed."""


class CouldNotWrite(NewServiceError):
    """The file system refused."""


class Declined(NewServiceError):
    """A person was asked and said no."""

    exit_code = NO


class Interrupted(NewServiceError):
    """A person stopped the command."""

    exit_code = INTERRUPTED


def shown(value: object) -> str:
    """Return a value as a message may quote it: short, whatever it is."""
    # Never the items: with a few aliases, a small file of YAML is longer than any memory when it is written out.
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def unknown_name(kind: str, name: str, valid: Iterable[str], *, where: str = "") -> UsageError:
    """Return the refusal of a mistyped name: with the nearest valid one and the list of all."""
    names = list(valid)
    hint = offer(name, names) if names else f"this template has no {kind} yet"
    return UsageError(f"{kind} {shown(name)} does not exist{where}", hint)


def offer(name: str, valid: Sequence[str]) -> str:
    """Return a hint that guesses what was meant and lists what is valid."""
    nearest = get_close_matches(name, valid, n=1, cutoff=0.5)
    guess = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"{guess}valid: {', '.join(valid)}"
