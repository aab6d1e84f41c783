import pytest
import yaml

from new_service.answers import Given
from new_service.catalogue import Catalogue
from new_service.errors import AnswersMissing, AnswersRefused
from new_service.questions import Questionnaire
from new_service.settle import settle

NAME = {"service_name": "billing"}


def settled(questionnaire: Questionnaire, catalogue: Catalogue, **given: object) -> dict[str, object]:
    return settle(questionnaire, catalogue, Given(**given), defaults=True).recorded()  # pyrefly: ignore[bad-argument-type] - keywords of Given


def refusal(questionnaire: Questionnaire, catalogue: Catalogue, **given: object) -> AnswersRefused:
    with pytest.raises(AnswersRefused) as refused:
        settled(questionnaire, catalogue, **given)
    return refused.value


def test_defaults_are_those_of_the_template(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    assert settled(questionnaire, catalogue, flags=NAME) == {
        "service_name": "billing",
        "package_name": "billing",
        "description": "billing service",
        "service_type": "api",
        "features": ["rate-limit", "sentry"],
        "owner": "@example/platform",
        "python_version": "3.13",
        "image_repository": "registry.example.com/billing",
        "ci": "github",
        "replicas": 2,
        "public": False,
    }


def test_the_command_line_beats_the_file_and_the_file_the_organisation(
    questionnaire: Questionnaire, catalogue: Catalogue
) -> None:
    answers = settled(
        questionnaire,
        catalogue,
        flags={**NAME, "owner": "@flag"},
        file={"owner": "@file", "ci": "none"},
        organisation={"owner": "@organisation", "ci": "github", "description": "ours"},
    )
    assert (answers["owner"], answers["ci"], answers["description"]) == ("@flag", "none", "ours")


def test_only_the_organisations_defaults_are_expressions(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    text = "{{ service_name }}!"
    for source, expected in {"flags": text, "file": text, "organisation": "billing!"}.items():
        answers = settled(questionnaire, catalogue, **{source: {**NAME, "description": text}})
        assert answers["description"] == expected


def test_a_question_of_another_type_is_neither_asked_nor_recorded(
    questionnaire: Questionnaire, catalogue: Catalogue
) -> None:
    assert "broker" not in settled(questionnaire, catalogue, flags=NAME)
    worker = settled(questionnaire, catalogue, flags={**NAME, "service_type": "worker", "broker": "kafka"})
    assert worker["broker"] == "kafka"


def test_a_question_that_is_never_asked_can_still_be_set(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    assert settled(questionnaire, catalogue, flags={**NAME, "package_name": "bills"})["package_name"] == "bills"


@pytest.mark.parametrize(("said", "meant"), [("yes", True), ("false", False), (True, True)])
def test_yes_and_no_are_understood(
    questionnaire: Questionnaire, catalogue: Catalogue, said: object, meant: bool
) -> None:
    assert settled(questionnaire, catalogue, flags={**NAME, "public": said})["public"] is meant


def test_numbers_are_understood(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    answers = settled(questionnaire, catalogue, flags={**NAME, "replicas": "5"}, file={"python_version": 3.12})
    assert (answers["replicas"], answers["python_version"]) == (5, "3.12")


@pytest.mark.parametrize(
    ("question", "answer", "word"),
    [
        ("replicas", "many", "not of type int"),
        ("replicas", "0", "at least one"),
        ("public", "perhaps", "neither yes nor no"),
        ("owner", ["a"], "not text"),
        ("owner", None, "not text"),
        ("features", {"a": 1}, "not a list"),
        ("features", "[a", "not a list"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_refused(
    questionnaire: Questionnaire, catalogue: Catalogue, question: str, answer: object, word: str
) -> None:
    assert word in refusal(questionnaire, catalogue, file={**NAME, question: answer}).message


def test_an_unknown_question_is_refused_with_the_nearest_one(
    questionnaire: Questionnaire, catalogue: Catalogue
) -> None:
    problem = refusal(questionnaire, catalogue, flags=NAME, file={"onwer": "me"}).problems[0]
    assert problem.message == "question 'onwer' does not exist (in the answers file)"
    assert problem.hint.startswith("did you mean 'owner'? valid: service_name, ")


def test_an_unknown_choice_is_refused_with_the_nearest_one(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    problem = refusal(questionnaire, catalogue, flags={**NAME, "service_type": "wroker"}).problems[0]
    assert problem.message == "service_type: 'wroker' is no choice"
    assert problem.hint == "did you mean 'worker'? valid: api, bot, worker"


def test_a_derived_value_cannot_be_set(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    assert "derived" in refusal(questionnaire, catalogue, flags={**NAME, "reserved": "[]"}).message


def test_all_problems_are_named_at_once_and_none_twice(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    flags = {"service_name": "Bad Name", "service_type": "cron", "ci": "hudson", "nonsense": "1"}
    problems = refusal(questionnaire, catalogue, flags=flags, wanted=["sentri"]).problems
    assert [problem.message.split()[0].rstrip(":") for problem in problems] == [
        "question", "service_name", "service_type", "feature", "ci",
    ]  # fmt: skip


def test_a_default_that_only_carries_a_mistake_along_is_not_blamed(
    questionnaire: Questionnaire, catalogue: Catalogue
) -> None:
    problems = refusal(questionnaire, catalogue, flags={"service_name": "x" * 300}).problems
    assert [problem.message.split(":")[0] for problem in problems] == ["service_name"]


def test_a_long_answer_is_not_printed_whole(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    assert len(refusal(questionnaire, catalogue, flags={"service_name": "x" * 10_000}).message) < 200


LAUGHS = yaml.safe_load("\n".join(["a0: &a0 [x]", *(f"a{n + 1}: &a{n + 1} [{f'*a{n}, ' * 9}]" for n in range(20))]))[
    "a20"
]


@pytest.mark.parametrize("question", ["owner", "features", "public", "replicas", "service_type"])
def test_a_billion_laughs_are_not_printed(questionnaire: Questionnaire, catalogue: Catalogue, question: str) -> None:
    message = refusal(questionnaire, catalogue, file={**NAME, question: LAUGHS}).message
    assert question.removesuffix("s") in message
    assert len(message) < 200


def test_nothing_that_is_refused_is_printed_whole(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    for name in ("service_type", "replicas", "public", "x" * 10_000):
        assert len(refusal(questionnaire, catalogue, flags={**NAME, name: "x" * 10_000}).message) < 200


def test_without_anybody_to_ask_the_open_questions_are_listed(
    questionnaire: Questionnaire, catalogue: Catalogue
) -> None:
    with pytest.raises(AnswersMissing) as missing:
        settle(questionnaire, catalogue, Given())
    listed = "service_name, description, service_type, features, owner, python_version, ci"
    assert missing.value.message == f"no answer yet to: {listed}"
    assert missing.value.hint == "answer with --name NAME; --yes takes the defaults of the others"


def test_the_defaults_do_not_answer_a_question_that_has_none(
    questionnaire: Questionnaire, catalogue: Catalogue
) -> None:
    with pytest.raises(AnswersMissing) as missing:
        settle(questionnaire, catalogue, Given(), defaults=True)
    assert missing.value.message == "no answer yet to: service_name"


HOSTILE = [
    "'", '"', '"""', "\\", "{{ 7 * 7 }}", "{% if %}", "{# x #}", "{", "}", "${HOME}", "$(id)", "`id`", "../../etc",
    "a/b", "C:\\x", "-rf", "--yes", "# x", "x: y", "- x", "[x]", "null", "true", "3.10", "<b>", "ünï 🎉", "%s", "=",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_free_text_is_taken_to_the_letter(questionnaire: Questionnaire, catalogue: Catalogue, text: str) -> None:
    answers = settled(questionnaire, catalogue, flags={**NAME, "description": text})
    assert answers["description"] == text
    with_name = settled(questionnaire, catalogue, file={**NAME, "owner": text})
    assert with_name["owner"] == text


@pytest.mark.parametrize("text", ["a\nb", "x" * 201])
def test_free_text_is_still_validated(questionnaire: Questionnaire, catalogue: Catalogue, text: str) -> None:
    assert "one line" in refusal(questionnaire, catalogue, flags={**NAME, "description": text}).message
