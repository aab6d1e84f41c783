import sys
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from new_service.catalogue import Catalogue
from new_service.questions import Questionnaire
from new_service.variants import cover

from .conftest import NewService

TYPES = ("api", "bot", "worker")


def values(catalogue: Catalogue) -> dict[str, tuple[object, ...]]:
    questions: dict[str, tuple[object, ...]] = {
        "service_type": TYPES,
        "python_version": ("3.12", "3.13"),
        "ci": ("github", "none"),
        "broker": ("redis", "kafka"),
    }
    return questions | dict.fromkeys(catalogue.features, (True, False))


def facts(answers: dict[str, object], catalogue: Catalogue) -> dict[str, object]:
    """Return the answers, and of each feature whether it is on."""
    chosen = answers["features"]
    assert isinstance(chosen, list)
    return answers | {name: name in chosen for name in catalogue.features}


def is_possible(pair: Mapping[str, object], catalogue: Catalogue) -> bool:
    """Tell whether a service can have both, with all that they need switched on, and of whichever type."""
    on = {name for name in catalogue.features if pair.get(name) is True}
    on |= {needed for name in on for needed in catalogue.features[name].needs}
    types = {pair["service_type"]} if "service_type" in pair else {*TYPES}
    types &= {"worker"} if "broker" in pair else types
    fits = any(all(kind in catalogue.features[name].types for name in on) for kind in types)
    return fits and not any(pair.get(name) is False for name in on)


def test_every_possible_pair_is_covered(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    rows = [facts(answers, catalogue).items() for answers in cover(questionnaire, catalogue).values()]
    choices = [(name, value) for name, options in values(catalogue).items() for value in options]
    pairs = [{one, other} for one, other in combinations(choices, 2) if one[0] != other[0]]
    facts_of = [{*((name, value) for name, value in row if not isinstance(value, list))} for row in rows]
    missing = [
        pair for pair in pairs if is_possible(dict(pair), catalogue) and not any(pair <= row for row in facts_of)
    ]
    assert not missing
    assert len(rows) <= 16


def test_the_same_template_gives_the_same_variants(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    assert list(cover(questionnaire, catalogue).items()) == list(cover(questionnaire, catalogue).items())


def test_names_are_readable_and_unlike(questionnaire: Questionnaire, catalogue: Catalogue) -> None:
    names = [*cover(questionnaire, catalogue)]
    assert len(set(names)) == len(names)
    assert all(name.startswith(TYPES) and " " not in name and len(name) < 80 for name in names)


def test_each_variant_is_a_valid_file_of_answers(new_service: NewService, work: Path) -> None:
    for variant in new_service("variants", "--json").document["include"]:
        (work / "answers.yml").write_text(yaml.safe_dump(variant["answers"]))
        outcome = new_service("create", "--answers", "answers.yml", "--yes", "--dry-run", "--json")
        assert outcome.code == 0, outcome.err
        assert variant["answers"].items() <= outcome.document["answers"].items()


def test_a_person_reads_one_variant_a_line(new_service: NewService) -> None:
    lines = new_service("variants").out.splitlines()
    assert len(lines) == len(new_service("variants", "--json").document["include"])
    assert all(": service_name=variant-" in line for line in lines)


def test_without_covertable_it_is_told(new_service: NewService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "covertable", None)
    outcome = new_service("variants")
    assert outcome.code == 3
    assert "pip install 'new-service[variants]'" in outcome.err
