import stat
import sys
from pathlib import Path

import pytest

from new_service.errors import NewServiceError, ToolMissing
from new_service.steps import Skipped, Step, commit, lock, timed, uv_program

from .conftest import git


@pytest.fixture
def project(work: Path) -> Path:
    folder = work / "billing"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "billing"\nversion = "0"\nrequires-python = ">=3.11"\n')
    (folder / ".gitignore").write_text(".venv/\n")
    (folder / "run.sh").write_text("exit 0\n")
    (folder / "run.sh").chmod(0o755)
    return folder


def fake_uv(folder: Path, script: str) -> None:
    """Put a program that stands for uv into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "uv").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "uv").chmod(0o755)


@pytest.fixture
def path(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that stands first on PATH."""
    folder = work / "bin"
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_a_commit_holds_every_file_on_the_branch_main(project: Path, identity: None) -> None:
    assert commit(project) == ""
    assert git("branch", "--show-current", folder=project) == "main"
    assert git("status", "--porcelain", folder=project) == ""
    assert git("ls-files", folder=project).splitlines() == [".gitignore", "pyproject.toml", "run.sh"]
    assert git("rev-list", "--count", "HEAD", folder=project) == "1"


@pytest.fixture
def git_configuration(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file with a person's git configuration, to be written."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    return home / "gitconfig"


def test_a_persons_ignore_file_decides_nothing(
    project: Path, identity: None, home: Path, git_configuration: Path
) -> None:
    (home / "ignore").write_text("*.toml\n")
    git_configuration.write_text(f"[core]\n\texcludesFile = {home / 'ignore'}\n")
    commit(project)
    assert "pyproject.toml" in git("ls-files", folder=project)


def test_a_persons_hooks_do_not_run(project: Path, identity: None, home: Path, git_configuration: Path) -> None:
    hook = home / "hooks" / "pre-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    git_configuration.write_text(f"[core]\n\thooksPath = {hook.parent}\n")
    commit(project)
    assert git("rev-list", "--count", "HEAD", folder=project) == "1"


def test_without_an_identity_the_commit_is_skipped_and_everything_staged(project: Path) -> None:
    with pytest.raises(Skipped) as skipped:
        commit(project)
    assert "who you are" in skipped.value.reason
    assert "user.email" in skipped.value.remedy
    assert git("diff", "--cached", "--name-only", folder=project).count("\n") == 2


def test_inside_another_repository_none_is_made(project: Path, work: Path, identity: None) -> None:
    git("init", "--quiet", folder=work)
    with pytest.raises(Skipped, match="lies in the repository"):
        commit(project)
    assert not (project / ".git").exists()


def test_a_failing_commit_is_told(project: Path, identity: None, git_configuration: Path) -> None:
    git_configuration.write_text("[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = /nonexistent\n")
    step = timed("first commit", lambda: commit(project))
    assert step.outcome == "failed"
    assert "/nonexistent" in step.detail


def test_a_lock_tells_how_many_packages_there_are(project: Path, path: Path) -> None:
    fake_uv(path, r"printf '[[package]]\n[[package]]\n' > uv.lock")
    assert lock(project) == "2 packages"


def test_a_failing_lock_tells_why_and_what_to_run(project: Path, path: Path) -> None:
    fake_uv(path, "echo 'Using CPython' >&2; echo '  × Failed to fetch: x' >&2; exit 2")
    step = timed("uv.lock", lambda: lock(project))
    assert (step.outcome, step.detail) == ("failed", "uv lock: Failed to fetch: x")
    assert step.remedy == "run in the project: uv lock"


def test_the_uv_on_path_is_preferred(path: Path) -> None:
    assert uv_program() != str(path / "uv")
    fake_uv(path, "exit 0")
    assert uv_program() == str(path / "uv")


def test_the_installed_uv_is_used_where_path_has_none(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(work))
    program = Path(uv_program())
    assert program.name.startswith("uv")
    assert program.stat().st_mode & stat.S_IXUSR


def test_without_any_uv_it_is_told(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(work))
    monkeypatch.setitem(sys.modules, "uv", None)
    with pytest.raises(ToolMissing, match="uv is not installed"):
        uv_program()


def test_without_git_it_is_told(project: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(work))
    with pytest.raises(ToolMissing, match="git is not installed"):
        commit(project)


def test_a_bug_in_a_step_is_not_taken_for_a_failure() -> None:
    def act() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        timed("x", act)


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        (Step("uv.lock", "done", 0.94, "58 packages"), ["✔ uv.lock      0.9 s   58 packages"]),
        (Step("first commit", "done", 0.1), ["✔ first commit 0.1 s"]),
        (
            Step("uv.lock", "failed", 1, "no network", "uv lock"),
            ["✘ uv.lock      1.0 s   failed: no network", "    uv lock"],
        ),
        (Step("first commit", "skipped", 0, "no name"), ["– first commit 0.0 s   skipped: no name"]),
    ],
)
def test_a_step_is_one_line_and_never_looks_done_when_it_is_not(step: Step, lines: list[str]) -> None:
    assert step.as_lines() == lines


def test_an_error_is_a_failure() -> None:
    def act() -> str:
        raise NewServiceError("no", "do this")

    assert timed("x", act).outcome == "failed"
