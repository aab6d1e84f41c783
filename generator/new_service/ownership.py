"""Which generated path belongs to whom. copier.yml says it: what stands in `_skip_if_exists` is the team's."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePath
from typing import Final

from pathspec import PathSpec

from .questions import Questionnaire

_SHARED: Final = "pyproject.toml"
_DERIVED: Final = ".env.example"


class Owner(StrEnum):
    """Who changes a file."""

    TEAM = "yours"
    TEMPLATE = "the template's"
    SHARED = "yours and the template's"
    DERIVED = "derived from your settings"


class Ownership:
    """Answers whose a path is, in the project of one template and one set of answers."""

    def __init__(self, questionnaire: Questionnaire, answers: Mapping[str, object]) -> None:
        patterns = questionnaire.settings.get("skip_if_exists")
        lines = (
            [str(questionnaire.render(str(line), answers)) for line in patterns] if isinstance(patterns, list) else []
        )
        self._team = PathSpec.from_lines("gitignore", lines)  # the dialect and the library that copier uses

    def of(self, path: PurePath) -> Owner:
        """Return the owner of a file, given relative to the project."""
        if self._team.match_file(path.as_posix()):
            return Owner.TEAM
        return {_SHARED: Owner.SHARED, _DERIVED: Owner.DERIVED}.get(path.as_posix(), Owner.TEMPLATE)
