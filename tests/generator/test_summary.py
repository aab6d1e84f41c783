from pathlib import PurePath

import pytest

from new_service.answers import Answers
from new_service.summary import summarise
from new_service.template import Template, open_folder

from .conftest import SAMPLE

ANSWERS = Answers(service_name="billing", package_name="billing", service_type="bot", features=["sentry"])


@pytest.fixture
def sample() -> Template:
    return open_folder(SAMPLE, source="x", commit="y")


def test_the_headline_tells_the_choices_in_words(sample: Template) -> None:
    assert summarise(sample, ANSWERS, [PurePath("a")])[0] == "billing · Chat bot · sentry · 1 file"
    plain = ANSWERS.model_copy(update={"features": []})
    assert summarise(sample, plain, [])[0] == "billing · Chat bot · 0 files"


def test_a_folder_with_two_owners_is_opened(sample: Template) -> None:
    files = [
        "docs/a.md",
        "src/b/__init__.py",
        "src/b/bot.py",
        "src/b/chassis/x.py",
        "src/b/notes/y.py",
        "README.md",
        "x",
    ]
    assert summarise(sample, ANSWERS, [PurePath(name) for name in files])[1:] == [
        "    docs/            the template's, updated for you",
        "    src/b/           yours: bot, notes/",
        "    src/b/chassis/   the template's, updated for you",
        "    ./               yours: README.md",
        "                     the template's: x",
    ]


def test_many_files_are_not_all_named(sample: Template) -> None:
    lines = summarise(sample, ANSWERS, [PurePath(f"file-{number}") for number in range(9)])
    assert lines[1].endswith("file-5 and 3 more")
