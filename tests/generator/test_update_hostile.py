"""`new-service update` in repositories and at moments that nobody plans for: nothing of the team's is lost."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from new_service import renewal, writing
from new_service.errors import CouldNotWrite

from .conftest import NewService, commit_all, git, tree
from .projects import conflicting, edit, next_release

PROGRAM = Path(sys.executable).with_name("new-service")


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def status(project: Path) -> list[str]:
    return git("status", "--porcelain", folder=project).splitlines()


def test_what_is_edited_while_it_is_prepared_is_kept(
    new_service: NewService, template: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_release(template)
    merge = renewal.merge

    def edited_meanwhile(*given: Any) -> Any:
        merged = merge(*given)
        (project / "src/billing/chassis/rate_limit.py").write_text("saved in an editor\n")
        return merged

    monkeypatch.setattr(renewal, "merge", edited_meanwhile)
    outcome = new_service("update", project, "--no-lock")
    assert outcome.code == 2
    assert "changed meanwhile" in outcome.err
    assert (project / "src/billing/chassis/rate_limit.py").read_text() == "saved in an editor\n"
    assert not (project / "docs/new.md").exists()


def test_what_git_was_told_not_to_look_at_is_kept(new_service: NewService, template: Path, project: Path) -> None:
    git("update-index", "--assume-unchanged", "stop.sh", folder=project)
    (project / "stop.sh").write_text("ours\n")
    next_release(template)
    assert new_service("update", project, "--no-lock").code == 2
    assert (project / "stop.sh").read_text() == "ours\n"


@pytest.mark.parametrize("link", [False, True])
def test_an_ignored_file_where_the_template_brings_a_folder_is_kept(
    new_service: NewService, template: Path, project: Path, *, link: bool
) -> None:
    edit(project, ".gitignore", "data\n")
    if link:
        (project / "data").symlink_to("README.md")
    else:
        (project / "data").write_text("ours\n")
    (template / "template/data").mkdir()
    (template / "template/data/x.md").write_text("theirs\n")
    commit_all(template, tag="v1.1.0")
    outcome = new_service("update", project, "--no-lock")
    assert outcome.code == 2
    assert "brings data/x.md" in outcome.err
    assert (project / "data").is_symlink() if link else (project / "data").read_text() == "ours\n"


def test_a_folder_of_the_templates_may_become_a_file(new_service: NewService, template: Path, project: Path) -> None:
    git("rm", "--quiet", "-r", "template/docs", folder=template)
    (template / "template/docs").write_text("now a file\n")
    commit_all(template, tag="v1.1.0")
    assert new_service("update", project, "--no-lock").code == 0
    assert (project / "docs").read_text() == "now a file\n"
    assert new_service("update", project, "--abort").code == 0
    assert status(project) == []


def test_work_done_after_an_update_is_not_taken_back_with_it(
    new_service: NewService, template: Path, project: Path
) -> None:
    next_release(template)
    new_service("update", project, "--no-lock")
    (project / "docs/new.md").write_text("ours by now\n")
    (project / "docs/own.md").write_text("ours\n")
    outcome = new_service("update", project, "--abort")
    assert outcome.code == 2
    assert "changed since the update: docs/new.md" in outcome.err
    assert (project / "docs/new.md").read_text() == "ours by now\n"
    (project / "docs/new.md").write_text("new\n")
    assert new_service("update", project, "--abort").code == 0
    assert status(project) == ["?? docs/own.md"]


def test_an_update_that_was_taken_back_by_hand_is_forgotten(
    new_service: NewService, template: Path, project: Path
) -> None:
    next_release(template)
    new_service("update", project, "--no-lock")
    git("reset", "--quiet", "--hard", folder=project)
    assert new_service("update", project, "--no-lock").code == 0
    assert (project / "docs/new.md").is_file()


def test_files_in_a_folder_that_was_a_file_are_kept(new_service: NewService, template: Path, project: Path) -> None:
    (template / "template/stop.sh").unlink()
    (template / "template/stop.sh").mkdir()
    (template / "template/stop.sh/x.md").write_text("theirs\n")
    commit_all(template, tag="v1.1.0")
    assert new_service("update", project, "--no-lock").code == 0
    (project / "stop.sh/mine").write_text("ours\n")
    outcome = new_service("update", project, "--abort")
    assert outcome.code == 2
    assert "stop.sh/mine" in outcome.err
    assert (project / "stop.sh/mine").read_text() == "ours\n"


def test_a_name_with_a_carriage_return_is_left_alone(new_service: NewService, template: Path, project: Path) -> None:
    (project / "Icon\r").write_text("ours\n")
    (project / os.fsdecode(b"caf\xe9")).write_text("ours\n")
    commit_all(project)
    next_release(template)
    assert new_service("update", project, "--no-lock").code == 0
    assert not [line for line in status(project) if "Icon" in line or "caf" in line]


def test_a_sparse_checkout_gets_the_update(new_service: NewService, template: Path, project: Path) -> None:
    git("sparse-checkout", "set", "--cone", "src", folder=project)
    next_release(template)
    assert new_service("update", project, "--no-lock").code == 0
    assert yaml.safe_load((project / ".copier-answers.yml").read_text())["_commit"] == "v1.1.0"
    assert (project / "src/billing/chassis/life.py").is_file()


def test_settings_of_a_person_change_nothing(
    new_service: NewService, template: Path, project: Path, home: Path
) -> None:
    (home / ".gitconfig").write_text(
        "[core]\nautocrlf = true\nsafecrlf = true\nfileMode = false\n[color]\nui = always\n[diff]\nnoprefix = true\n"
        "external = false\n[status]\nshowUntrackedFiles = no\n[merge]\nrenames = false\n[commit]\ngpgSign = true\n"
    )
    (project / ".git/config").write_text((project / ".git/config").read_text() + "[core]\n\tautocrlf = false\n")
    (template / "template/run2.sh").write_text("#!/bin/sh\n")
    (template / "template/run2.sh").chmod(0o755)
    next_release(template)
    assert new_service("update", project, "--no-lock").code == 0
    assert (project / "src/billing/chassis/life.py").is_file()
    assert b"\r" not in b"".join(content for _, content in tree(project).values())
    assert git("ls-files", "--stage", "run2.sh", folder=project).startswith("100755")


def test_a_repository_with_long_hashes_can_have_conflicts(
    new_service: NewService, template: Path, project: Path
) -> None:
    shutil.rmtree(project / ".git")
    git("init", "--quiet", "--object-format=sha256", folder=project)
    commit_all(project)
    conflicting(template, project)
    outcome = new_service("update", project, "--no-lock")
    assert outcome.code == 1
    assert "UU pyproject.toml" in status(project)


def test_projects_of_one_repository_do_not_get_in_each_others_way(
    new_service: NewService, template: Path, work: Path, identity: None
) -> None:
    git("init", "--quiet", folder=work)
    for name in ("a", "b"):
        new_service("create", name, "--name", "billing", "--yes", "--no-lock", "--template", template)
    commit_all(work)
    next_release(template)
    assert new_service("update", work / "a", "--no-lock").code == 0
    assert new_service("update", work / "b", "--abort").code == 2
    assert new_service("update", work / "b", "--no-lock").code == 0
    assert new_service("update", work / "a", "--abort").code == 0
    assert not (work / "a/docs/new.md").exists()
    assert (work / "b/docs/new.md").is_file()


def test_a_tag_that_moves_is_not_recorded(new_service: NewService, template: Path, project: Path) -> None:
    next_release(template)
    git("tag", "--annotate", "latest", "--message", "latest", folder=template)
    new_service("update", project, "--no-lock")
    assert yaml.safe_load((project / ".copier-answers.yml").read_text())["_commit"] == "v1.1.0"


def test_a_change_to_a_file_that_is_gone_is_said(new_service: NewService, template: Path, project: Path) -> None:
    git("mv", "src/billing/chassis/rate_limit.py", "src/billing/chassis/ours.py", folder=project)
    commit_all(project)
    next_release(template)
    outcome = new_service("update", project, "--no-lock")
    assert "missed    src/billing/chassis/rate_limit.py: you removed or renamed it" in outcome.out


def test_an_empty_file_elsewhere_is_no_rename(new_service: NewService, template: Path, project: Path) -> None:
    for name, tag in (("a", "v1.1.0"), ("b", "v1.2.0")):
        (template / "template" / name).mkdir()
        (template / "template" / name / "empty.txt").write_text("")
        if name == "b":
            git("rm", "--quiet", "-r", "template/a", folder=template)
        commit_all(template, tag=tag)
    new_service("update", project, "--to", "v1.1.0", "--no-lock")
    git("rm", "--quiet", "-rf", "a", folder=project)
    commit_all(project)
    assert new_service("update", project, "--no-lock").code == 0
    assert (project / "b/empty.txt").is_file()


def test_options_that_mean_nothing_together_are_refused(new_service: NewService, project: Path) -> None:
    for options in (("--abort", "--dry-run"), ("--continue", "--to", "v1"), ("--abort", "--continue")):
        outcome = new_service("update", project, *options)
        assert outcome.code == 2
        assert "does not go with" in outcome.err


def test_an_update_that_was_cut_off_cannot_be_concluded(
    new_service: NewService, template: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicting(template, project)
    before = tree(project)

    def killed(*_: object) -> None:
        raise CouldNotWrite("killed")

    monkeypatch.setattr(writing, "_leave_unmerged", killed)
    monkeypatch.setattr(writing, "undo", killed)
    outcome = new_service("update", project, "--no-lock")
    assert outcome.code == 3
    assert "half written (killed)" in outcome.err
    assert "new-service update --abort" in outcome.err
    outcome = new_service("update", project, "--continue", "--no-lock")
    assert outcome.code == 2
    assert "cut off while it was written" in outcome.err
    assert new_service("update", project, "--abort").code == 0
    assert tree(project) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_process_alone_leaves_no_git_behind(
    template: Path, project: Path, tmp_path: Path, number: signal.Signals
) -> None:
    next_release(template)
    before = tree(project)
    slow = tmp_path / "bin/git"
    slow.parent.mkdir()
    real = shutil.which("git")
    slow.write_text(f"""#!/bin/sh
case "$*" in
    *"read-tree -u -m HEAD"*-n) ;;
    *"read-tree -u -m HEAD"*) echo > {tmp_path}/begun; while [ ! -e {tmp_path}/over ]; do sleep 0.02; done ;;
esac
exec {real} "$@"
""")
    slow.chmod(0o755)
    environment = os.environ | {"PATH": f"{slow.parent}:{os.environ['PATH']}"}
    command = [PROGRAM, "update", project, "--no-lock"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        eventually((tmp_path / "begun").exists)
        process.send_signal(number)
        assert process.wait(20) not in {0, 3}
    finally:
        (tmp_path / "over").touch()  # whoever is left behind goes on, and must change nothing
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert tree(project) == before
    assert status(project) == []
