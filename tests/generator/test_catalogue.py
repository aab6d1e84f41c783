from pathlib import Path

import pytest

from new_service.catalogue import Catalogue
from new_service.errors import TemplateUnusable
from new_service.questions import Questionnaire

from .conftest import change


def test_a_features_files_are_those_of_its_block(catalogue: Catalogue) -> None:
    assert catalogue.files["audit"] == ("src/*/chassis/audit.py", "docs/audit.md")
    assert "sentry" not in catalogue.files


def test_groups_keep_the_templates_order(catalogue: Catalogue) -> None:
    assert list(catalogue.groups([*catalogue.features])) == ["traffic", "observability", "data", "quality"]


def test_a_template_without_features_has_an_empty_catalogue() -> None:
    assert not Catalogue.read(Questionnaire(settings={}, questions={})).features


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("needs: [postgres], preset: full", "needs: [mysql], preset: full", "which does not exist"),
        ("needs: [postgres], preset: full", "needs: [load-test], preset: full", "fewer service types"),
        ("needs: [postgres], preset: full", "needs: [postgres], preset: standard", "which is not"),
        ("preset: full, group: quality", "preset: huge, group: quality", "preset"),
        ("preset: full, group: quality", "presets: full, group: quality", "preset"),
        ("_features:\n", "_features: [a]\n_other:\n", "no table"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(template: Path, old: str, new: str, word: str) -> None:
    change(template, {old: new})
    with pytest.raises(TemplateUnusable, match=word):
        Catalogue.read(Questionnaire.read(template))
