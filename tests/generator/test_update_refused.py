"""`new-service update` where it cannot be: it says why, and nothing changes."""

from pathlib import Path
from typing import Any

import pytest

from new_service import git as new_service_git

from .conftest import NewService, change, commit_all, git, tree
from .projects import edit, next_release


def test_a_version_can_be_named_but_not_an_older_one_by_mistake(
    new_service: NewService, template: Path, project: Path
) -> None:
    next_release(template)
    (template / "more").write_text("x")
    commit_all(template, tag="v1.2.0")
    assert new_service("update", project, "--to", "v1.1.0", "--no-lock").code == 0
    commit_all(project)
    refused = new_service("update", project, "--to", "v1.0.0", "--no-lock")
    assert refused.code == 2
    assert "v1.0.0 is older than v1.1.0" in refused.err
    assert new_service("update", project, "--to", "v1.0.0", "--downgrade", "--no-lock").code == 0
    assert (project / "stop.sh").is_file()
    commit_all(project)
    assert "releases: v1.2.0, v1.1.0, v1.0.0" in new_service("update", project, "--to", "v9").err


@pytest.mark.parametrize("how", ["changed", "untracked", "staged"])
def test_changes_that_are_not_committed_are_refused(
    new_service: NewService, template: Path, project: Path, how: str
) -> None:
    next_release(template)
    (project / ("README.md" if how == "changed" else "own.md")).write_text("ours\n")
    if how == "staged":
        git("add", "--all", folder=project)
    before = tree(project)
    outcome = new_service("update", project)
    assert outcome.code == 2
    assert "not committed: " in outcome.err
    assert tree(project) == before


def test_a_file_that_git_ignores_is_not_overwritten(new_service: NewService, template: Path, project: Path) -> None:
    edit(project, ".gitignore", "docs/new.md\n")
    (project / "docs/new.md").write_text("precious\n")
    next_release(template)
    before = tree(project)
    outcome = new_service("update", project)
    assert outcome.code == 2
    assert "not in git stands where the template brings docs/new.md" in outcome.err
    assert tree(project) == before


def test_what_is_no_project_is_refused(new_service: NewService, project: Path, work: Path) -> None:
    assert "is no project" in new_service("update", work).err
    git("checkout", "--quiet", "--orphan", "empty", folder=project)
    assert "has not been committed yet" in new_service("update", project).err
    (project / ".git").rename(work / "elsewhere")
    assert "is not under version control" in new_service("update", project).err
    (project / ".copier-answers.yml").write_text("service_name: billing\n")
    assert "does not record _src_path" in new_service("update", project).err
    assert new_service("update", project).code == 2


def test_a_template_that_lost_the_release_is_refused(new_service: NewService, template: Path, project: Path) -> None:
    git("tag", "--delete", "v1.0.0", folder=template)
    outcome = new_service("update", project)
    assert outcome.code == 2
    assert "does not have 'v1.0.0', which the project was made with" in outcome.err
    template.rename(template.with_name("moved"))
    assert "there is no folder" in new_service("update", project).err


def test_an_old_git_is_named(new_service: NewService, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_service_git.run

    def old(*arguments: str, **options: Any) -> str:
        return "git version 2.37.4" if arguments == ("version",) else run(*arguments, **options)

    monkeypatch.setattr(new_service_git, "run", old)
    outcome = new_service("update", project)
    assert outcome.code == 3
    assert "git 2.37 is too old" in outcome.err


def test_a_service_stays_of_its_type(new_service: NewService, project: Path) -> None:
    outcome = new_service("update", project, "--set", "service_type=worker")
    assert outcome.code == 2
    assert "cannot become" in outcome.err


def test_a_choice_that_is_gone_is_refused_and_can_be_answered_anew(
    new_service: NewService, template: Path, project: Path
) -> None:
    change(template, {'choices: ["3.12", "3.13"]\n  default: "3.13"': 'choices: ["3.12"]\n  default: "3.12"'})
    commit_all(template, tag="v1.1.0")
    refused = new_service("update", project)
    assert refused.code == 2
    assert "python_version (in the project's answers): '3.13' is no choice" in refused.err
    assert new_service("update", project, "--set", "python_version=3.12", "--no-lock").code == 0


def test_a_source_that_names_no_folder_is_refused(new_service: NewService, template: Path, project: Path) -> None:
    answers = project / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace(str(template), "~nobody-of-that-name/template"))
    commit_all(project)
    outcome = new_service("update", project)
    assert outcome.code == 2
    assert "names no folder" in outcome.err
