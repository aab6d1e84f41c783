"""Settles the answer to every question of a template.

An answer comes from the first of: the command line, the answers file, the organisation's defaults, the person at the
terminal, the template's default.
"""

from dataclasses import dataclass, field

from jinja2 import TemplateError
from pydantic import ValidationError

from .answers import FEATURES, SERVICE_NAME, SERVICE_TYPE, Answers, Given, Interviewer
from .catalogue import Catalogue
from .errors import AnswersMissing, AnswersRefused, NewServiceError, TemplateUnusable, UsageError, shown, unknown_name
from .parsing import InvalidAnswer, split_list, to_bool
from .questions import MISSING, Question, Questionnaire
from .selection import Wishes, refusals, select_features


def settle(
    questionnaire: Questionnaire,
    catalogue: Catalogue,
    given: Given,
    *,
    interviewer: Interviewer | None = None,
    defaults: bool = False,
) -> Answers:
    """Return an answer to every question.

    What was given is checked as a whole before anybody is asked; `defaults` takes the template's default where
    nothing was given. Raises AnswersRefused with all problems, or AnswersMissing with all open questions.
    """
    settling = _Settling(questionnaire, catalogue, given, defaults=defaults, values=dict(given.recorded))
    settling.run()
    if settling.missing and interviewer is not None:
        settling = _Settling(questionnaire, catalogue, given, interviewer=interviewer)
        settling.run()
    settling.refuse_missing()
    return settling.answers()


@dataclass
class _Settling:
    """One pass over all questions, in the template's order."""

    questionnaire: Questionnaire
    catalogue: Catalogue
    given: Given
    interviewer: Interviewer | None = None
    defaults: bool = False
    values: dict[str, object] = field(default_factory=dict)
    recorded: dict[str, object] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    problems: list[NewServiceError] = field(default_factory=list)
    missing: list[Question] = field(default_factory=list)

    def run(self) -> None:
        self._refuse_unknown_questions()
        for question in self.questionnaire.questions.values():
            try:
                self._settle(question)
            except InvalidAnswer as refusal:
                self._refuse(question, refusal)
            except TemplateError as error:
                self._blame(question, error)
        if self.problems:
            raise AnswersRefused(self.problems)

    def refuse_missing(self) -> None:
        if not self.missing:
            return
        required = [question.name for question in self.missing if question.default is MISSING]
        listed = ", ".join(question.name for question in self.missing)
        way = "--name NAME" if required == [SERVICE_NAME] else "--set question=value or --answers FILE"
        rest = "; --yes takes the defaults of the others" if len(required) < len(self.missing) else ""
        hint = f"answer with {way}{rest}" if required else "--yes takes their defaults; or --set question=value"
        raise AnswersMissing(f"no answer yet to: {listed}", hint)

    def answers(self) -> Answers:
        try:
            return Answers.model_validate(self.recorded)
        except ValidationError as error:
            names = ", ".join(str(part["loc"][0]) for part in error.errors())
            raise TemplateUnusable(
                f"the template asks no question {names}", "name a repository made for new-service"
            ) from error

    def _settle(self, question: Question) -> None:
        """Find the answer to one question. Raises InvalidAnswer, and TemplateError for Jinja that cannot render."""
        if not self.questionnaire.applies(question, self.values):
            self._note(question, self.questionnaire.default(question, self.values))
            return
        if question.name == FEATURES and question.multiselect:
            value: object = self._features(question)
        else:
            value = self._value(question)
        self._note(question, value)
        if value is MISSING:
            return
        self.recorded[question.name] = value
        complaint = self.questionnaire.complaint(question, value, self.values)
        if complaint:
            raise InvalidAnswer(f"{shown(value)}: {complaint}")

    def _note(self, question: Question, value: object) -> None:
        if value is not MISSING:
            self.values[question.name] = value

    def _value(self, question: Question) -> object:
        raw = self.given.answer_to(question.name)
        if raw is not MISSING:
            if self.given.may_hold_jinja(question.name):
                raw = self.questionnaire.render(raw, self.values)
            return self.questionnaire.parse(question, raw, self.values)
        default = self.questionnaire.default(question, self.values)
        if default is MISSING and question.name == SERVICE_NAME and self.given.proposed_name:
            default = self.given.proposed_name
        asked = self.questionnaire.is_asked(question, self.values)
        if self.interviewer is not None and (asked or default is MISSING):
            return self.interviewer.answer(question, default, self.values)
        if default is MISSING or (asked and not self.defaults):
            self.missing.append(question)
        return default

    def _features(self, question: Question) -> list[str]:
        listed = self.given.answer_to(FEATURES)
        names = None
        if listed is not MISSING:
            names = [item if isinstance(item, str) else shown(item) for item in split_list(listed)]
        wishes = Wishes(self.given.preset, self.given.wanted, self.given.unwanted, names)
        service_type = None if SERVICE_TYPE in self.refused else str(self.values[SERVICE_TYPE])
        refused = list(refusals(self.catalogue, service_type, wishes))
        self.problems += refused
        if refused or service_type is None:
            return []
        chosen = select_features(self.catalogue, service_type, wishes)
        if not wishes.is_silent or not self.catalogue.allowed(service_type):
            return chosen
        if self.interviewer is not None:
            return self.interviewer.choose_features(service_type, chosen)
        if not self.defaults:
            self.missing.append(question)
        return chosen

    def _refuse_unknown_questions(self) -> None:
        questions = self.questionnaire.questions
        valid = [name for name, question in questions.items() if not question.is_derived]
        for label, source in self.given.by_precedence.items():
            if source is self.given.recorded:
                continue
            where = f" (in {label})" if label else ""
            for name in source:
                if name in questions and questions[name].is_derived:
                    self.problems.append(UsageError(f"{name!r} is derived, it cannot be set{where}", "leave it out"))
                elif name not in questions:
                    self.problems.append(unknown_name("question", name, valid, where=where))

    def _refuse(self, question: Question, refusal: InvalidAnswer) -> None:
        label = self.given.source_of(question.name)
        if label is None and self.problems:
            return  # the default only carries an earlier mistake along
        self.refused.add(question.name)
        where = f" (in {label})" if label else ""
        hint = refusal.hint or f"--set {question.name}=… answers: {question.help}"
        self.problems.append(UsageError(f"{question.name}{where}: {refusal.reason}", hint))

    def _blame(self, question: Question, error: TemplateError) -> None:
        if self.problems:
            return  # it was evaluated beside answers that were refused
        if not self.missing:
            raise TemplateUnusable(f"question {question.name!r} of the template: {error}", "correct its copier.yml")
        if self.given.source_of(question.name) is None and to_bool(question.ask) and not self.defaults:
            self.missing.append(question)  # its default needs an answer that is missing, too
