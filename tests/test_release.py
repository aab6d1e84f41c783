"""`just release`: what it makes, and everything that it refuses without changing anything."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .generator.conftest import change, commit_all, git

RELEASED = "## [0.1.0] - 2026-01-31\n\n### Added\n\n- Everything.\n"
NEWS = "## [Unreleased]\n\n### Added\n\n- News.\n\n"
NOT_COMMITTED = shutil.ignore_patterns("__pycache__", ".*_cache")


def write_changelog(folder: Path, *sections: str) -> None:
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n" + "".join(sections))


@pytest.fixture(scope="module")
def released(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return this repository with the release 0.1.0. Read only."""
    folder = tmp_path_factory.mktemp("released") / "repository"
    for name in ("generator/release", "template"):
        shutil.copytree(root / name, folder / name, ignore=NOT_COMMITTED)
    for name in ("copier.yml", "pyproject.toml", ".gitignore"):
        shutil.copy(root / name, folder)
    write_changelog(folder, "## [Unreleased]\n\n", RELEASED)
    git("init", "--quiet", "--initial-branch", "main", folder=folder)
    git("config", "user.name", "Ada", folder=folder)
    git("config", "user.email", "ada@example.com", folder=folder)
    commit_all(folder, tag="v0.1.0")
    return folder


@pytest.fixture
def repository(released: Path, tmp_path: Path) -> Path:
    """Return a copy that is ready for its next release."""
    folder = Path(shutil.copytree(released, tmp_path / "repository"))
    write_changelog(folder, NEWS, RELEASED)
    commit_all(folder)
    return folder


def release(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repository / "generator/release/release.py"), *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)


def state(repository: Path) -> tuple[str, ...]:
    asked = (("rev-parse", "HEAD"), ("status", "--porcelain"), ("diff", "HEAD"), ("tag", "--list"))
    return tuple(git(*arguments, folder=repository) for arguments in asked)


def refuse(repository: Path, *said: str, version: str = "0.2.0") -> None:
    """Assert that a release is refused for these reasons and no other, and that nothing has changed."""
    before = state(repository)
    refused = release(repository, version)
    assert refused.returncode == 1, refused.stderr
    assert "Traceback" not in refused.stderr
    lines = refused.stderr.splitlines()
    assert len(lines) == 2 * len(said), refused.stderr  # each says what, and how to mend it
    for line, words in zip(sorted(lines[::2]), sorted(said), strict=True):
        assert line.startswith("error: ")
        assert words in line
    assert all(re.match(" {7}\\S", line) for line in lines[1::2])
    assert state(repository) == before


def test_a_release_is_a_commit_with_an_annotated_tag(repository: Path) -> None:
    before = git("rev-parse", "HEAD", folder=repository)
    done = release(repository, "0.2.0")
    assert done.returncode == 0, done.stderr
    assert "git push --atomic origin main v0.2.0" in done.stdout
    assert git("cat-file", "-t", "v0.2.0", folder=repository) == "tag"
    assert git("rev-parse", "v0.2.0^{commit}^", folder=repository) == before
    assert git("diff", "--name-only", before, "v0.2.0", folder=repository).split() == ["CHANGELOG.md", "pyproject.toml"]
    assert not git("status", "--porcelain", folder=repository)
    assert '\nversion = "0.2.0"\n' in (repository / "pyproject.toml").read_text()


def test_what_was_unreleased_becomes_the_entry_of_the_release(repository: Path) -> None:
    release(repository, "0.2.0")
    text = (repository / "CHANGELOG.md").read_text()
    found = re.fullmatch(r"# Changelog\n\n## \[Unreleased\]\n\n## \[0.2.0\] - [\d-]{10}\n\n(.*)", text, re.DOTALL)
    assert found
    assert found[1] == "### Added\n\n- News.\n\n" + RELEASED


def test_an_entry_that_was_prepared_gets_its_date(repository: Path) -> None:
    write_changelog(repository, "## [Unreleased]\n\n", "## [0.2.0] - unreleased\n\n- News.\n\n", RELEASED)
    commit_all(repository)
    assert release(repository, "0.2.0").returncode == 0
    assert re.search(r"## \[0.2.0\] - \d{4}-\d\d-\d\d\n\n- News.", (repository / "CHANGELOG.md").read_text())


def test_the_first_release_has_nothing_to_be_compared_with(repository: Path) -> None:
    git("tag", "--delete", "v0.1.0", folder=repository)
    change(repository, {"    none: none\n": ""})
    commit_all(repository)
    assert release(repository, "0.1.1").returncode == 0


