"""`new-service create`, from the command line to the files on disk."""

import os
from pathlib import Path

import pytest
import yaml

from .conftest import NewService, change, commit_all, git, tree

CREATE = ("create", "--name", "billing", "--yes", "--no-lock")


def recorded(folder: Path) -> dict[str, object]:
    return yaml.safe_load((folder / ".copier-answers.yml").read_text())


def test_a_project_is_created_with_a_first_commit_of_everything(
    new_service: NewService, work: Path, identity: None
) -> None:
    assert new_service(*CREATE).code == 0
    project = work / "billing"
    assert git("status", "--porcelain", folder=project) == ""
    assert git("ls-files", folder=project).splitlines() == [*tree(project)]
    assert (project / "run.sh").stat().st_mode & 0o111 == 0o111
    assert [path.name for path in work.iterdir()] == ["billing"]


def test_what_is_printed_can_be_read_in_a_pipe(new_service: NewService, identity: None) -> None:
    out = new_service(*CREATE).out
    assert "billing · HTTP API · rate-limit, sentry · 14 files" in out
    assert "    src/billing/           yours: api, notes/, settings\n" in out
    assert "    src/billing/chassis/   the template's, updated for you\n" in out
    assert "    ./                     yours: README.md\n" in out
    assert "                           yours and the template's: pyproject.toml\n" in out
    assert "✔ 14 files     0." in out
    assert "✔ first commit 0." in out
    assert "    cd billing\n" in out
    assert "\x1b" not in out


def test_without_an_identity_the_commit_is_skipped_with_a_notice(new_service: NewService, work: Path) -> None:
    outcome = new_service(*CREATE)
    assert outcome.code == 0
    assert "– first commit" in outcome.out
    assert "git does not know who you are" in outcome.out
    assert (work / "billing" / "README.md").is_file()


def test_inside_a_repository_no_other_is_made(new_service: NewService, work: Path, identity: None) -> None:
    git("init", "--quiet", folder=work)
    outcome = new_service(*CREATE)
    assert outcome.code == 0
    assert "lies in the repository" in outcome.out
    assert not (work / "billing" / ".git").exists()


def test_no_git_makes_no_repository(new_service: NewService, work: Path) -> None:
    assert "commit" not in new_service(*CREATE, "--no-git").out
    assert not (work / "billing" / ".git").exists()


def test_json_is_one_document_and_nothing_else(new_service: NewService, work: Path, identity: None) -> None:
    document = new_service(*CREATE, "--json").document
    assert document["project"] == str(work / "billing")
    assert document["answers"]["service_type"] == "api"
    assert document["files"] == [*tree(work / "billing")]
    assert [(step["name"], step["outcome"]) for step in document["steps"]] == [
        ("14 files", "done"),
        ("first commit", "done"),
    ]
    assert document["next"][0] == "cd billing"


def test_every_way_of_answering_ends_in_the_same_place(new_service: NewService, work: Path) -> None:
    (work / "answers.yml").write_text("service_type: worker\nbroker: kafka\nowner: '@file'\nfeatures: [tracing]\n")
    outcome = new_service(
        "create", "out", "--name", "billing", "--answers", "answers.yml", "--set", "owner=@flag", "--feature", "sentry",
        "--set", "replicas=3", "--yes", "--no-lock", "--no-git",
    )  # fmt: skip
    assert outcome.code == 0
    answers = recorded(work / "out")
    assert answers["owner"] == "@flag"
    assert (answers["service_type"], answers["broker"], answers["replicas"]) == ("worker", "kafka", 3)
    assert answers["features"] == ["sentry", "tracing"]


def test_flags_beat_the_preset_and_the_preset_the_file(new_service: NewService, work: Path) -> None:
    (work / "answers.yml").write_text("features: [tracing]\n")
    new_service(*CREATE, "--no-git", "--answers", "answers.yml", "--preset", "full", "--no-feature", "audit")
    assert recorded(work / "billing")["features"] == ["rate-limit", "sentry", "tracing", "postgres", "load-test"]


