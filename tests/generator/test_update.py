"""`new-service update`, from a project at one release to its files at another."""

from pathlib import Path

import yaml

from .conftest import NewService, change, commit_all, git, tree
from .projects import PACKAGE, edit, kinds, next_release


def test_a_project_gets_what_the_next_release_changes(new_service: NewService, template: Path, project: Path) -> None:
    next_release(template)
    outcome = new_service("update", project, "--no-lock", "--json")
    assert outcome.code == 0
    assert kinds(outcome.document) == {
        ".copier-answers.yml": "changed",
        "docs/new.md": "added",
        "src/billing/chassis/life.py": "renamed",
        "src/billing/chassis/rate_limit.py": "changed",
        "stop.sh": "removed",
    }
    assert (outcome.document["from"], outcome.document["to"]) == ("v1.0.0", "v1.1.0")
    assert yaml.safe_load((project / ".copier-answers.yml").read_text())["_commit"] == "v1.1.0"
    assert git("status", "--porcelain", folder=project).splitlines() == [
        "M  .copier-answers.yml",
        "A  docs/new.md",
        "R  src/billing/chassis/lifecycle.py -> src/billing/chassis/life.py",
        "M  src/billing/chassis/rate_limit.py",
        "D  stop.sh",
    ]


def test_the_result_is_what_the_new_release_would_have_created(
    new_service: NewService, template: Path, project: Path, work: Path
) -> None:
    next_release(template)
    assert new_service("update", project, "--no-lock").code == 0
    new_service("create", "fresh/billing", "--name", "billing", "--yes", "--no-lock", "--template", template)
    assert tree(project) == tree(work / "fresh/billing")


def test_an_edit_follows_the_file_that_the_template_renames(
    new_service: NewService, template: Path, project: Path
) -> None:
    path = project / "src/billing/chassis/lifecycle.py"
    path.write_text(path.read_text() + "".join(f"line_{number} = {number}\n" for number in range(9)))
    commit_all(project)
    next_release(template)
    assert new_service("update", project, "--no-lock").code == 0
    assert "line_8 = 8\n" in (project / "src/billing/chassis/life.py").read_text()


def test_what_the_team_deleted_stays_deleted_under_its_new_name_too(
    new_service: NewService, template: Path, project: Path
) -> None:
    git("rm", "--quiet", "-r", "src/billing/chassis/lifecycle.py", "src/billing/notes", folder=project)
    commit_all(project)
    (template / "template" / PACKAGE / "notes/more.py").write_text("# more of the example\n")
    next_release(template)
    assert new_service("update", project, "--no-lock").code == 0
    assert not (project / "src/billing/chassis/life.py").exists()
    assert not (project / "src/billing/notes").exists()


def test_the_example_gets_new_files_while_it_is_there(new_service: NewService, template: Path, project: Path) -> None:
    (template / "template" / PACKAGE / "notes/more.py").write_text("# more of the example\n")
    next_release(template)
    assert new_service("update", project, "--no-lock").code == 0
    assert (project / "src/billing/notes/more.py").is_file()


def test_a_team_owned_file_follows_until_it_is_edited(new_service: NewService, template: Path, project: Path) -> None:
    edit(project, "src/billing/settings.py", "# ours\n")
    for name in (f"{PACKAGE}/settings.py", f"{PACKAGE}/api.py"):
        path = template / "template" / name
        path.write_text("# the template's\n" + path.read_text())
    commit_all(template, tag="v1.1.0")
    document = new_service("update", project, "--no-lock", "--json").document
    assert "# the template's" not in (project / "src/billing/settings.py").read_text()
    assert "# ours" in (project / "src/billing/settings.py").read_text()
    assert "# the template's" in (project / "src/billing/api.py").read_text()
    [kept] = document["kept"]
    assert kept["path"] == "src/billing/settings.py"
    assert "+# the template's" in kept["diff"]


def test_without_anything_new_nothing_happens(new_service: NewService, project: Path) -> None:
    outcome = new_service("update", project)
    assert outcome.code == 0
    assert "billing is up to date with v1.0.0" in outcome.out
    assert new_service("update", project, "--json").document["changes"] == []


def test_a_release_that_is_older_than_the_project_is_not_taken(
    new_service: NewService, template: Path, work: Path, identity: None
) -> None:
    (template / "template/docs/new.md").write_text("not released\n")
    commit_all(template)
    new_service("create", "--name", "billing", "--yes", "--no-lock", "--template", template)
    outcome = new_service("update", work / "billing")
    assert outcome.code == 0
    assert "up to date with v1.0.0-1-g" in outcome.out


def test_a_template_that_moved_is_followed(new_service: NewService, template: Path, project: Path) -> None:
    next_release(template)
    moved = template.rename(template.with_name("moved"))
    assert new_service("update", project, "--template", moved, "--no-lock").code == 0
    assert yaml.safe_load((project / ".copier-answers.yml").read_text())["_src_path"] == str(moved)


def test_a_new_question_gets_its_default_or_what_is_said(
    new_service: NewService, template: Path, project: Path
) -> None:
    change(
        template,
        {"public:\n  type: bool": "shade:\n  type: str\n  default: '{{ owner }} grey'\n\npublic:\n  type: bool"},
    )
    commit_all(template, tag="v1.1.0")
    outcome = new_service("update", project, "--no-lock")
    assert "new question: shade = @example/platform grey" in outcome.out
    new_service("update", project, "--abort")
    assert new_service("update", project, "--set", "shade=blue", "--no-lock").code == 0
    assert yaml.safe_load((project / ".copier-answers.yml").read_text())["shade"] == "blue"


def test_a_renamed_question_may_fall_back_to_its_old_name(
    new_service: NewService, template: Path, project: Path
) -> None:
    change(
        template,
        {
            "owner:\n  type: str": "team:\n  type: str",
            'default: "@example/platform"': "default: '{{ owner | default(\"@x\") }}'",
        },
    )
    for path in (template / "template").rglob("*.jinja"):
        path.write_text(path.read_text().replace("{{ owner }}", "{{ team }}"))
    commit_all(template, tag="v1.1.0")
    answers = project / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("@example/platform", "@ours/team"))
    commit_all(project)
    assert new_service("update", project, "--no-lock").code == 0
    assert yaml.safe_load(answers.read_text())["team"] == "@ours/team"


def test_a_project_in_a_folder_of_a_larger_repository_is_updated_alone(
    new_service: NewService, template: Path, work: Path, identity: None
) -> None:
    git("init", "--quiet", folder=work)
    (work / "stop.sh").write_text("the repository's own\n")
    new_service("create", "services/billing", "--name", "billing", "--yes", "--no-lock", "--template", template)
    commit_all(work)
    (work / "elsewhere.txt").write_text("in progress\n")
    next_release(template)
    edit_me = work / "services/billing/pyproject.toml"
    edit_me.write_text(edit_me.read_text() + "ours = 1\n")
    git("commit", "--quiet", "--all", "--message", "edit", folder=work)
    before = tree(work)
    assert new_service("update", work / "services/billing", "--no-lock").code == 0
    assert (work / "services/billing/docs/new.md").is_file()
    assert not (work / "services/billing/stop.sh").exists()
    assert (work / "stop.sh").read_text() == "the repository's own\n"
    assert new_service("update", work / "services/billing", "--abort").code == 0
    assert tree(work) == before
