"""What a release of the template must not do to the projects that older ones made."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pathspec import PathSpec

from new_service.errors import NewServiceError
from new_service.questions import Question
from new_service.template import Template

CACHES: Final = ("__pycache__", "*.py[co]", ".pytest_cache", ".ruff_cache", ".venv", ".coverage")


class Breaks(NewServiceError):
    """Something that would break projects, or lose what their teams wrote."""


def mistakes(new: Template) -> Iterator[Breaks]:
    """Yield what is wrong with a template, whatever came before it."""
    exclude = new.questionnaire.settings.get("exclude")
    if not isinstance(exclude, list) or set(exclude[: len(CACHES)]) != set(CACHES):
        yield Breaks("_exclude in copier.yml does not begin with the caches", f"begin it with: {', '.join(CACHES)}")
    for path in (new.folder / "template").rglob("uv.lock*"):
        name = path.relative_to(new.folder)
        yield Breaks(f"{name} is a lock file, which each project makes of its own", f"git rm {name}")


def breaks(old: Template, new: Template) -> Iterator[Breaks]:
    """Yield what a release takes away from projects of the release before it."""
    yield from _lost_questions(old, new)
    for name, question in _answered(old).items():
        if name in _answered(new):
            yield from _lost_choices(question, _answered(new)[name])
    yield from _lost_features(old, new)
    yield from _lost_files(old, new)


def _answered(template: Template) -> dict[str, Question]:
    questions = template.questionnaire.questions
    return {name: question for name, question in questions.items() if not question.is_derived}


def _lost_questions(old: Template, new: Template) -> Iterator[Breaks]:
    defaults = [str(question.default) for question in _answered(new).values()]
    for name in _answered(old).keys() - _answered(new).keys():
        if not any(re.search(rf"\b{name}\b", default) for default in defaults):
            yield Breaks(
                f"the question {name} is gone; what projects answered to it would be lost",
                f"keep it, or let the default of the one in its place begin with: {name} | default(…)",
            )


def _lost_choices(old: Question, new: Question) -> Iterator[Breaks]:
    if new.choices is None:
        return
    for question in (old, new):
        if isinstance(question.choices, str):
            hint = "write them as a list, and give a choice a `validator` where it depends on other answers"
            yield Breaks(f"the choices of {question.name} are an expression and cannot be compared", hint)
            return
    kept = _values(new)
    for value in _values(old):
        if value not in kept:
            yield Breaks(
                f"the choice {value} of {old.name} is gone; projects that record it could not be updated",
                "keep it, and say in its label that it is deprecated, and for what",
            )


def _values(question: Question) -> list[str]:
    listed = question.choices
    items = listed.values() if isinstance(listed, dict) else listed if isinstance(listed, list) else ()
    return [str(item.get("value") if isinstance(item, dict) else item) for item in items]


def _lost_features(old: Template, new: Template) -> Iterator[Breaks]:
    for name, feature in old.catalogue.features.items():
        kept = new.catalogue.features[name].types if name in new.catalogue.features else ()
        for service_type in feature.types:
            if service_type not in kept:
                yield Breaks(
                    f"the feature {name} is gone for {service_type}; projects that have it could not be updated",
                    "keep it in _features with all its types, and say in `brings` that it is deprecated",
                )


def _lost_files(old: Template, new: Template) -> Iterator[Breaks]:
    kept = _create_once(new)
    for path in sorted(_create_once(old)):
        if path not in kept:
            yield Breaks(
                f"{path} is no longer created once; it is the team's, so nothing may replace, move or remove it",
                "keep the file under its name, and its pattern in _skip_if_exists",
            )


def _create_once(template: Template) -> set[str]:
    """Return what the create-once files are called in a project, each part that is an answer as a *."""
    patterns = template.questionnaire.settings.get("skip_if_exists")
    folder = template.folder / str(template.questionnaire.settings.get("subdirectory", ""))
    names = (_in_project(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return set(PathSpec.from_lines("gitignore", patterns if isinstance(patterns, list) else []).match_files(names))


def _in_project(path: Path) -> str:
    return re.sub(r"\{\{.*?\}\}", "*", path.as_posix().removesuffix(".jinja"))
