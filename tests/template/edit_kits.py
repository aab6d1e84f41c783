"""What teams do to their projects between two releases, as kits of edits that fit every release.

Every line that a kit writes into a file says that it is the team's.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from new_service.ownership import Owner, Ownership

OURS: Final = "# ours\n"
OWN_DEPENDENCY: Final = '  "anyio>=4", # ours\n'
OWN_SETTING: Final = '    ours: str = Field("none", description="Ours")\n'
OWN_EXAMPLE: Final = "\n# Ours\n# OURS=none\n"
EXAMPLE: Final = ("src/*/notes", "tests/notes")
DELETED: Final = ("runbook.md", "smoke.py", "test_parts.py", "errors.py", "architecture.png", ".dockerignore")

Edit = Callable[[Path, Ownership], None]


def files_of(project: Path) -> list[Path]:
    files = (path for path in project.rglob("*") if path.is_file())
    return sorted(path for path in files if not {".git", ".venv"} & {*path.relative_to(project).parts})


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def edit_the_teams_files(project: Path, ownership: Ownership) -> None:
    for path in files_of(project):
        if ownership.of(path.relative_to(project)) is Owner.TEAM:
            append(path, OURS)


def add_files_in_every_folder(project: Path, _: Ownership) -> None:
    for folder in {path.parent for path in files_of(project)}:
        (folder / "own.txt").write_text("ours\n")


def delete_the_example(project: Path, _: Ownership) -> None:
    for pattern in EXAMPLE:
        for folder in project.glob(pattern):
            shutil.rmtree(folder)


def add_a_dependency(project: Path, _: Ownership) -> None:
    path = project / "pyproject.toml"
    text, count = re.subn("(the template's dependencies end here.*\n)", rf"\1{OWN_DEPENDENCY}", path.read_text())
    assert count == 1
    path.write_text(text)


def add_a_setting(project: Path, _: Ownership) -> None:
    [settings] = project.glob("src/*/settings.py")
    append(settings, OWN_SETTING)
    append(project / ".env.example", OWN_EXAMPLE)


def edit_the_templates_files(project: Path, _: Ownership) -> None:
    """Write into the middle of some, beside what the next release changes in one, and draw the picture anew.

    And below the recorded answers, which are never the team's to write: an update replaces them.
    """
    append(project / ".copier-answers.yml", OURS)
    for name in ("health.py", "logging.py", "smoke.py", "test_contract.py", ".dockerignore", "justfile"):
        for path in project.rglob(name):
            lines = path.read_text().splitlines(keepends=True)
            lines.insert(len(lines) // 2, OURS)
            path.write_text("".join(lines))
    dockerfile = project / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("\nEXPOSE ", f"\n{OURS}EXPOSE "))
    for picture in project.rglob("architecture.png"):
        picture.write_bytes(b"\x89PNG\x00ours")


def delete_files_of_both(project: Path, _: Ownership) -> None:
    (project / "README.md").unlink()
    for name in DELETED:
        for path in project.rglob(name):
            path.unlink()


@dataclass(frozen=True)
class Kit:
    """Edits, and where they clash with the next release."""

    edits: tuple[Edit, ...] = ()
    conflicts: frozenset[str] = frozenset()

    def apply(self, project: Path, ownership: Ownership) -> None:
        for edit in self.edits:
            edit(project, ownership)


OWN_WORK: Final = (edit_the_teams_files, add_files_in_every_folder, add_a_dependency, add_a_setting)
KITS: Final[Mapping[str, Kit]] = {
    "nothing": Kit(),
    "everything-of-the-teams": Kit((*OWN_WORK, delete_the_example)),
    "template-files-too": Kit(
        (*OWN_WORK, edit_the_templates_files), frozenset({"Dockerfile", ".dockerignore", "docs/architecture.png"})
    ),
    "deletions": Kit((delete_the_example, delete_files_of_both)),
}


def belongs_to_the_example(path: str) -> bool:
    return any(PurePath(path).match(f"{pattern}/*") for pattern in EXAMPLE)