def test_an_organisations_defaults_lie_below_the_flags(new_service: NewService, work: Path, home: Path) -> None:
    path = home / "config" / "new-service" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[answers]\nowner = "@acme"\nimage_repository = "ghcr.io/acme/{{ service_name }}"\nci = "none"\n')
    new_service(*CREATE, "--no-git", "--set", "ci=github")
    answers = recorded(work / "billing")
    assert answers["owner"] == "@acme"
    assert answers["image_repository"] == "ghcr.io/acme/billing"
    assert answers["ci"] == "github"


def test_an_organisations_template_is_used(
    new_service: NewService, work: Path, home: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEW_SERVICE_TEMPLATE")
    (template / "template" / "ours.txt").write_text("x")
    commit_all(template)
    path = home / "system" / "new-service" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'template = "{template}"\n')
    assert new_service(*CREATE, "--no-git").code == 0
    assert (work / "billing" / "ours.txt").is_file()


def test_an_organisations_unknown_question_is_refused(new_service: NewService, home: Path) -> None:
    path = home / "config" / "new-service" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[answers]\nonwer = "@acme"\n')
    outcome = new_service(*CREATE)
    assert outcome.code == 2
    assert "question 'onwer' does not exist (in the organisation's defaults)" in outcome.err
    assert "did you mean 'owner'?" in outcome.err


def test_without_a_terminal_nothing_is_asked_and_what_is_missing_is_listed(new_service: NewService, work: Path) -> None:
    outcome = new_service("create", "--no-lock")
    assert outcome.code == 2
    assert "no answer yet to: service_name, description" in outcome.err
    assert not any(work.iterdir())


def test_the_folder_names_the_service_where_nobody_else_does(new_service: NewService, work: Path) -> None:
    assert new_service("create", "lib/orders", "--yes", "--no-lock", "--no-git").code == 0
    assert recorded(work / "lib/orders")["service_name"] == "orders"
    assert new_service("create", "other", "--name", "billing", "--yes", "--no-lock", "--no-git").code == 0
    assert recorded(work / "other")["service_name"] == "billing"


def test_a_folder_whose_name_no_service_can_have_is_refused_with_the_way_out(
    new_service: NewService, work: Path
) -> None:
    outcome = new_service("create", "My_Orders", "--yes", "--no-lock", "--no-git")
    assert outcome.code == 2
    assert "service_name: 'My_Orders': use lowercase" in outcome.err
    assert "--set service_name=…" in outcome.err
    assert not any(work.iterdir())


def test_with_all_answers_given_a_terminal_is_not_needed(new_service: NewService, work: Path) -> None:
    answers = "service_name: billing\ndescription: d\nservice_type: api\nfeatures: []\nowner: o\nci: none\n"
    (work / "answers.yml").write_text(answers + "python_version: '3.13'\n")
    assert new_service("create", "--answers", "answers.yml", "--no-lock", "--no-git").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--name", "Bad"], ["service_name: 'Bad': use lowercase"]),
        (["--type", "cron"], ["service_type: 'cron' is no choice", "valid: api, bot, worker"]),
        (["--preset", "maximal"], ["preset 'maximal' does not exist", "valid: minimal, standard, full"]),
        (["--feature", "audti"], ["feature 'audti' does not exist", "did you mean 'audit'?"]),
        (["--no-feature", "x"], ["feature 'x' does not exist"]),
        (["--feature", "audit"], ["feature 'audit' needs 'postgres'", "add --feature postgres"]),
        (["--type", "bot", "--feature", "load-test"], ["only for the service types api, not for bot"]),
        (["--set", "onwer=x"], ["question 'onwer' does not exist", "did you mean 'owner'?"]),
        (["--set", "reserved=x"], ["derived"]),
        (["--set", "x"], ["no assignment"]),
        (["--answers", "none.yml"], ["none.yml cannot be read"]),
        (["--ref", "v9"], ["no version 'v9'", "releases: v1.0.0"]),
        (["--template", "nowhere"], ["there is no folder"]),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(
    new_service: NewService, work: Path, arguments: list[str], words: list[str]
) -> None:
    name = [] if "--name" in arguments else ["--name", "billing"]
    outcome = new_service("create", *name, "--yes", "--no-lock", *arguments)
    assert outcome.code == 2
    assert all(word in outcome.err for word in words), outcome.err
    assert outcome.out == ""
    assert not any(work.iterdir())


