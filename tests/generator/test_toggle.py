"""`new-service add` and `remove`: what they bring and take, and that one undoes the other."""

from pathlib import Path

import pytest
import yaml

from new_service import wizard
from new_service.catalogue import Catalogue
from new_service.console import Console
from new_service.toggle import with_needs, without_needing

from .conftest import SAMPLE, NewService, commit_all, git, tree
from .projects import PACKAGE, edit

CATALOGUE = yaml.safe_load((SAMPLE / "copier.yml").read_text())["_features"]
EVERY = [(kind, name) for name, row in CATALOGUE.items() for kind in row["types"]]


def features(project: Path) -> list[str]:
    return yaml.safe_load((project / ".copier-answers.yml").read_text())["features"]


def minimal(new_service: NewService, work: Path, kind: str = "api") -> Path:
    """Create a project of a type without any feature."""
    made = new_service("create", "--name", "billing", "--type", kind, "--preset", "minimal", "--yes", "--no-lock")
    assert made.code == 0
    return work / "billing"


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_adding_then_removing_gives_back_the_same_bytes(
    new_service: NewService, work: Path, identity: None, kind: str, name: str
) -> None:
    project = minimal(new_service, work, kind)
    before = tree(project)
    assert new_service("add", name, "--dir", project, "--yes", "--no-lock").code == 0
    assert name in features(project)
    commit_all(project)
    needed = CATALOGUE[name].get("needs", [])
    assert new_service("remove", name, *needed, "--dir", project, "--no-lock").code == 0
    assert tree(project) == before


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_project_with_a_feature_added_is_the_one_created_with_it(
    new_service: NewService, work: Path, identity: None, kind: str, name: str
) -> None:
    project = minimal(new_service, work, kind)
    new_service("add", name, "--dir", project, "--yes", "--no-lock")
    wanted = [f"--feature={one}" for one in features(project)]
    create = (
        "create",
        "other/billing",
        "--name",
        "billing",
        "--type",
        kind,
        "--preset",
        "minimal",
        "--yes",
        "--no-lock",
    )
    assert new_service(*create, *wanted).code == 0
    assert tree(project) == tree(work / "other/billing")


def test_edits_in_between_are_kept(new_service: NewService, work: Path, identity: None) -> None:
    project = minimal(new_service, work)
    new_service("add", "audit", "postgres", "--dir", project, "--no-lock")
    commit_all(project)
    edit(project, "src/billing/chassis/audit.py", "# ours\n")
    edit(project, "src/billing/settings.py", "# ours\n")
    (project / "docs/own.md").write_text("ours\n")
    commit_all(project)
    outcome = new_service("remove", "audit", "--dir", project, "--no-lock")
    assert outcome.code == 1
    assert "conflict  src/billing/chassis/audit.py: you changed it, the template removes it" in outcome.out
    assert (project / "src/billing/chassis/audit.py").read_text().endswith("# ours\n")
    assert (project / "src/billing/settings.py").read_text().endswith("# ours\n")
    assert (project / "docs/own.md").read_text() == "ours\n"


def test_what_a_feature_changes_in_a_file_of_the_teams_is_shown_to_do_by_hand(
    new_service: NewService, template: Path, work: Path, identity: None
) -> None:
    settings = template / "template" / PACKAGE / "settings.py"
    settings.with_name("settings.py.jinja").write_text(
        settings.read_text() + "{% if 'postgres' in features %}\n# its pool\n{% endif %}\n"
    )
    settings.unlink()
    commit_all(template, tag="v1.1.0")
    made = ("create", "--name", "billing", "--preset", "minimal", "--yes", "--no-lock", "--template", template)
    assert new_service(*made).code == 0
    project = work / "billing"
    new_service("add", "postgres", "--dir", project, "--no-lock")
    assert "# its pool" in (project / "src/billing/settings.py").read_text()  # untouched, so it follows
    assert new_service("update", project, "--abort").code == 0
    edit(project, "src/billing/settings.py", "# ours\n")
    outcome = new_service("add", "postgres", "--dir", project, "--no-lock")
    assert outcome.code == 0
    assert "# its pool" not in (project / "src/billing/settings.py").read_text()
    assert "yours and edited" in outcome.out
    assert "+# its pool" in outcome.out


def test_what_is_needed_is_said_and_taken_along_only_when_agreed(
    new_service: NewService, work: Path, identity: None
) -> None:
    project = minimal(new_service, work)
    refused = new_service("add", "audit", "--dir", project)
    assert refused.code == 2
    assert "audit needs postgres" in refused.err
    assert "new-service add audit postgres" in refused.err
    assert features(project) == []
    assert new_service("add", "audit", "--dir", project, "--yes", "--no-lock").code == 0
    assert features(project) == ["postgres", "audit"]
    commit_all(project)
    refused = new_service("remove", "postgres", "--dir", project)
    assert (refused.code, "audit needs postgres" in refused.err) == (2, True)
    assert new_service("remove", "postgres", "--dir", project, "--yes", "--no-lock").code == 0
    assert features(project) == []


