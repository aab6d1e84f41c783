"""`new-service check`: what it finds, what it says, and the exit code that a CI goes by."""

from pathlib import Path

from .conftest import NewService, commit_all
from .projects import PACKAGE, next_release

CHANGELOG = """# Changelog

## [Unreleased]

## [1.2.0] - 2026-03-01

### Security

- A hole is closed.

## [1.1.0] - 2026-02-01

### Added

- A page.

## [1.0.0] - 2026-01-01

The first.
"""


def test_a_project_that_is_as_it_should_be(new_service: NewService, project: Path) -> None:
    outcome = new_service("check", project)
    assert outcome.code == 0
    assert "up to date" in outcome.out
    assert new_service("check", project, "--json").document["ok"] is True


def test_what_the_team_owns_is_no_drift(new_service: NewService, project: Path) -> None:
    for name in ("README.md", "src/billing/settings.py", "pyproject.toml", ".env.example"):
        (project / name).write_text("ours\n")
    (project / "src/billing/notes/store.py").unlink()
    (project / "src/billing/chassis/own.py").write_text("ours\n")
    assert new_service("check", project).code == 0


def test_it_says_how_far_behind_with_what_the_releases_say(
    new_service: NewService, template: Path, project: Path
) -> None:
    (template / "CHANGELOG.md").write_text(CHANGELOG)
    next_release(template)
    (template / "more").write_text("x")
    commit_all(template, tag="v1.2.0")
    outcome = new_service("check", project)
    assert outcome.code == 1
    assert "2 releases behind v1.2.0" in outcome.out
    assert "1.2.0 closes security holes" in outcome.out
    assert "- A page." in outcome.out
    assert "The first." not in outcome.out
    document = new_service("check", project, "--json").document
    assert document["behind"] == ["v1.2.0", "v1.1.0"]
    assert document["security"] == ["1.2.0"]
    assert (document["outdated"], document["edited"], document["missing"]) == (True, [], [])


def test_an_update_shows_the_same_changelog(new_service: NewService, template: Path, project: Path) -> None:
    (template / "CHANGELOG.md").write_text(CHANGELOG)
    next_release(template)
    out = new_service("update", project, "--no-lock").out
    assert "1.1.0 (2026-02-01)\n    ### Added" in out
    assert "1.2.0" not in out


def test_edited_and_missing_files_of_the_templates_are_named(new_service: NewService, project: Path) -> None:
    (project / "src/billing/chassis/lifecycle.py").write_text("ours\n")
    (project / "stop.sh").unlink()
    crlf = project / "run.sh"
    crlf.write_bytes(crlf.read_bytes().replace(b"\n", b"\r\n"))
    outcome = new_service("check", project)
    assert outcome.code == 1
    assert "edited    src/billing/chassis/lifecycle.py" in outcome.out
    assert "missing   stop.sh" in outcome.out
    assert "run.sh" not in outcome.out
    assert new_service("check", project, "--no-drift").code == 0


def test_answers_that_do_not_hold_are_named(new_service: NewService, project: Path) -> None:
    answers = project / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("'3.13'", "'2.7'").replace("- sentry", "- sentri"))
    outcome = new_service("check", project)
    assert outcome.code == 1
    assert "'2.7' is no choice" in outcome.out
    assert "sentri" in outcome.out


def test_what_is_no_project_or_has_no_template_is_no_finding(
    new_service: NewService, template: Path, project: Path, work: Path
) -> None:
    assert new_service("check", work).code == 2
    answers = project / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace(str(template), "https://127.0.0.1:9/none.git"))
    assert new_service("check", project).code == 3


def test_what_is_not_released_makes_nothing_outdated(new_service: NewService, template: Path, project: Path) -> None:
    (template / "template" / PACKAGE / "chassis/rate_limit.py").write_text("# changed\n")
    commit_all(template)
    assert new_service("check", project).code == 0  # the project has the latest release