def test_every_problem_is_told_in_two_lines(new_service: NewService) -> None:
    err = new_service("create", "--name", "Bad", "--type", "cron", "--yes").err.splitlines()
    assert [line.startswith("error: ") for line in err] == [True, False, True, False]


def test_a_refusal_is_json_too(new_service: NewService) -> None:
    outcome = new_service(*CREATE, "--json", "--set", "onwer=x")
    assert outcome.code == 2
    assert outcome.document["errors"][0]["message"] == "question 'onwer' does not exist"


def test_an_unknown_option_is_wrong_usage(new_service: NewService) -> None:
    assert new_service(*CREATE, "--nonsense").code == 2


@pytest.mark.parametrize("taken", ["a folder with a file", "a file"])
def test_a_taken_folder_is_refused(new_service: NewService, work: Path, taken: str) -> None:
    path = work / "billing"
    if taken == "a file":
        path.write_text("mine")
    else:
        path.mkdir()
        (path / "mine").write_text("mine")
    outcome = new_service(*CREATE)
    assert outcome.code == 2
    assert "error: billing is" in outcome.err
    assert [*tree(work)] == (["billing"] if taken == "a file" else ["billing/mine"])


def test_an_empty_folder_is_filled(new_service: NewService, work: Path) -> None:
    assert new_service("create", ".", "--name", "billing", "--yes", "--no-lock", "--no-git").code == 0
    assert (work / "README.md").read_text().count(f"In {work.name},") == 1


def test_nobody_is_told_to_go_where_they_are(new_service: NewService) -> None:
    arguments = ("--name", "billing", "--yes", "--no-lock", "--no-git", "--json")
    assert not any(line.startswith("cd") for line in new_service("create", ".", *arguments).document["next"])


def test_missing_parents_are_made(new_service: NewService, work: Path) -> None:
    assert new_service("create", "a/b/c", "--name", "billing", "--yes", "--no-lock", "--no-git").code == 0
    assert (work / "a" / "b" / "c" / "README.md").is_file()


def test_a_dry_run_shows_everything_and_writes_nothing(new_service: NewService, work: Path) -> None:
    outcome = new_service(*CREATE, "--dry-run")
    assert outcome.code == 0
    assert "billing · HTTP API · rate-limit, sentry · 14 files" in outcome.out
    assert "✔" not in outcome.out
    assert not any(work.iterdir())
    document = new_service(*CREATE, "--dry-run", "--json").document
    assert document["steps"] == document["next"] == []
    assert "src/billing/settings.py" in document["files"]


def test_a_dry_run_may_name_a_folder_relatively(new_service: NewService, work: Path) -> None:
    (work / "empty" / "deeper").mkdir(parents=True)
    assert new_service("create", "empty/deeper/../new", "--name", "billing", "--yes", "--dry-run").code == 0


def test_a_dry_run_finds_a_templates_mistake(new_service: NewService, template: Path) -> None:
    (template / "template" / "broken.jinja").write_text("{{ nonsense }}")
    commit_all(template)
    assert new_service(*CREATE, "--dry-run", "--template", template).code == 3


def test_a_template_that_raises_leaves_nothing_behind(new_service: NewService, work: Path, template: Path) -> None:
    (template / "template" / "broken.jinja").write_text("{{ nonsense }}")
    commit_all(template)
    outcome = new_service(*CREATE, "--template", template)
    assert outcome.code == 3
    assert "template/broken.jinja cannot be rendered: 'nonsense' is undefined" in outcome.err
    assert "✔" not in outcome.out
    assert not any(work.iterdir())