@pytest.mark.parametrize("agreed", [True, False])
def test_a_person_at_a_terminal_is_asked(
    new_service: NewService, work: Path, identity: None, monkeypatch: pytest.MonkeyPatch, *, agreed: bool
) -> None:
    project = minimal(new_service, work)
    asked: list[str] = []
    monkeypatch.setattr(Console, "can_ask", True)

    def confirm(question: str) -> bool:
        asked.append(question)
        return agreed

    monkeypatch.setattr(wizard, "confirm", confirm)
    outcome = new_service("add", "audit", "--dir", project, "--no-lock")
    assert asked == ["audit needs postgres: add both?"]
    assert outcome.code == (0 if agreed else 1)
    assert features(project) == (["postgres", "audit"] if agreed else [])


def test_needs_are_followed_however_indirect(catalogue: Catalogue) -> None:
    chain = {
        name: catalogue.features["audit"].model_copy(update={"needs": needs})
        for name, needs in {"a": ("b",), "b": ("c",), "c": (), "d": ()}.items()
    }
    long = Catalogue(chain, {})
    assert sorted(with_needs(long, ["a"])) == ["a", "b", "c"]
    assert without_needing(long, ["a", "b", "c", "d"], ["c"]) == ["d"]


@pytest.mark.parametrize(("verb", "name"), [("add", "sentri"), ("remove", "sentri"), ("add", "load-test")])
def test_a_feature_that_does_not_exist_for_the_type_is_refused(
    new_service: NewService, work: Path, identity: None, verb: str, name: str
) -> None:
    project = minimal(new_service, work, "bot")
    outcome = new_service(verb, name, "--dir", project)
    assert outcome.code == 2
    assert f"feature '{name}' does not exist for the service type bot" in outcome.err
    assert "sentry" in outcome.err


@pytest.mark.parametrize("verb", ["add", "remove"])
def test_what_is_so_already_changes_nothing(new_service: NewService, project: Path, verb: str) -> None:
    outcome = new_service(verb, "sentry" if verb == "add" else "tracing", "--dir", project)
    assert outcome.code == 0
    assert "nothing changes" in outcome.out
    assert git("status", "--porcelain", folder=project) == ""


def test_a_dry_run_of_both_shows_the_diff_and_writes_nothing(new_service: NewService, project: Path) -> None:
    assert "+++ b/src/billing/chassis/tracing.py" in new_service("add", "tracing", "--dir", project, "--dry-run").out
    assert "-- sentry" in new_service("remove", "sentry", "--dir", project, "--dry-run").out
    assert git("status", "--porcelain", folder=project) == ""


def test_features_change_at_the_release_that_the_project_has(
    new_service: NewService, template: Path, project: Path
) -> None:
    (template / "template" / PACKAGE / "chassis/tracing.py").write_text("# of the next release\n")
    commit_all(template, tag="v1.1.0")
    assert new_service("add", "tracing", "--dir", project, "--no-lock").code == 0
    assert "next release" not in (project / "src/billing/chassis/tracing.py").read_text()


def test_the_lock_is_resolved_where_the_dependencies_changed(new_service: NewService, project: Path) -> None:
    document = new_service("add", "tracing", "--dir", project, "--json").document
    [files, lock] = document["steps"]
    assert (files["outcome"], lock["name"], lock["outcome"]) == ("done", "uv.lock", "done")
    assert "A  uv.lock" in git("status", "--porcelain", folder=project).splitlines()
    commit_all(project)
    again = new_service("remove", "tracing", "--dir", project, "--json").document
    assert again["steps"][1]["detail"] == "the dependencies are the same"


def test_a_recorded_feature_that_does_not_exist_is_named(new_service: NewService, project: Path) -> None:
    answers = project / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("- sentry", "- ghost"))
    commit_all(project)
    outcome = new_service("add", "tracing", "--dir", project)
    assert outcome.code == 2
    assert "records features that its template does not have: ghost" in outcome.err


def test_a_lock_of_a_workspace_is_not_looked_for_in_the_project(
    new_service: NewService, template: Path, work: Path, identity: None
) -> None:
    git("init", "--quiet", folder=work)
    new_service("create", "a", "--name", "billing", "--yes", "--no-lock", "--template", template)
    (work / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["a"]\n')
    commit_all(work)
    outcome = new_service("add", "tracing", "--dir", work / "a")
    assert outcome.code == 0
    assert "in the workspace that the project belongs to" in outcome.out


def test_features_that_are_recorded_as_text_are_not_dropped(new_service: NewService, project: Path) -> None:
    answers = project / ".copier-answers.yml"
    listed = "features:\n- rate-limit\n- sentry\n"
    answers.write_text(answers.read_text().replace(listed, "features: '[rate-limit, sentry]'\n"))
    commit_all(project)
    outcome = new_service("add", "tracing", "--dir", project, "--no-lock")
    assert (outcome.code, features(project)) == (0, ["rate-limit", "sentry", "tracing"])
