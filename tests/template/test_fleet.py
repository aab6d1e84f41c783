"""Layer 5: what docs/fleet.md tells a platform team to copy works as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import Render, fenced, git, release
from .test_artefacts import WORKFLOW, run, tool

ANSWERS = ["--yes", "--no-lock", "--name", "billing"]


@pytest.fixture(scope="session")
def page(root: Path) -> str:
    return (root / "docs/fleet.md").read_text()


@pytest.fixture
def workflow(page: str, tmp_path: Path) -> Path:
    path = tmp_path / ".github/workflows/template.yml"
    path.parent.mkdir(parents=True)
    path.write_text(fenced(page, "yaml", "jobs:"))
    return path


def checks(workflow: Path) -> dict[str, int]:
    commands = {"actionlint": [], "zizmor": ["--offline", "--pedantic"]}
    folder = workflow.parents[2]
    name = str(workflow.relative_to(folder))
    return {program: run([tool(program), *flags, name], folder).returncode for program, flags in commands.items()}


def test_the_workflow_that_checks_is_valid_and_safe(workflow: Path) -> None:
    assert checks(workflow) == {"actionlint": 0, "zizmor": 0}


@pytest.mark.parametrize(
    ("finder", "old", "new"),
    [("actionlint", "- cron: ", "- crom: "), ("zizmor", "permissions: {}", "permissions: write-all")],
)
def test_a_bad_workflow_that_checks_is_found(workflow: Path, finder: str, old: str, new: str) -> None:
    text = workflow.read_text()
    assert old in text
    workflow.write_text(text.replace(old, new))
    assert checks(workflow)[finder] != 0


def test_the_schedules_use_the_versions_of_the_generated_workflow(page: str, rendered: Render) -> None:
    generated = (rendered("defaults") / WORKFLOW).read_text()
    used = re.findall(r"uses: .*", fenced(page, "yaml", "jobs:"))
    assert used
    assert set(used) <= set(re.findall(r"uses: .*", generated))
    [version] = re.findall(r"version: ([\d.]+)", generated)
    assert f"version: {version}\n" in fenced(page, "yaml", "jobs:")
    assert f"uv:{version}-" in fenced(page, "yaml", "exit_codes")


def test_the_gitlab_job_runs_on_a_schedule_and_only_warns_of_an_outdated_project(page: str) -> None:
    [job] = yaml.safe_load(fenced(page, "yaml", "exit_codes")).values()
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule"'}]
    assert job["allow_failure"] == {"exit_codes": [1]}
    assert job["script"][0].endswith("new-service check")


def shell(script: str, folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"} | extra
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def fleet(template_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of clones, behind by one release: one as created, one that its team edited, and no project."""
    place = tmp_path_factory.mktemp("fleet")
    repository = shutil.copytree(template_repository, place / "template")
    folder = place / "clones"
    for name in ("created", "edited"):
        made = [tool("new-service"), "create", str(folder / name), *ANSWERS, "--no-git", "--template", str(repository)]
        assert run(made, place).returncode == 0
        (folder / name / "uv.lock").touch()  # the dependencies stay the same, so nobody asks a package index
    edited = folder / "edited"
    with (edited / "scripts/smoke.py").open("a") as moved:
        moved.write("# ours\n")
    (edited / "docs/runbook.md").write_text("ours\n")
    (edited / "config/base.yaml").unlink()
    (folder / "other").mkdir()
    for project in folder.iterdir():
        git("init", "--quiet", folder=project)
        release(project, "made")
    template = repository / "template"
    (template / "docs/runbook.md.jinja").write_text("theirs\n")
    (template / "scripts/smoke.py.jinja").rename(template / "scripts/probe.py.jinja")
    with (template / "src/{{ package_name }}/settings.py").open("a") as settings:
        settings.write("# theirs\n")
    release(repository, "v0.2.0")
    return folder


@pytest.fixture
def clones(fleet: Path, tmp_path: Path) -> Path:
    return shutil.copytree(fleet, tmp_path / "clones")


def test_the_loop_updates_every_clone_and_lists_what_is_left(page: str, clones: Path) -> None:
    left = shell(fenced(page, "sh", "xargs"), clones)
    assert sorted(left.stdout.splitlines()) == ["1 edited", "2 other"], left.stderr
    assert sorted((clones / "codes.txt").read_text().splitlines()) == ["0 created", "1 edited", "2 other"]
    reports = {path.stem: json.loads(path.read_text()) for path in clones.glob("*.json")}
    assert [conflict["path"] for conflict in reports["edited"]["conflicts"]] == ["docs/runbook.md"]
    assert reports["created"]["changes"]
    assert reports["other"]["errors"]


@pytest.mark.parametrize(("name", "code"), [("created", 0), ("edited", 1), ("other", 2)])
def test_the_script_for_multi_gitter_tells_how_each_repository_ended(
    page: str, clones: Path, tmp_path: Path, name: str, code: int
) -> None:
    git("clone", "--quiet", "--depth=1", (clones / name).as_uri(), "clone", folder=tmp_path)  # as multi-gitter does
    script = tmp_path / "update-service"
    script.write_text(fenced(page, "bash", "REPOSITORY"))
    script.chmod(0o755)
    ended = shell(str(script), tmp_path / "clone", REPORTS=str(tmp_path), REPOSITORY=f"example/{name}")
    assert ended.returncode == code, ended.stderr
    assert (tmp_path / "codes.txt").read_text() == f"{code} example/{name}\n"
    assert json.loads((tmp_path / f"example-{name}.json").read_text())


def test_plain_copier_differs_from_an_update_as_the_page_says(page: str, clones: Path) -> None:
    edited, ours = clones / "edited", shutil.copytree(clones / "edited", clones / "ours")
    command = fenced(page, "sh", "--skip-answered")
    assert shell(command, clones / "created").returncode == 0
    assert shell(command, edited).returncode == 0
    assert shell("new-service update", ours).returncode == 1
    for project, keeps_edits in ((edited, False), (ours, True)):
        assert git("diff", "--name-only", "--diff-filter=U", folder=project) == "docs/runbook.md"
        assert ("# ours" in (project / "scripts/probe.py").read_text()) is keeps_edits
        assert (project / "config/base.yaml").exists() is not keeps_edits
        assert ((project / "src/billing/settings.py").read_text().endswith("# theirs\n")) is keeps_edits
