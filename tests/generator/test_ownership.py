from pathlib import PurePath

import pytest

from new_service.ownership import Owner, Ownership
from new_service.questions import Questionnaire


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("README.md", Owner.TEAM),
        ("docs/README.md", Owner.TEMPLATE),
        ("src/billing/settings.py", Owner.TEAM),
        ("src/billing/chassis/settings.py", Owner.TEMPLATE),
        ("src/billing/notes/store.py", Owner.TEAM),
        ("src/billing/notes/deep/er.py", Owner.TEAM),
        ("src/billing/chassis/lifecycle.py", Owner.TEMPLATE),
        ("pyproject.toml", Owner.SHARED),
        ("docs/pyproject.toml", Owner.TEMPLATE),
        (".env.example", Owner.DERIVED),
        (".copier-answers.yml", Owner.TEMPLATE),
    ],
)
def test_a_path_belongs_to_whom_the_template_says(questionnaire: Questionnaire, path: str, owner: Owner) -> None:
    assert Ownership(questionnaire, {}).of(PurePath(path)) is owner


def test_patterns_may_depend_on_answers() -> None:
    settings = {"skip_if_exists": ["/src/{{ package_name }}/mine.py"]}
    ownership = Ownership(Questionnaire(settings=settings, questions={}), {"package_name": "billing"})
    assert ownership.of(PurePath("src/billing/mine.py")) is Owner.TEAM
    assert ownership.of(PurePath("src/other/mine.py")) is Owner.TEMPLATE


def test_a_template_without_patterns_owns_everything() -> None:
    assert Ownership(Questionnaire(settings={}, questions={}), {}).of(PurePath("README.md")) is Owner.TEMPLATE
