"""The questions of a template, read from its copier.yml and evaluated as Copier evaluates them.

Choices, defaults, validators and conditions are Jinja in copier.yml. They are rendered here with the same
environment settings, so that no rule about an answer is repeated in Python. Copier itself is not imported: that
takes longer than all the rest, and a refused answer should not wait for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, TypeGuard

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, Undefined
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import TemplateUnusable, offer, shown
from .parsing import SCALAR_TYPES, InvalidAnswer, parse_scalar, split_list, to_bool

_UNDEFINED = {"jinja2.Undefined": Undefined, "jinja2.StrictUndefined": StrictUndefined}


class Missing:
    """The answer to a question that has no default."""


MISSING: Final = Missing()
Context = Mapping[str, object]


class Question(BaseModel):
    """One question, as copier.yml writes it: every field may be Jinja."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    type: str
    help: str = ""
    placeholder: str = ""
    choices: object = None
    multiselect: bool = False
    default: object = MISSING
    validator: str = ""
    when: str | bool = True
    ask: str | bool = True

    @property
    def is_derived(self) -> bool:
        """Whether nobody answers it: it only gives a computed value a name."""
        return self.when is False


@dataclass(frozen=True)
class Choice:
    """One choice of a question; `refusal` says why it cannot be taken now, if so."""

    label: str
    value: object
    refusal: str = ""


@dataclass
class Questionnaire:
    """The questions of one template and how their Jinja is rendered."""

    settings: Mapping[str, object]
    questions: Mapping[str, Question]
    _compiled: dict[str, Template] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, folder: Path) -> "Questionnaire":
        """Read copier.yml of a template. Raises TemplateUnusable."""
        settings: dict[str, object] = {}
        questions: dict[str, Question] = {}
        for name, value in _load(folder).items():
            if name.startswith("_"):
                settings[name[1:]] = value
            else:
                questions[name] = _question(name, value)
        return cls(settings=settings, questions=questions)

    @cached_property
    def _environment(self) -> SandboxedEnvironment:
        options = self.settings.get("envops")
        keywords = {"keep_trailing_newline": True} | (dict(options) if isinstance(options, dict) else {})
        keywords["undefined"] = _UNDEFINED.get(str(keywords.get("undefined")), Undefined)
        return SandboxedEnvironment(extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"], **keywords)

    def render(self, value: object, context: Context) -> object:
        """Render Jinja in a string or in the strings of a list; other values are returned as they are."""
        if isinstance(value, list):
            return [self.render(item, context) for item in value]
        if not isinstance(value, str):
            return value
        template = self._compiled.get(value)
        if template is None:
            template = self._compiled[value] = self._environment.from_string(value)
        return template.render(context)

    def default(self, question: Question, context: Context) -> object:
        """Return the default in the question's own type, or MISSING."""
        if question.default is MISSING:
            return MISSING
        return self.parse(question, self.render(question.default, context), context)

    def applies(self, question: Question, context: Context) -> bool:
        """Tell whether the question makes sense beside the answers given so far."""
        return to_bool(self.render(question.when, context))

    def is_asked(self, question: Question, context: Context) -> bool:
        """Tell whether the wizard asks: never where the template says not to, nor where there is nothing to choose."""
        if not to_bool(self.render(question.ask, context)):
            return False
        return question.choices is None or len(self.choices(question, context)) > (0 if question.multiselect else 1)

    def choices(self, question: Question, context: Context) -> list[Choice]:
        """Return the choices with their labels and values rendered; empty where anything may be answered."""
        raw = question.choices
        if isinstance(raw, str):
            raw = yaml.safe_load(str(self.render(raw, context)))
        if isinstance(raw, dict):
            return [self._choice(question, label, value, context) for label, value in raw.items()]
        return [self._choice(question, value, value, context) for value in raw] if _is_list(raw) else []

    def _choice(self, question: Question, label: object, value: object, context: Context) -> Choice:
        refusal = ""
        if isinstance(value, dict):  # Copier's long form: {value: …, validator: …}
            refusal = str(self.render(value.get("validator", ""), context)).strip()
            value = value.get("value")
        rendered = str(self.render(str(label), context))
        return Choice(rendered, parse_scalar(question.type, self.render(value, context)), refusal)

    def parse(self, question: Question, raw: object, context: Context) -> object:
        """Return an answer in the question's own type. Raises InvalidAnswer."""
        if not question.multiselect:
            value = parse_scalar(question.type, raw)
            self._refuse_unknown(question, [value], context)
            return value
        values = [parse_scalar(question.type, item) for item in split_list(raw)]
        self._refuse_unknown(question, values, context)
        # Copier keeps the template's order, so that the same answers are always recorded alike.
        return [choice.value for choice in self.choices(question, context) if choice.value in values]

    def _refuse_unknown(self, question: Question, values: list[object], context: Context) -> None:
        if question.choices is None:
            return
        choices = self.choices(question, context)
        valid = [str(choice.value) for choice in choices if not choice.refusal]
        for value in values:
            choice = next((choice for choice in choices if choice.value == value), None)
            if choice is None:
                meant = value if isinstance(value, str) else ""
                raise InvalidAnswer(f"{shown(value)} is no choice", offer(meant, valid))
            if choice.refusal:
                raise InvalidAnswer(f"{shown(value)}: {choice.refusal}", offer("", valid))

    def complaint(self, question: Question, value: object, context: Context) -> str:
        """Return what the question's validator says against an answer; empty if nothing."""
        text = str(self.render(question.validator, {**context, question.name: value}))
        return " ".join(text.split())


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _load(folder: Path) -> dict[str, object]:
    path = next((folder / name for name in ("copier.yml", "copier.yaml") if (folder / name).is_file()), None)
    if path is None:
        raise TemplateUnusable("the template has no copier.yml", "name a repository made for new-service")
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise TemplateUnusable(f"the template's copier.yml cannot be read: {reason}", "correct it") from error
    if not isinstance(loaded, dict) or not all(isinstance(name, str) for name in loaded):
        raise TemplateUnusable("the template's copier.yml is no mapping of names", "correct it")
    return loaded


def _question(name: str, value: object) -> Question:
    details = value if isinstance(value, dict) else {"default": value}
    kind = type(details.get("default")).__name__  # Copier derives a missing type from the default, too
    details = {"type": kind if kind in SCALAR_TYPES else "yaml"} | details
    try:
        return Question.model_validate({**details, "name": name})
    except ValidationError as error:
        raise TemplateUnusable(
            f"question {name!r} of the template: {error.errors()[0]['msg']}", "correct it"
        ) from error


__all__ = ["MISSING", "Choice", "Context", "InvalidAnswer", "Question", "Questionnaire", "TemplateError"]
