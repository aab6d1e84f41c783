"""An update in the work tree: shown before, with conflicts, taken back, interrupted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from new_service import git as new_service_git
from new_service import writing

from .conftest import NewService, commit_all, git, tree
from .projects import conflicting, next_release, unmerged


@pytest.mark.parametrize("conflicts", [False, True])
def test_an_update_can_be_taken_back(
    new_service: NewService, template: Path, project: Path, *, conflicts: bool
) -> None:
    if conflicts:
        conflicting(template, project)
    else:
        next_release(template)
    (project / ".gitignore").write_text("*.log\n")
    commit_all(project)
    (project / "docs/own.log").write_text("kept\n")
    before = tree(project)
    new_service("update", project, "--no-lock")
    assert tree(project) != before
    assert new_service("update", project, "--abort").code == 0
    assert tree(project) == before
    assert git("status", "--porcelain", folder=project) == ""


def test_the_way_on_after_conflicts(new_service: NewService, template: Path, project: Path) -> None:
    conflicting(template, project)
    new_service("update", project)
    refused = new_service("update", project, "--continue", "--no-lock")
    assert refused.code == 1
    assert "not resolved yet: docs/new.md, docs/use.md, pyproject.toml, stop.sh" in refused.err
    git("add", "--all", folder=project)
    assert "not resolved yet: docs/new.md, pyproject.toml" in new_service("update", project, "--continue").err
    for name in ("pyproject.toml", "docs/new.md"):
        (project / name).write_text("resolved\n")
    git("add", "--all", folder=project)
    assert new_service("update", project, "--continue", "--no-lock").code == 0
    assert new_service("update", project, "--abort").code == 2  # there is nothing to take back any more
    commit_all(project)
    assert "up to date" in new_service("update", project).out


def test_conflicts_are_unmerged_named_and_wait(new_service: NewService, template: Path, project: Path) -> None:
    conflicting(template, project)
    outcome = new_service("update", project)
    assert outcome.code == 1
    assert unmerged(project) == ["docs/new.md", "docs/use.md", "pyproject.toml", "stop.sh"]
    assert "conflict  pyproject.toml: both changed it" in outcome.out
    assert "conflict  stop.sh: you changed it, the template removes it" in outcome.out
    assert "conflict  docs/new.md: you added it, and so does the template" in outcome.out
    assert "– uv.lock" in outcome.out
    text = (project / "pyproject.toml").read_text()
    assert "<<<<<<< yours\nours = 1\n=======\ntheirs = 1\n>>>>>>> template v1.1.0\n" in text
    assert (project / "docs/use.md").read_bytes() == b"\x00ours"
    assert (project / "stop.sh").read_text().endswith("echo ours\n")


@pytest.mark.parametrize("tracked", [False, True])
def test_the_lock_is_taken_back_too(new_service: NewService, project: Path, *, tracked: bool) -> None:
    if tracked:
        (project / "uv.lock").write_text("locked\n")
        commit_all(project)
    before = tree(project)
    (project / "pyproject.toml").write_text((project / "pyproject.toml").read_text() + "# ours\n")
    before = tree(project)
    commit_all(project)
    new_service("add", "tracing", "--dir", project)
    new_service("update", project, "--abort")
    assert tree(project) == before
    assert git("status", "--porcelain", folder=project) == ""


def test_a_dry_run_shows_it_and_writes_nothing(new_service: NewService, template: Path, project: Path) -> None:
    conflicting(template, project)
    before = tree(project), sorted((project / ".git").rglob("*"))
    outcome = new_service("update", project, "--dry-run")
    assert outcome.code == 1
    for kind in ("changed ", "renamed ", "conflict"):
        assert f"\n    {kind}  " in outcome.out
    assert "\n+# changed\n" in outcome.out
    document = new_service("update", project, "--dry-run", "--json").document
    assert "rename to src/billing/chassis/life.py" in document["diff"]
    assert (tree(project), sorted((project / ".git").rglob("*"))) == before
    assert git("status", "--porcelain", folder=project) == ""


@pytest.mark.parametrize("at", ["before", "during", "after"])
def test_an_error_while_it_is_written_leaves_the_project_as_it_was(
    new_service: NewService, template: Path, project: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    conflicting(template, project)
    before = tree(project)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    run = new_service_git.run

    def failing(*arguments: str, **options: Any) -> str:
        if "read-tree" in arguments and at == "before":
            fail()
        said = run(*arguments, **options)
        if "read-tree" in arguments and at == "during":
            fail()
        return said

    if at == "after":
        monkeypatch.setattr(writing, "_leave_unmerged", fail)
    else:
        monkeypatch.setattr(new_service_git, "run", failing)
    outcome = new_service("update", project)
    assert outcome.code == 3
    assert "No space left" in outcome.err
    assert tree(project) == before
    assert git("status", "--porcelain", folder=project) == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_at_any_moment_leaves_the_project_as_it_was_or_lets_it_be_taken_back(
    template: Path, project: Path, number: signal.Signals
) -> None:
    conflicting(template, project)
    for count in range(300):
        (template / f"template/docs/page-{count}.md").write_text("page\n" * 200)
    commit_all(template, tag="v1.2.0")
    before = tree(project)
    program = [Path(sys.executable).with_name("new-service"), "update", project, "--no-lock"]
    for _ in range(3):
        process = subprocess.Popen(
            program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        note = project / ".git/new-service/pending.json"
        end = time.monotonic() + 20
        while not note.exists() and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.001)
        os.killpg(process.pid, number)  # as a terminal does: git gets it, too
        code = process.wait()
        if number is signal.SIGKILL:
            (project / ".git/index.lock").unlink(missing_ok=True)  # git's own, which says how to mend it
        if code == 1 or number is signal.SIGKILL:  # it was faster than the signal, or could not hear it
            subprocess.run([*program[:3], "--abort"], check=True, capture_output=True)
        assert tree(project) == before
        assert git("status", "--porcelain", folder=project) == ""
