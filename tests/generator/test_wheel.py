"""new-service as people have it: installed from a wheel, beside neither a checkout of the template nor a network."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from uv import find_uv_bin

from tests.conftest import ROOT

from .conftest import commit_all, git, tree
from .serving import Served, publish, serve

NOT_COMMITTED = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "dist", "uv.lock")
OUTSIDE = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
NETWORK = {False: {"GIT_ALLOW_PROTOCOL": "file"}, True: {"NO_PROXY": "127.0.0.1"}}
IDENTITY = {f"GIT_{role}_{what}": "ada@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass(frozen=True)
class Installed:
    """A release of new-service in an environment of its own."""

    environment: Path

    def run(self, *arguments: str | Path, folder: Path | None = None, code: int = 0, online: bool = False) -> str:
        program, *rest = arguments
        ran = subprocess.run(
            [str(self.environment / "bin" / program), *map(str, rest)],
            cwd=folder,
            env=OUTSIDE | IDENTITY | NETWORK[online] | {"HOME": str(self.environment)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def create(self, folder: Path) -> None:
        self.run("new-service", "create", folder, "--name", "billing", "--yes", "--no-lock")


@dataclass(frozen=True)
class World:
    """Two releases, installed; the template that both come from, where the network has it; a project of each."""

    old: Installed
    new: Installed
    served: Served
    projects: Path


def uv(*arguments: str | Path) -> None:
    ran = subprocess.run([find_uv_bin(), *arguments], env=OUTSIDE, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def release(checkout: Path, version: str) -> None:
    project = checkout / "pyproject.toml"
    project.write_text(re.sub(r'(?m)^version = ".*"', f'version = "{version}"', project.read_text()))
    commit_all(checkout, tag=f"v{version}")


def install(checkout: Path, *how: str) -> Installed:
    dist, environment = (
        checkout.with_name(f"{name}-{len(list(checkout.parent.iterdir()))}") for name in ("dist", "venv")
    )
    uv("build", "--quiet", *how, "--out-dir", dist, checkout)
    uv("venv", "--quiet", environment)
    uv("pip", "install", "--quiet", "--python", environment / "bin" / "python", f"{next(dist.glob('*.whl'))}[variants]")
    return Installed(environment)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    checkout = Path(shutil.copytree(ROOT, folder / "checkout", ignore=NOT_COMMITTED))
    git("init", "--quiet", folder=checkout)
    release(checkout, "0.1.0")
    with serve(checkout, folder / "web") as served:
        git("remote", "add", "origin", served.url.replace("//", "//ada:s3cret@"), folder=checkout)
        old = install(checkout)  # the sdist first, and the wheel from it
        with (checkout / "template/Dockerfile.jinja").open("a") as dockerfile:
            dockerfile.write("LABEL release=two\n")
        (checkout / "template/docs/two.md").write_text("two\n")
        release(checkout, "0.2.0")
        new = install(checkout, "--wheel")
        publish(checkout, served.repository)
        shutil.rmtree(checkout)
        served.requests.clear()
        old.create(folder / "old" / "billing")
        new.create(folder / "new" / "billing")
        yield World(old, new, served, folder)


@pytest.fixture
def project(world: World, tmp_path: Path) -> Path:
    """Return a committed project of the old release."""
    return Path(shutil.copytree(world.projects / "old" / "billing", tmp_path / "old" / "billing"))


@pytest.fixture
def fresh(world: World, tmp_path: Path) -> Path:
    """Return a project of the new release."""
    return Path(shutil.copytree(world.projects / "new" / "billing", tmp_path / "new" / "billing"))


def test_create_records_the_url_and_the_release_and_asks_nobody(world: World, project: Path) -> None:
    recorded = yaml.safe_load((project / ".copier-answers.yml").read_text())
    assert (recorded["_src_path"], recorded["_commit"]) == (world.served.url, "v0.1.0")
    assert not world.served.requests


def test_a_newer_wheel_updates_a_project_without_a_network(world: World, project: Path, fresh: Path) -> None:
    assert "outdated  1 release behind v0.2.0" in world.new.run("new-service", "check", project, code=1)
    world.new.run("new-service", "update", project, "--no-lock")
    assert (project / "docs/two.md").is_file()
    assert tree(project) == tree(fresh)
    assert not world.served.requests


def test_features_variants_add_and_remove_need_no_network(world: World, project: Path) -> None:
    before = tree(project)
    assert "rate-limit" in world.old.run("new-service", "features")
    assert json.loads(world.old.run("new-service", "variants", "--json"))["include"]
    for verb in ("remove", "add"):  # by the newer one, at the release that the project has
        world.new.run("new-service", verb, "rate-limit", "--dir", project, "--no-lock")
        assert (tree(project) == before) is (verb == "add")
        commit_all(project)
    assert not world.served.requests


def test_plain_copier_updates_it_from_the_url(world: World, project: Path, fresh: Path) -> None:
    world.old.run("copier", "update", "--defaults", "--quiet", folder=project, online=True)
    assert tree(project) == tree(fresh)
    assert world.served.requests
    world.served.requests.clear()


def test_what_the_wheel_does_not_bring_comes_from_the_network(world: World, project: Path, fresh: Path) -> None:
    world.old.run("new-service", "update", project, "--to", "v0.2.0", "--no-lock", code=3)
    world.old.run("new-service", "remove", "sentry", "--dir", fresh, "--no-lock", code=3)
    assert not world.served.requests
    world.old.run("new-service", "remove", "sentry", "--dir", fresh, "--no-lock", online=True)
    world.old.run("new-service", "update", project, "--no-lock", online=True)
    assert (project / "docs/two.md").is_file()
    assert world.served.requests
    world.served.requests.clear()


def test_a_project_at_the_wheels_release_is_up_to_date_even_offline(world: World, project: Path) -> None:
    said = world.old.run("new-service", "update", project)
    assert "billing is up to date with v0.1.0" in said
    assert "only what this new-service brings along was looked at" in said


def test_a_release_that_is_not_published_yet_is_told(world: World, project: Path) -> None:
    tag = git("rev-parse", "v0.1.0", folder=world.served.repository)
    git("tag", "--delete", "v0.1.0", folder=world.served.repository)
    git("update-server-info", folder=world.served.repository)
    try:
        said = world.old.run("new-service", "check", project, online=True)
        assert "does not have 'v0.1.0', which the project was made with; only what this new-service brings" in said
    finally:
        git("update-ref", "refs/tags/v0.1.0", tag, folder=world.served.repository)
        git("update-server-info", folder=world.served.repository)
        world.served.requests.clear()


def test_a_version_that_the_wheel_does_not_bring_is_refused_with_the_way_to_it(world: World, tmp_path: Path) -> None:
    said = world.old.run("new-service", "create", tmp_path / "x", "--name", "x", "--yes", "--ref", "v0.2.0", code=2)
    assert "releases: v0.1.0; --template" in said
    assert world.served.url in said
