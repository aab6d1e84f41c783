"""`new-service add` and `remove` undo each other byte for byte, for every feature of every service type.

`uv.lock` is left out: it is resolved again.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import pytest

from new_service.catalogue import Catalogue
from new_service.console import Console
from new_service.questions import Questionnaire
from new_service.template import render
from new_service.toggle import Request, toggle, with_needs, without_needing
from tests.conftest import ROOT

from .conftest import git, release
from .releases import WORKING, Releases
from .stories import contents, recorded_answers

CATALOGUE: Final = Catalogue.read(Questionnaire.read(ROOT))
EVERY: Final = [
    pytest.param(kind, name, id=f"{kind}-{name}") for name, row in CATALOGUE.features.items() for kind in row.types
]
Make = Callable[[str, Sequence[str]], Path]


@pytest.fixture
def make(releases: Releases, tmp_path: Path) -> Make:
    """Create a project of a type with these features."""

    def one(kind: str, features: Sequence[str]) -> Path:
        project = tmp_path / "service"
        answers = {"service_name": "billing", "service_type": kind, "features": list(features)}
        render(releases.template(WORKING), answers, project)
        git("init", "--quiet", folder=project)
        release(project, "made")
        return project

    return one


def switch(verb: Literal["add", "remove"], project: Path, features: Sequence[str]) -> None:
    assert toggle(Request(verb, features, project, with_lock=False), Console()) == 0
    release(project, verb)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_adding_then_removing_gives_back_the_same_bytes(make: Make, kind: str, name: str) -> None:
    project = make(kind, [])
    before = contents(project)
    features = with_needs(CATALOGUE, [name])
    switch("add", project, features)
    assert {*recorded_answers(project)["features"]} == {*features}
    assert contents(project) != before
    switch("remove", project, features)
    assert contents(project) == before


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_removing_then_adding_gives_back_the_same_bytes(make: Make, kind: str, name: str) -> None:
    every = CATALOGUE.allowed(kind)
    project = make(kind, every)
    before = contents(project)
    removed = [other for other in every if other not in without_needing(CATALOGUE, every, [name])]
    switch("remove", project, removed)
    assert name not in recorded_answers(project)["features"]
    switch("add", project, removed)
    assert contents(project) == before
