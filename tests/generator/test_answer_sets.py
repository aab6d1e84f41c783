"""The real template's questions accept and refuse what they promise."""

import keyword
import re
import sys
import tomllib
from pathlib import Path

import pytest

from new_service.answers import Given
from new_service.catalogue import Catalogue
from new_service.errors import AnswersRefused
from new_service.questions import Questionnaire
from new_service.selection import preset_features
from new_service.settle import settle
from tests.answer_sets import REFUSED, VALID, Answers


@pytest.fixture(scope="module")
def real(root: Path) -> Questionnaire:
    return Questionnaire.read(root)


@pytest.mark.parametrize("name", VALID)
def test_a_valid_set_is_kept_to_the_letter(real: Questionnaire, name: str) -> None:
    answers = settle(real, Catalogue.read(real), Given(file=VALID[name]), defaults=True).recorded()
    assert VALID[name].items() <= answers.items()


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_set_says_why(real: Questionnaire, name: str) -> None:
    answers, word = REFUSED[name]
    with pytest.raises(AnswersRefused) as refusal:
        settle(real, Catalogue.read(real), Given(file=answers), defaults=True)
    assert word in refusal.value.message


def derived(real: Questionnaire, name: str) -> list[str]:
    value = real.default(real.questions[name], {})
    assert isinstance(value, list)
    return value


def test_no_package_can_hide_a_standard_module(real: Questionnaire) -> None:
    possible = re.compile(r"[a-z][a-z0-9_]*")
    names = {name for name in sys.stdlib_module_names | {*keyword.kwlist} if possible.fullmatch(name)}
    assert names <= {*derived(real, "reserved_package_names")}


def test_no_package_can_hide_a_dependency(real: Questionnaire, root: Path) -> None:
    modules = {"pyyaml": "yaml", "rust-just": "just", "prek": ""}
    distributions = {name for name in dependencies(root) if not name.startswith("types-")}
    names = {modules.get(name, name.replace("-", "_")) for name in distributions} - {""}
    assert names <= {*derived(real, "reserved_package_names")}


def test_no_package_can_be_hidden_by_a_script_or_a_test_module_of_the_service(real: Questionnaire, root: Path) -> None:
    paths = [*(root / "template/scripts").glob("*.py*"), *(root / "template/tests/chassis").glob("*.py*")]
    names = {path.name.partition(".")[0] for path in paths}
    names = {name for name in names if name != "conftest" and not name.startswith("test_")}
    assert {"smoke", "started_service"} <= names
    assert names <= {*derived(real, "reserved_package_names")}


def test_no_project_can_be_its_own_dependency(real: Questionnaire, root: Path) -> None:
    assert dependencies(root) <= {*derived(real, "reserved_service_names")}


def test_the_reserved_names_are_valid_names(real: Questionnaire) -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in derived(real, "reserved_package_names"))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", name) for name in derived(real, "reserved_service_names"))


def test_the_templates_default_is_the_standard_preset(real: Questionnaire) -> None:
    catalogue = Catalogue.read(real)
    for choice in real.choices(real.questions["service_type"], {}):
        context: Answers = {"service_name": "billing", "service_type": choice.value}
        standard = preset_features(catalogue, "standard", str(choice.value))
        assert real.default(real.questions["features"], context) == standard


def test_every_feature_can_be_chosen_and_has_files(real: Questionnaire) -> None:
    catalogue = Catalogue.read(real)
    choices = {choice.value for choice in real.choices(real.questions["features"], {"service_type": "api"})}
    assert choices == {*catalogue.features}
    assert {*catalogue.files} == {*catalogue.features}


def dependencies(root: Path) -> set[str]:
    """Return what a generated service depends on, tools included."""
    text = (root / "template" / "pyproject.toml.jinja").read_text()
    text = re.sub(r"{%.*?%}\n?", "", text)
    text = re.sub(r"{{.*?}}", "x", text.replace("description = {{ description | to_json(ensure_ascii=False) }}\n", ""))
    content = tomllib.loads(text)
    groups = content.get("dependency-groups", {})
    listed = [*content["project"]["dependencies"], *(item for group in groups.values() for item in group)]
    return {re.split(r"[\[<>=!~; ]", item)[0] for item in listed}
