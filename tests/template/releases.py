"""A temporary repository with every release of the template: past ones, the work tree's, and one that does not exist.

The last, synthetic release does once whatever a release may do to a project.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from new_service.source import Repository
from new_service.template import Template, template_at
from new_service.variants import cover
from tests.conftest import ROOT

from .conftest import CACHES, git, release

WORKING: Final = "v900.0.0"  # the work tree, committed or not; newer than any real release
NEXT: Final = "v901.0.0"
PACKAGE: Final = "template/src/{{ package_name }}"
TEAMS: Final = (f"{PACKAGE}/settings.py", "template/config/base.yaml")  # files of the team's that the release changes
PICTURE: Final = "docs/architecture.png"
CHANGED: Final = "# changed by the next release\n"


@cache
def past() -> Mapping[str, str]:
    """Return tag and commit, oldest first: releases, or until there is one, the commits that added a feature.

    A shallow clone has what it has: at least its own commit.
    """
    if not (ROOT / ".git").exists():
        return {}
    tags = git("tag", "--list", "v*", "--sort=version:refname", folder=ROOT).split()
    features = ("log", "--reverse", "--format=%H", r"-G^    preset: ", "--", "copier.yml")
    numbered = enumerate(git(*features, folder=ROOT).split(), start=1)
    commits = {tag: tag for tag in tags} or {f"v0.0.{number}": commit for number, commit in numbered}
    return {tag: commit for tag, commit in commits.items() if git("ls-tree", commit, "template", folder=ROOT)}


@dataclass(frozen=True)
class Releases:
    """The repository, and the template at each of its tags."""

    folder: Path
    exports: Path
    opened: dict[str, Template] = field(default_factory=dict)

    def template(self, tag: str) -> Template:
        if tag not in self.opened:
            pin = Repository(self.folder, str(self.folder), is_checkout=True).pin(tag)
            self.opened[tag] = template_at(pin, self.exports / tag)
        return self.opened[tag]

    def answers(self, tag: str, number: int) -> Mapping[str, object]:
        """Return one of the answer sets that cover every pair of choices; those next to each other differ in type."""
        template = self.template(tag)
        rows = list(cover(template.questionnaire, template.catalogue).values())
        kinds = list(dict.fromkeys(row["service_type"] for row in rows))
        of_kind = [row for row in rows if row["service_type"] == kinds[number % len(kinds)]]
        return of_kind[number // len(kinds) % len(of_kind)]


def build(folder: Path) -> Path:
    """Commit and tag one release after another."""
    folder.mkdir()
    git("init", "--quiet", folder=folder)
    for tag, commit in past().items():
        empty(folder)
        archive = ["git", "archive", commit, "copier.yml", "template"]
        packed = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "--extract", "--directory", str(folder)], input=packed, check=True)
        release(folder, tag)
    empty(folder)
    shutil.copy(ROOT / "copier.yml", folder)
    shutil.copytree(ROOT / "template", folder / "template", ignore=CACHES)
    (folder / "template" / PICTURE).write_bytes(b"\x89PNG\x00" + bytes(range(256)))
    release(folder, WORKING)
    for change in CHANGES:
        change(folder)
    release(folder, NEXT)
    return folder


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def substitute(path: Path, pattern: str, new: str) -> None:
    """Replace what a pattern matches, which must be there."""
    text, count = re.subn(pattern, new, path.read_text(), flags=re.MULTILINE)
    assert count, f"{pattern!r} is not in {path}"
    path.write_text(text)


def rename_a_file(repository: Path) -> None:
    scripts = repository / "template/scripts"
    (scripts / "smoke.py.jinja").rename(scripts / "probe.py.jinja")
    substitute(repository / "template/justfile.jinja", r"scripts/smoke\.py", "scripts/probe.py")


def rename_a_folder(repository: Path) -> None:
    (repository / "template/tests/chassis").rename(repository / "template/tests/platform")
    substitute(repository / "copier.yml", "^    /tests/chassis/", "    /tests/platform/")


def drop_a_file(repository: Path) -> None:
    (repository / "template/.dockerignore").unlink()


def change_a_binary_file(repository: Path) -> None:
    (repository / "template" / PICTURE).write_bytes(b"\x89PNG\x00" + bytes(reversed(range(256))))


def add_a_question(repository: Path) -> None:
    with (repository / "copier.yml").open("a") as questions:
        questions.write("\nregion:\n  type: str\n  help: Where does it run?\n  ask: false\n  default: eu\n")
    (repository / "template/docs/region.md.jinja").write_text("It runs in {{ region }}.\n")


def deprecate_a_choice(repository: Path) -> None:
    substitute(repository / "copier.yml", "^    none: none$", "    none (deprecated, use github): none")


def toggle_a_default(repository: Path) -> None:
    substitute(repository / "copier.yml", r'^(  choices: \[.*\]\n  default: )"3\.\d+"$', r'\1"3.12"')


def change_lines_beside_the_teams(repository: Path) -> None:
    template = repository / "template"
    last_dependency = r'",\n(  # --- the template\'s dependencies end here)'
    substitute(template / "pyproject.toml.jinja", last_dependency, r',!=0.0.1",\n\1')
    for described in (template / ".env.example.jinja", repository / f"{PACKAGE}/chassis/settings.py"):
        substitute(described, "Lines below it are dropped", "Lines of the log below it are dropped")
    substitute(template / "Dockerfile.jinja", "^EXPOSE ", f"{CHANGED}EXPOSE ")
    for name in (f"{PACKAGE}/chassis/health.py", "template/docs/runbook.md.jinja", *TEAMS):
        with (repository / name).open("a") as file:
            file.write(CHANGED)


CHANGES: Final[tuple[Callable[[Path], None], ...]] = (
    rename_a_file,
    rename_a_folder,
    drop_a_file,
    change_a_binary_file,
    add_a_question,
    deprecate_a_choice,
    toggle_a_default,
    change_lines_beside_the_teams,
)