@pytest.fixture
def offline_uv(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a uv on PATH that finds no network."""
    program = work.with_name("bin") / "uv"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'error: no network' >&2\nexit 2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_without_a_network_the_project_stays_and_what_to_run_is_told(
    new_service: NewService, work: Path, offline_uv: None, identity: None
) -> None:
    outcome = new_service("create", "--name", "billing", "--yes")
    assert outcome.code == 3
    assert "✘ uv.lock" in outcome.out
    assert "run in the project: uv lock" in outcome.out
    assert "✔ uv.lock" not in outcome.out
    assert git("rev-list", "--count", "HEAD", folder=work / "billing") == "1"


def test_a_failed_step_is_told_in_json(new_service: NewService, offline_uv: None) -> None:
    outcome = new_service("create", "--name", "billing", "--yes", "--no-git", "--json")
    assert outcome.code == 3
    step = outcome.document["steps"][-1]
    assert (step["name"], step["outcome"]) == ("uv.lock", "failed")


def test_the_lock_file_is_part_of_the_first_commit(
    new_service: NewService, work: Path, offline_uv: None, identity: None
) -> None:
    (work.with_name("bin") / "uv").write_text("#!/bin/sh\nprintf '[[package]]\\n' > uv.lock\n")
    assert "✔ uv.lock" in new_service("create", "--name", "billing", "--yes").out
    assert "uv.lock" in git("ls-files", folder=work / "billing").splitlines()


def test_uncommitted_changes_of_the_template_are_told_and_not_rendered(
    new_service: NewService, work: Path, template: Path
) -> None:
    (template / "template" / "new.txt").write_text("x")
    outcome = new_service(*CREATE, "--no-git", "--template", template)
    assert "note: uncommitted changes" in outcome.err
    assert not (work / "billing" / "new.txt").exists()


def test_a_template_without_features_works_everywhere(new_service: NewService, template: Path, work: Path) -> None:
    text = (template / "copier.yml").read_text()
    start, end = text.index("_features:"), text.index("service_name:")
    text = text[:start] + "_features: {}\n\n" + text[end:]
    text = text.replace("choices: [rate-limit, sentry, tracing, postgres, audit, load-test]", "choices: {}")
    default = text[text.index("default: \"{{ ['rate") :].splitlines()[0]
    (template / "copier.yml").write_text(text.replace(default, "default: []"))
    commit_all(template)
    assert new_service(*CREATE, "--no-git", "--template", template, "--preset", "full").code == 0
    assert recorded(work / "billing")["features"] == []
    refused = new_service(*CREATE, "--template", template, "--feature", "audit", "--set", "x=y")
    assert "this template has no feature yet" in refused.err
    assert "there are no features yet" in new_service("features", "--template", template).out
    assert new_service("variants", "--template", template, "--json").code == 0


def test_the_choices_are_those_of_the_named_version(new_service: NewService, template: Path, work: Path) -> None:
    change(template, {"    Worker: worker\n": "    Worker: worker\n    Cron job: cron\n"})
    commit_all(template, tag="v1.1.0")
    assert new_service(*CREATE, "--no-git", "--template", template, "--type", "cron").code == 0
    assert new_service(*CREATE, "--template", template, "--ref", "v1.0.0", "--type", "cron").code == 2


def test_the_real_template_is_created(
    new_service: NewService, work: Path, root: Path, identity: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEW_SERVICE_TEMPLATE")
    outcome = new_service(*CREATE)
    if "no folder 'template'" in outcome.err:
        pytest.skip("the repository's HEAD has no template yet")
    assert outcome.code == 0
    project = work / "billing"
    assert git("ls-files", folder=project).splitlines() == sorted([*tree(project)])
    assert recorded(project)["_commit"] == git("describe", "--tags", "--always", folder=root)