@pytest.mark.parametrize("arguments", [(), ("1.2",), ("v1.2.3",), ("1.2.3rc1",), ("01.2.3",), ("1.2.3", "4")])
def test_a_version_is_three_numbers(repository: Path, arguments: tuple[str, ...]) -> None:
    refused = release(repository, *arguments)
    assert (refused.returncode, git("tag", "--list", folder=repository)) == (2, "v0.1.0")


def test_what_is_not_committed_is_refused(repository: Path) -> None:
    (repository / "new").write_text("x")
    refuse(repository, "not committed")


def test_another_branch_is_refused(repository: Path) -> None:
    git("switch", "--quiet", "--create", "topic", folder=repository)
    refuse(repository, "this is topic")


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9"])
def test_a_version_must_be_newer(repository: Path, version: str) -> None:
    write_changelog(repository, NEWS)
    commit_all(repository)
    refuse(repository, "not newer than v0.1.0", version=version)


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        (["## [Unreleased]\n\n### Added\n\n[0.1.0]: https://example.com\n"], "says nothing under [Unreleased]"),
        ([RELEASED], "no section [Unreleased]"),
        (["## [Unreleased]\n\n", "## [0.2.0] - unreleased\n\n### Added\n"], "says nothing under [0.2.0]"),
        ([NEWS, "## [0.2.0] - unreleased\n\n- More.\n"], "under [Unreleased] and under [0.2.0]"),
    ],
    ids=["empty", "no section", "prepared and empty", "both"],
)
def test_a_changelog_without_an_entry_is_refused(repository: Path, sections: list[str], said: str) -> None:
    write_changelog(repository, *sections)
    commit_all(repository)
    refuse(repository, said)


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ({"    none: none\n": ""}, ["the choice none of ci is gone"]),
        ({'["99.0", "99.5"': '["99.5"'}, ["the choice 99.0 of availability_target is gone"]),
        ({"    sentry: sentry\n": ""}, ["sentry of"]),
        ({'choices: ["3.11", "3.12", "3.13", "3.14"]': "choices: \"['3.13']\""}, ["python_version are an expression"]),
        ({"\nowner:": "\nteam:"}, ["the question owner is gone"]),
        (
            {"  sentry:\n    types: [api, bot, worker]": "  sentry:\n    types: [bot, worker]"},
            ["the feature sentry is gone for api"],
        ),
        ({"  - /config/base.yaml\n": ""}, ["config/base.yaml is no longer created once"]),
        ({"  - __pycache__\n": ""}, ["_exclude in copier.yml"]),
        ({"\nowner:": "\nteam:", "    none: none\n": ""}, ["the question owner is gone", "the choice none of ci"]),
    ],
    ids=[
        "labelled choice", "choice", "feature", "expression", "question", "type of a feature", "create-once pattern",
        "caches", "all at once",
    ],
)  # fmt: skip
def test_what_would_break_projects_is_refused(repository: Path, replaced: dict[str, str], said: list[str]) -> None:
    change(repository, replaced)
    commit_all(repository)
    refuse(repository, *said)


def test_a_deprecated_choice_and_a_renamed_question_with_a_fallback_are_not(repository: Path) -> None:
    change(
        repository,
        {
            "    none: none\n": "    none (deprecated, use github): none\n    GitLab CI: gitlab\n",
            "\nowner:": "\nteam:",
            'default: "@example/platform"': "default: \"{{ owner | default('@example/platform') }}\"",
        },
    )
    commit_all(repository)
    assert release(repository, "0.2.0").returncode == 0


@pytest.mark.parametrize("new", [None, "config/defaults.yaml"])
def test_a_file_of_the_team_must_stay_where_it_is(repository: Path, new: str | None) -> None:
    path = repository / "template/config/base.yaml"
    path.rename(repository / "template" / new) if new else path.unlink()
    if new:
        change(repository, {"  - /config/base.yaml\n": f"  - /{new}\n"})
    commit_all(repository)
    refuse(repository, "config/base.yaml is no longer created once")


def test_a_lock_file_in_the_template_is_refused(repository: Path) -> None:
    (repository / "template/uv.lock").write_text("version = 1\n")
    git("add", "--force", "template/uv.lock", folder=repository)
    commit_all(repository)
    refuse(repository, "template/uv.lock is a lock file")


@pytest.mark.parametrize("hook", ["pre-commit", "commit-msg", "reference-transaction"])
def test_a_refusal_of_git_leaves_nothing_half_done(repository: Path, hook: str) -> None:
    path = repository / ".git/hooks" / hook
    path.parent.mkdir(exist_ok=True)
    refs = "grep -q refs/tags/ && exit 1; exit 0" if hook == "reference-transaction" else "exit 1"
    path.write_text(f"#!/bin/sh\n{refs}\n")
    path.chmod(0o755)
    refuse(repository, "git refused")
