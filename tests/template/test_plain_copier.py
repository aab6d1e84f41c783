"""What plain `copier update` keeps, and line by line what it loses where `new-service update` does not.

docs/update.md says it in a table; each line of that table is one test here.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from new_service.errors import AnswersRefused, UpdateRefused
from new_service.ownership import Owner, Ownership

from .conftest import git, release
from .edit_kits import KITS, Kit, append, belongs_to_the_example
from .releases import CHANGED, NEXT, PACKAGE, PICTURE, WORKING, Releases, substitute
from .stories import OLDEST, Story, Tree, cases, contents, expected, recorded_answers, tell, unmerged, updated

UPDATE = ("copier", "update", "--skip-answered", "--defaults", "--quiet")  # as Renovate runs it


def copier_update(project: Path, tag: str = NEXT) -> int:
    command = [sys.executable, "-m", *UPDATE, "--vcs-ref", tag]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert "Traceback" not in run.stderr, run.stderr
    return run.returncode


def lost(story: Story, was: Tree) -> set[str]:
    """Return the paths that the table is about: there plain Copier may come to something else."""
    made, fresh, renamed = contents(story.made), contents(story.fresh), story.renamed()
    paths = {path for path in fresh if belongs_to_the_example(path)}
    for path, old in made.items():
        name, mine = renamed.get(path, path), was.get(path)
        if story.owner(path) is Owner.TEAM:
            paths |= {path} if mine in {None, old} else set()
        elif mine != old and (name != path or name not in fresh or b"\0" in old):
            paths |= {path, name}
    return paths


@pytest.mark.parametrize("case", [*cases({(OLDEST, "everything-of-the-teams"), (WORKING, "template-files-too")})])
def test_what_it_keeps(releases: Releases, tmp_path: Path, case: tuple[str, str, int]) -> None:
    tag, kit, row = case
    story = tell(releases, tmp_path, tag, KITS[kit], releases.answers(tag, row))
    tree, conflicts = expected(story)
    was = contents(story.project)
    assert copier_update(story.project) == 0
    after = contents(story.project)
    elsewhere = lost(story, was)
    differs = {path for path in after.keys() | tree.keys() if after.get(path) != tree.get(path)}
    assert differs <= elsewhere | conflicts
    assert unmerged(story.project) - elsewhere == conflicts - elsewhere
    assert all(b"<<<<<<< before updating" in after[path] for path in conflicts - elsewhere)

    release(story.project, "updated")
    assert copier_update(story.project) == 0
    assert not git("status", "--porcelain", folder=story.project)


@dataclass(frozen=True)
class Both:
    """One project, updated by plain Copier and by new-service, and their exit codes."""

    plain: Path
    ours: Path
    codes: tuple[int, int]

    def have(self, name: str, text: str) -> tuple[bool, bool]:
        """Tell in whose result the file has the text."""
        read = [(folder / name).read_bytes() if (folder / name).exists() else b"" for folder in (self.plain, self.ours)]
        return text.encode() in read[0], text.encode() in read[1]

    def exist(self, name: str) -> tuple[bool, bool]:
        return (self.plain / name).exists(), (self.ours / name).exists()


Try = Callable[[str], Both]
ONLY_OURS, ONLY_PLAIN = (False, True), (True, False)


@pytest.fixture(scope="module")
def tried(releases: Releases, tmp_path_factory: pytest.TempPathFactory) -> Try:
    """Update a project with a kit both ways, once for all tests."""
    done: dict[str, Both] = {}

    def both(kit: str) -> Both:
        if kit not in done:
            folder = tmp_path_factory.mktemp("both")
            plain = tell(releases, folder, WORKING, KITS[kit], {"service_name": "billing"}).project
            ours = shutil.copytree(plain, folder / "ours/service")
            done[kit] = Both(plain, ours, (copier_update(plain), updated(ours)))
        return done[kit]

    return both


def test_an_edit_of_a_file_that_the_template_renames_is_lost(tried: Try) -> None:
    assert tried("template-files-too").exist("scripts/smoke.py") == (False, False)
    assert tried("template-files-too").have("scripts/probe.py", "# ours") == ONLY_OURS


def test_an_edit_of_a_file_in_a_folder_that_the_template_renames_is_lost(tried: Try) -> None:
    assert tried("template-files-too").have("tests/platform/test_contract.py", "# ours") == ONLY_OURS


def test_an_edit_of_a_file_that_the_template_drops_is_lost(tried: Try) -> None:
    assert tried("template-files-too").have(".dockerignore", "# ours") == ONLY_OURS


def test_a_changed_binary_file_is_overwritten(tried: Try) -> None:
    both = tried("template-files-too")
    assert both.have(PICTURE, "PNG\0ours") == ONLY_OURS
    assert [PICTURE in unmerged(folder) for folder in (both.plain, both.ours)] == [*ONLY_OURS]


def test_a_conflict_is_no_failure(tried: Try) -> None:
    both = tried("template-files-too")
    assert [unmerged(folder) & {"Dockerfile"} for folder in (both.plain, both.ours)] == [{"Dockerfile"}] * 2
    assert both.codes == (0, 1)


def test_a_deleted_file_comes_back_under_the_name_that_the_template_gives_it(tried: Try) -> None:
    assert tried("deletions").exist("docs/runbook.md") == (False, False)
    assert tried("deletions").exist("scripts/probe.py") == ONLY_PLAIN
    assert tried("deletions").exist("tests/platform/test_parts.py") == ONLY_PLAIN


def test_a_deleted_file_of_the_teams_comes_back(tried: Try) -> None:
    assert tried("deletions").exist("README.md") == ONLY_PLAIN


def test_a_file_of_the_teams_that_it_never_touched_stays_old(tried: Try) -> None:
    assert tried("nothing").have("config/base.yaml", CHANGED) == ONLY_OURS
    assert tried("nothing").have("src/billing/settings.py", CHANGED) == ONLY_OURS


def own_copy(releases: Releases, folder: Path) -> Releases:
    """Return releases that a test may change."""
    repository = shutil.copytree(releases.folder, folder / "template")
    (folder / "exports").mkdir()
    return Releases(repository, folder / "exports")


def release_again(releases: Releases) -> None:
    """Let the next release have what is in its work tree."""
    git("tag", "--delete", NEXT, folder=releases.folder)
    release(releases.folder, NEXT)


def told(releases: Releases, folder: Path, *edits: Callable[[Path, Ownership], None]) -> tuple[Path, Path]:
    """Return the same project twice."""
    plain = tell(releases, folder, WORKING, Kit(edits), {"service_name": "billing"}).project
    return plain, shutil.copytree(plain, folder / "ours/service")


def test_the_example_that_is_still_there_stays_old(releases: Releases, tmp_path: Path) -> None:
    own = own_copy(releases, tmp_path)
    plain, ours = told(own, tmp_path)
    (own.folder / PACKAGE / "notes/more.py").write_text("# more\n")
    release_again(own)
    assert (copier_update(plain), updated(ours)) == (0, 0)
    assert [(project / "src/billing/notes/more.py").exists() for project in (plain, ours)] == [False, True]


def test_an_answer_whose_choice_is_gone_becomes_the_default_without_a_word(releases: Releases, tmp_path: Path) -> None:
    own = own_copy(releases, tmp_path)
    plain, ours = told(own, tmp_path)
    substitute(own.folder / "copier.yml", r', "3\.13"', "")
    release_again(own)
    assert copier_update(plain) == 0
    assert recorded_answers(plain)["python_version"] == "3.12"
    with pytest.raises(AnswersRefused, match=r"'3\.13' is no choice"):
        updated(ours)
    assert not git("status", "--porcelain", folder=ours)


def test_a_file_that_git_ignores_is_overwritten(releases: Releases, tmp_path: Path) -> None:
    def ignore(project: Path, _: Ownership) -> None:
        append(project / ".gitignore", "docs/region.md\n")
        (project / "docs/region.md").write_text("precious\n")

    plain, ours = told(releases, tmp_path, ignore)
    assert copier_update(plain) == 0
    assert (plain / "docs/region.md").read_text() == "It runs in eu.\n"
    with pytest.raises(UpdateRefused, match=r"brings docs/region\.md"):
        updated(ours)
    assert (ours / "docs/region.md").read_text() == "precious\n"


def test_the_lock_stays_as_it_was_though_dependencies_change(releases: Releases, tmp_path: Path) -> None:
    """That `new-service update` brings a valid one along is proved by test_update_suite.py."""
    plain, _ = told(releases, tmp_path, lambda project, _: (project / "uv.lock").write_text("of before\n"))
    assert copier_update(plain) == 0
    assert git("diff", "--name-only", "pyproject.toml", "uv.lock", folder=plain) == "pyproject.toml"


def test_neither_carries_a_change_into_a_file_that_the_team_moved(releases: Releases, tmp_path: Path) -> None:
    def move(project: Path, _: Ownership) -> None:
        chassis = project / "src/billing/chassis"
        (chassis / "health.py").rename(chassis / "wellbeing.py")

    plain, ours = told(releases, tmp_path, move)
    assert (copier_update(plain), updated(ours)) == (0, 0)
    for project in (plain, ours):
        assert not (project / "src/billing/chassis/health.py").exists()
        assert CHANGED not in (project / "src/billing/chassis/wellbeing.py").read_text()
