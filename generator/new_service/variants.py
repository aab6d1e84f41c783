"""`new-service variants`: few answer sets that together cover every pair of choices, for the matrices of a CI."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .answers import FEATURES, SERVICE_NAME, SERVICE_TYPE, Answers, Given
from .catalogue import Catalogue
from .console import Console
from .errors import ToolMissing
from .organisation import choose_template
from .questions import Questionnaire
from .selection import PRESETS, preset_features
from .settle import settle
from .template import open_template

# The questions whose answer changes which files or dependencies a service has.
VARIED: Final = (SERVICE_TYPE, "broker", "python_version", "ci")
_LISTED: Final = 3
_NOT_ASKED: Final = ""

Row = dict[str, object]
Condition = Mapping[str, object]


def show_variants(source: str | None, ref: str | None, console: Console) -> int:
    """Print one variant a line, or a GitHub matrix with --json; return the exit code."""
    with open_template(*choose_template(source, ref)) as template:
        variants = cover(template.questionnaire, template.catalogue)
    if console.as_json:
        console.document({"include": [{"name": name, "answers": answers} for name, answers in variants.items()]})
    for name, answers in variants.items():
        told = ", ".join(f"{question}={_told(answer)}" for question, answer in answers.items())
        console.line(f"{name}: {told}")
    return 0


def cover(questionnaire: Questionnaire, catalogue: Catalogue) -> dict[str, Row]:
    """Return named answer sets, valid for `create --answers`, that cover every possible pair of choices.

    The same template always gives the same sets. Raises ToolMissing without covertable.
    """
    variants: dict[str, Row] = {}
    for chosen in _choices(questionnaire, catalogue):
        answers = settle(questionnaire, catalogue, Given(file={SERVICE_NAME: "sample", **chosen}), defaults=True)
        recorded = answers.recorded()
        kept = {name: recorded[name] for name in chosen}
        variants[_unique(_name(kept, answers, catalogue), variants)] = kept
    return {
        name: {SERVICE_NAME: f"variant-{number}", **kept}
        for number, (name, kept) in enumerate(variants.items(), start=1)
    }


def _choices(questionnaire: Questionnaire, catalogue: Catalogue) -> Iterator[Row]:
    """Yield rows of answers: to the questions that vary, and the features that are on."""
    try:
        from covertable import make  # noqa: PLC0415 - an extra that only this command needs
    except ImportError as error:
        raise ToolMissing("covertable is not installed", "pip install 'new-service[variants]'") from error
    asked = [name for name in VARIED if name in questionnaire.questions]
    factors = {name: _values(questionnaire, name) for name in asked}
    switches: dict[str, list[object]] = {_switch(name): [True, False] for name in catalogue.features}
    constraints = [*_of_questions(questionnaire, factors), *_of_features(catalogue)]
    rows: Any = make(factors | switches, strength=2, constraints=constraints)  # covertable is untyped
    for row in rows:
        answers = {name: row[name] for name in asked if row[name] != _NOT_ASKED}
        if FEATURES in questionnaire.questions:
            answers[FEATURES] = [name for name in catalogue.features if row[_switch(name)]]
        yield answers


def _values(questionnaire: Questionnaire, name: str) -> list[object]:
    """Return the choices of a question, and one more for the services that it does not apply to."""
    question = questionnaire.questions[name]
    values = [choice.value for choice in questionnaire.choices(question, {})]
    return values if question.when is True else [*values, _NOT_ASKED]


def _of_questions(questionnaire: Questionnaire, factors: Mapping[str, list[object]]) -> Iterator[Condition]:
    """Say in covertable's words: a question has an answer for exactly those types that it applies to."""
    for name in [name for name, values in factors.items() if _NOT_ASKED in values]:
        question = questionnaire.questions[name]
        types = [kind for kind in factors[SERVICE_TYPE] if questionnaire.applies(question, {SERVICE_TYPE: kind})]
        is_asked = {"operator": "ne", "left": name, "value": _NOT_ASKED}
        applies = {"operator": "in", "left": SERVICE_TYPE, "values": types}
        yield _if(is_asked, applies)
        yield _if(applies, is_asked)


def _of_features(catalogue: Catalogue) -> Iterator[Condition]:
    """Say: where a feature is on, its type and its needs are there."""
    for name, feature in catalogue.features.items():
        is_on = {"operator": "eq", "left": _switch(name), "value": True}
        yield _if(is_on, {"operator": "in", "left": SERVICE_TYPE, "values": list(feature.types)})
        for needed in feature.needs:
            yield _if(is_on, {"operator": "eq", "left": _switch(needed), "value": True})


def _if(condition: Condition, consequence: Condition) -> Condition:
    return {"operator": "or", "conditions": [{"operator": "not", "condition": condition}, consequence]}


def _switch(feature: str) -> str:
    return f"feature {feature}"


def _name(kept: Row, answers: Answers, catalogue: Catalogue) -> str:
    parts = [str(value) for name, value in kept.items() if name != FEATURES]
    if catalogue.features:
        parts.append(_features_in_short(answers, catalogue))
    return "-".join(parts)


def _features_in_short(answers: Answers, catalogue: Catalogue) -> str:
    """Name a selection by its preset, by the few it has, or by the few that it lacks."""
    chosen = answers.features
    for preset in PRESETS:
        if chosen == preset_features(catalogue, preset, answers.service_type):
            return preset
    lacking = [name for name in catalogue.allowed(answers.service_type) if name not in chosen]
    if len(chosen) <= _LISTED:
        return f"with-{'+'.join(chosen)}"
    return f"without-{'+'.join(lacking)}" if len(lacking) <= _LISTED else f"{len(chosen)}-features"


def _unique(name: str, taken: Mapping[str, Row]) -> str:
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique


def _told(answer: object) -> str:
    return "[" + ", ".join(map(str, answer)) + "]" if isinstance(answer, list) else str(answer)
