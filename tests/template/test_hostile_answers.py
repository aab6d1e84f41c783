"""Whatever is answered: it is refused with a reason, or everything generated is sound and nothing else is written."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from new_service.answers import Given
from new_service.errors import AnswersRefused, NewServiceError
from new_service.questions import Question, Questionnaire
from new_service.settle import settle
from new_service.template import Template, render

from .hostile.promises import HARMLESS, files, keeps_every_promise, reads_as_text
from .hostile.texts import FRAGMENTS, Answers, forms, free_text, hostile_sets, likely_sets, sets_for

LONGEST_REASON = 400
RUFF = (sys.executable, "-m", "ruff")


@dataclass
class Trials:
    """Tries answers in one folder, and keeps what came of them."""

    template: Template
    folder: Path
    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    accepted: dict[str, Answers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        render(self.template, HARMLESS, self.folder / "harmless/service")
        self.harmless = files(self.folder / "harmless/service")

    def attempt(self, answers: Answers) -> None:
        self.tried += 1  # a failed trial leaves its folder, and Hypothesis tries on
        number = f"trial-{self.tried}"
        try:
            settled = settle(self.template.questionnaire, self.template.catalogue, Given(file=answers), defaults=True)
        except AnswersRefused as refusal:
            self.is_refused(answers, refusal, number)
        else:
            self.is_kept(answers, settled.recorded(), number)

    def is_refused(self, answers: Answers, refusal: AnswersRefused, number: str) -> None:
        """Assert that each refusal says what and why, and that copier itself would have refused, too."""
        names = free_text(self.template.questionnaire).keys()
        for problem in refusal.problems:
            name, _, reason = problem.message.partition(":")
            assert name.removesuffix(" (in the answers file)") in names
            assert reason.strip()
            assert problem.hint
            assert len(problem.message) < LONGEST_REASON
            self.count(f"refused {name.split()[0]}")
        with pytest.raises(NewServiceError):
            render(self.template, answers, self.folder / number / "service")
        assert not (self.folder / number).exists()

    def is_kept(self, answers: Answers, recorded: dict[str, Any], number: str) -> None:
        assert answers.items() <= recorded.items()
        render(self.template, answers, self.folder / number / "service")
        assert [path.name for path in (self.folder / number).iterdir()] == ["service"]
        keeps_every_promise(files(self.folder / number / "service"), recorded, self.harmless)
        self.accepted[number] = answers
        self.count("accepted")
        for name in [name for name, text in answers.items() if not text.isalnum()]:
            self.count(f"accepted {name}")

    def count(self, outcome: str) -> None:
        self.outcomes[outcome] += 1

    def are_clean(self) -> None:
        """Run ruff once over all that was accepted."""
        for check in (("format", "--check"), ("check", "--output-format", "concise")):
            run = subprocess.run([*RUFF, *check, "--no-cache", "."], cwd=self.folder, capture_output=True, text=True, check=False)
            assert run.returncode == 0, run.stdout
        looked_at = subprocess.run([*RUFF, "check", "--show-files"], cwd=self.folder, capture_output=True, text=True, check=False)
        assert looked_at.stdout.count("__main__.py") == len(self.accepted) + 1


def defaults_of(questionnaire: Questionnaire) -> dict[str, object]:
    """Return what validators are evaluated beside, derived values included."""
    values: dict[str, object] = {"service_name": "billing"}
    for name, question in questionnaire.questions.items():
        if name not in values:
            values[name] = questionnaire.default(question, values)
    return values


def run_trials(template: Template, folder: Path, examples: int, *, derandomize: bool = True) -> Trials:
    """Try so many texts for each question, as many sets that are hostile throughout, and more likely ones."""
    trials = Trials(template, folder)
    questionnaire = template.questionnaire
    single = [(sets_for(question), examples) for question in free_text(questionnaire).values()]
    for answers, count in [(likely_sets(questionnaire), 12 * examples), (hostile_sets(questionnaire), examples), *single]:
        options = settings(
            max_examples=count,
            derandomize=derandomize,
            database=None,
            deadline=None,
            phases=[Phase.generate],  # shrinking takes minutes, and each example is small enough to be read
            suppress_health_check=[*HealthCheck],
        )
        options(given(answers)(trials.attempt))()
    return trials


def both_happened(trials: Trials) -> None:
    """Assert that every question's text was refused at times, and taken at times though it was no plain word."""
    for name in free_text(trials.template.questionnaire):
        assert trials.outcomes[f"refused {name}"] > 0, trials.outcomes
        assert trials.outcomes[f"accepted {name}"] > 0, trials.outcomes


def test_the_free_text_questions_are_found(template: Template) -> None:
    assert HARMLESS.keys() <= free_text(template.questionnaire).keys()
    assert not {"service_type", "features", "ci", "reserved_package_names"} & free_text(template.questionnaire).keys()


def accepted(questionnaire: Questionnaire, question: Question) -> list[str]:
    """Return one form of each fragment that the question accepts."""
    context = defaults_of(questionnaire)
    found = ([text for text in forms(one) if not questionnaire.complaint(question, text, context)] for one in FRAGMENTS)
    return [texts[0] for texts in found if texts]


def packed(questionnaire: Questionnaire, question: Question, texts: list[str]) -> list[str]:
    """Join neighbours as long as the question accepts them together: each text costs a render."""
    context = defaults_of(questionnaire)
    packs: list[str] = []
    for text in texts:
        pack = packs.pop() if packs else text
        joined = (f"{pack}{joint}{text}" for joint in (" ", "/") if pack != text)
        together = next((both for both in joined if not questionnaire.complaint(question, both, context)), None)
        packs += [together] if together else dict.fromkeys([pack, text])
    return packs


def test_every_hostile_text_is_refused_or_kept_to_the_letter(template: Template, tmp_path: Path) -> None:
    trials = Trials(template, tmp_path)
    for question in free_text(template.questionnaire).values():
        for text in packed(template.questionnaire, question, accepted(template.questionnaire, question)):
            trials.attempt({"service_name": "billing", question.name: text})
    assert len(accepted(template.questionnaire, template.questionnaire.questions["description"])) > 100
    trials.are_clean()


def test_a_description_is_no_markup_wherever_it_begins(template: Template) -> None:
    readme = (template.folder / "template/README.md.jinja").read_text()
    defaults = defaults_of(template.questionnaire)
    harmless = str(template.questionnaire.render(readme, {**defaults, **HARMLESS}))
    for text in accepted(template.questionnaire, template.questionnaire.questions["description"]):
        answers = {**defaults, "description": text}
        reads_as_text(str(template.questionnaire.render(readme, answers)), harmless, answers)


def test_any_text_is_refused_with_a_reason_or_kept_to_the_letter(template: Template, tmp_path: Path) -> None:
    trials = run_trials(template, tmp_path, 8)
    both_happened(trials)
    trials.are_clean()


@pytest.mark.slow
def test_many_texts_are_refused_with_a_reason_or_kept_to_the_letter(template: Template, tmp_path: Path) -> None:
    trials = run_trials(template, tmp_path, 100, derandomize=False)
    both_happened(trials)
    trials.are_clean()
