from pathlib import Path

import pytest

from new_service.errors import TemplateUnusable
from new_service.parsing import InvalidAnswer
from new_service.questions import MISSING, Questionnaire

from .conftest import change

LONG_FORM = '{short: "3.12", "not yet": {value: "3.13", validator: "{% if ci == \'none\' %}needs a CI{% endif %}"}}'


def test_a_default_is_rendered_in_its_own_type(questionnaire: Questionnaire) -> None:
    questions = questionnaire.questions
    context = {"service_name": "a-b", "service_type": "worker"}
    assert questionnaire.default(questions["package_name"], context) == "a_b"
    assert questionnaire.default(questions["reserved"], context) == ["json", "logging"]
    assert questionnaire.default(questions["features"], context) == ["sentry"]
    assert questionnaire.default(questions["service_name"], context) is MISSING


def test_a_choice_can_refuse_itself_as_in_copier(template: Path) -> None:
    change(template, {'choices: ["3.12", "3.13"]': f"choices: {LONG_FORM}"})
    questionnaire = Questionnaire.read(template)
    question = questionnaire.questions["python_version"]
    assert questionnaire.parse(question, "3.13", {"ci": "github"}) == "3.13"
    with pytest.raises(InvalidAnswer, match="needs a CI"):
        questionnaire.parse(question, "3.13", {"ci": "none"})


def test_choices_can_be_an_expression(template: Path) -> None:
    change(
        template,
        {'choices: ["3.12", "3.13"]': "choices: \"{% if ci == 'none' %}['3.12']{% else %}['3.13']{% endif %}\""},
    )
    questionnaire = Questionnaire.read(template)
    choices = questionnaire.choices(questionnaire.questions["python_version"], {"ci": "none"})
    assert [choice.value for choice in choices] == ["3.12"]


def test_a_single_choice_is_not_asked(template: Path) -> None:
    change(template, {'choices: ["3.12", "3.13"]': 'choices: ["3.13"]'})
    questionnaire = Questionnaire.read(template)
    assert not questionnaire.is_asked(questionnaire.questions["python_version"], {})


def test_a_selection_is_kept_in_the_templates_order(questionnaire: Questionnaire) -> None:
    question = questionnaire.questions["features"]
    assert questionnaire.parse(question, "tracing, sentry", {}) == ["sentry", "tracing"]
    assert questionnaire.parse(question, "[tracing, sentry]", {}) == ["sentry", "tracing"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (None, "no copier.yml"),
        ("a: [", "cannot be read"),
        ("- a", "no mapping"),
        ("a: !include b.yml", "cannot be read"),
        ("service_name: {type: [1]}", "service_name"),
    ],
)
def test_a_copier_yml_that_makes_no_sense_is_refused(tmp_path: Path, content: str | None, word: str) -> None:
    if content is not None:
        (tmp_path / "copier.yml").write_text(content)
    with pytest.raises(TemplateUnusable, match=word):
        Questionnaire.read(tmp_path)
