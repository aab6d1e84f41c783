import pytest

from new_service.errors import AnswersRefused
from new_service.flags import read_flags


def test_options_and_assignments_are_answers() -> None:
    flags = read_flags(["owner=me", "description=a=b = c", "ci="], service_name="billing", service_type=None)
    assert flags == {"service_name": "billing", "owner": "me", "description": "a=b = c", "ci": ""}


@pytest.mark.parametrize(
    ("assignments", "word"),
    [
        (["owner"], "no assignment"),
        (["=x"], "no assignment"),
        (["owner=a", "owner=b"], "answered twice"),
        (["service_name=other"], "answered twice"),
        (["features=[sentry]"], "--feature"),
    ],
)
def test_an_assignment_that_cannot_be_meant_is_refused(assignments: list[str], word: str) -> None:
    with pytest.raises(AnswersRefused) as refused:
        read_flags(assignments, service_name="billing", service_type=None)
    (problem,) = refused.value.problems
    assert word in f"{problem.message} {problem.hint}"
