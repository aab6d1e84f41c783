from pathlib import Path

import pytest

from new_service.errors import UsageError
from new_service.organisation import Defaults, choose_template, read_defaults


def configure(folder: Path, content: str) -> Path:
    path = folder / "new-service" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    return path


def test_without_files_there_are_no_defaults() -> None:
    assert read_defaults() == Defaults()


def test_the_users_file_beats_the_systems(home: Path) -> None:
    configure(home / "system", 'template = "gh:a/b"\nref = "v1"\n[answers]\nowner = "@a"\nci = "none"\n')
    configure(home / "config", '[answers]\nowner = "@b"\n')
    assert read_defaults() == Defaults("gh:a/b", "v1", {"owner": "@b", "ci": "none"})


def test_a_version_goes_with_its_template(home: Path) -> None:
    configure(home / "system", 'template = "gh:a/b"\nref = "v1"\n')
    configure(home / "config", 'template = "gh:c/d"\n')
    assert read_defaults() == Defaults("gh:c/d", None)
    assert choose_template("gh:e/f", None) == ("gh:e/f", None)
    assert choose_template(None, "v2") == ("gh:c/d", "v2")


def test_an_organisations_version_is_not_that_of_another_template() -> None:
    defaults = Defaults("gh:a/b", "v1")
    assert choose_template(None, None, defaults) == ("gh:a/b", "v1")
    assert choose_template("gh:c/d", None, defaults) == ("gh:c/d", None)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("template = ", "cannot be read"),
        ('tempalte = "x"', "key 'tempalte' does not exist in"),
        ("template = 1", "template in"),
        ('answers = "x"', "answers in"),
    ],
)
def test_a_wrong_file_is_refused_with_path_and_key(home: Path, content: str, word: str) -> None:
    path = configure(home / "config", content)
    with pytest.raises(UsageError, match=word) as refused:
        read_defaults()
    assert str(path) in refused.value.message
    assert refused.value.exit_code == 2
