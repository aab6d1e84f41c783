"""What a project records about itself in its answers file: which template made it, at which release, with what."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .answers_file import read_mapping
from .errors import NotAProject

ANSWERS_FILE: Final = ".copier-answers.yml"


@dataclass(frozen=True)
class Recorded:
    """The answers file of one project. `commit` is a release, or what `git describe` says of a commit after one."""

    folder: Path
    source: str
    commit: str
    answers: Mapping[str, object]


def read_recorded(folder: Path) -> Recorded:
    """Read the answers file of a project. Raises NotAProject, and UsageError for a file that cannot be read."""
    path = folder / ANSWERS_FILE
    if not path.is_file():
        raise NotAProject(f"{folder} is no project: it has no {ANSWERS_FILE}", "name the folder of a generated service")
    content = read_mapping(path)
    source, commit = content.get("_src_path"), content.get("_commit")
    for name, value in (("_src_path", source), ("_commit", commit)):
        if not isinstance(value, str) or not value:
            raise NotAProject(f"{path} does not record {name}", "restore the file: git log -- .copier-answers.yml")
    answers = {name: value for name, value in content.items() if not name.startswith("_")}
    return Recorded(folder, str(source), str(commit), answers)
