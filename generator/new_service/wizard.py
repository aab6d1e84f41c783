"""The questions on a terminal. What they are, and what is valid, comes from the template."""

from collections.abc import Callable, Mapping, Sequence

import questionary
from jinja2 import TemplateError
from questionary import Choice, Separator, Style

from .catalogue import Catalogue
from .questions import MISSING, InvalidAnswer, Question, Questionnaire
from .selection import unmet_needs

_MARK = "?"
_STYLE = Style([("qmark", "fg:ansicyan bold"), ("answer", "fg:ansicyan"), ("separator", "bold"), ("instruction", "")])


class Wizard:
    """Asks a person. Ctrl-C raises KeyboardInterrupt."""

    def __init__(self, questionnaire: Questionnaire, catalogue: Catalogue) -> None:
        self._questionnaire = questionnaire
        self._catalogue = catalogue

    def answer(self, question: Question, default: object, context: Mapping[str, object]) -> object:
        """Ask one question until the answer is valid."""
        message = f"{self._questionnaire.render(question.help or question.name, context)} "
        choices = self._questionnaire.choices(question, context)
        options = [Choice(choice.label, value=choice.value, disabled=choice.refusal or None) for choice in choices]
        if question.multiselect:
            chosen = default if isinstance(default, list) else []
            ticked = [Choice(option.title, value=option.value, checked=option.value in chosen) for option in options]
            return questionary.checkbox(message, ticked, qmark=_MARK, style=_STYLE).unsafe_ask()
        if options:
            selected = next((option for option in options if option.value == default), None)
            return questionary.select(message, options, default=selected, qmark=_MARK, style=_STYLE).unsafe_ask()
        if isinstance(default, bool):
            return questionary.confirm(message, default=default, qmark=_MARK, style=_STYLE).unsafe_ask()
        text = questionary.text(
            message,
            default="" if default is MISSING or default is None else str(default),
            validate=self._validator(question, context),
            placeholder=[("class:placeholder fg:ansibrightblack", question.placeholder)],
            qmark=_MARK,
            style=_STYLE,
        ).unsafe_ask()
        return self._questionnaire.parse(question, text, context)

    def choose_features(self, service_type: str, preselected: Sequence[str]) -> list[str]:
        """Let features be ticked, and propose what they need."""
        chosen = self._tick(service_type, preselected)
        while unmet := unmet_needs(self._catalogue, chosen):
            needs = "; ".join(f"{', '.join(by)} cannot do without {needed}" for needed, by in unmet.items())
            if confirm(f"{needs}. Add {', '.join(unmet)}?"):
                chosen = [name for name in self._catalogue.features if name in {*chosen, *unmet}]
            else:
                chosen = self._tick(service_type, chosen)
        return chosen

    def _tick(self, service_type: str, chosen: Sequence[str]) -> list[str]:
        allowed = self._catalogue.allowed(service_type)
        width = max(map(len, allowed))
        rows: list[Choice | Separator] = []
        for group, names in self._catalogue.groups(allowed).items():
            rows.append(Separator(f"  {group}"))
            for name in names:
                title = f"{name:<{width}}   {self._catalogue.features[name].brings}"
                rows.append(Choice(title, value=name, checked=name in chosen))
        help_line = "(space toggles, i inverts, enter accepts)"
        prompt = questionary.checkbox("Which features?", rows, instruction=help_line, qmark=_MARK, style=_STYLE)
        ticked = prompt.unsafe_ask()
        return [name for name in allowed if name in ticked]

    def _validator(self, question: Question, context: Mapping[str, object]) -> Callable[[str], str | bool]:
        def check(text: str) -> str | bool:
            try:
                value = self._questionnaire.parse(question, text, context)
                return self._questionnaire.complaint(question, value, context) or True
            except (InvalidAnswer, TemplateError) as error:
                return str(error)

        return check


def confirm(message: str) -> bool:
    """Ask for yes or no; Enter means yes."""
    return bool(questionary.confirm(message, qmark=_MARK, style=_STYLE).unsafe_ask())
