"""What a build puts into the wheel, and what is said where it could put nothing in."""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from new_service import bundled, source
from new_service.errors import TemplateUnusable
from new_service.source import brought_along, find

from .conftest import commit_all, git

URL = "https://git.example.com/new-service.git"
BUILT = ("pyproject.toml", "README.md", "LICENSE", "copier.yml")

OUTSIDE = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # before a test has its own home


@pytest.fixture
def sources(root: Path, tmp_path: Path) -> Path:
    """Return what a wheel is built from, without git."""
    folder = tmp_path / "sources"
    shutil.copytree(root / "generator", folder / "generator", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "template").mkdir()
    (folder / "template" / "file").write_text("x")
    for name in BUILT:
        shutil.copy(root / name, folder)
    return folder


@pytest.fixture
def checkout(sources: Path) -> Path:
    """Return a checkout with one release and one commit after it."""
    git("init", "--quiet", folder=sources)
    commit_all(sources, tag="v1.0.0")
    git("tag", "nightly", folder=sources)
    (sources / "template" / "file").write_text("y")
    commit_all(sources)
    return sources


def build(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int = 0, **environment: str
) -> tuple[dict[str, Any], str]:
    """Build a wheel, and let the package believe that it was installed from it; return its record and what was said."""
    dist = folder.with_name("dist")
    ran = subprocess.run(
        [find_uv_bin(), "build", "--wheel", "--out-dir", dist, folder],
        env=OUTSIDE | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == code, ran.stderr
    if code:
        return {}, ran.stderr
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        wheel.extractall(folder.with_name("installed"))
    template = folder.with_name("installed") / "new_service" / "_template"
    monkeypatch.setattr(bundled, "_FOLDER", template)
    monkeypatch.setattr(source, "_OWN_CHECKOUT", folder.with_name("installed"))
    return json.loads((template / "release.json").read_text()), ran.stderr


def test_it_is_head_with_the_releases_and_nothing_else(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("remote", "add", "origin", URL, folder=checkout)
    record, _ = build(checkout, monkeypatch)
    assert record["commit"].startswith("v1.0.0-1-g")
    repository = find(None, tmp_path)
    assert repository.pin().commit_hash == record["commit_hash"] == git("rev-parse", "HEAD", folder=checkout)
    assert repository.pin("v1.0.0").commit == "v1.0.0"
    assert git("for-each-ref", "--format=%(refname)", folder=repository.folder) == "refs/tags/v1.0.0"


def test_a_project_of_the_same_template_is_recognised(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("remote", "add", "origin", URL, folder=checkout)
    build(checkout, monkeypatch)
    assert brought_along(f"git+{URL.removesuffix('.git')}", tmp_path) is not None
    assert brought_along("https://git.example.com/other.git", tmp_path) is None


def test_the_url_can_be_named_when_it_is_built(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("remote", "add", "origin", "ssh://git@internal.example.com/mirror.git", folder=checkout)
    record, _ = build(checkout, monkeypatch, NEW_SERVICE_TEMPLATE_URL=URL.replace("//", "//ada:s3cret@"))
    assert record["source"] == URL


def test_a_url_that_is_none_ends_the_build(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = build(checkout, monkeypatch, code=2, NEW_SERVICE_TEMPLATE_URL="../new-service")
    assert "error: NEW_SERVICE_TEMPLATE_URL is not the URL of a repository: '../new-service'" in said


def test_without_a_url_the_path_is_recorded_and_that_is_told(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "template" / "file").write_text("not committed")
    record, said = build(checkout, monkeypatch)
    assert record["source"] == str(checkout)
    assert f"projects will record {checkout}, which only this machine has; set NEW_SERVICE_TEMPLATE_URL" in said
    assert "uncommitted changes of the template are not built in" in said


def test_a_shallow_clone_brings_what_it_has(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shallow = tmp_path / "shallow"
    git("clone", "--quiet", "--depth", "1", f"file://{checkout}", str(shallow), folder=tmp_path)
    record, said = build(shallow, monkeypatch)
    assert "the clone is shallow" in said
    repository = find(None, tmp_path)
    assert repository.pin().commit_hash == record["commit_hash"] == git("rev-parse", "HEAD", folder=checkout)
    assert not repository.has("v1.0.0")
    assert git("rev-list", record["commit_hash"], folder=repository.folder) == record["commit_hash"]


def test_what_was_built_without_git_says_so_when_a_template_is_needed(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, said = build(sources, monkeypatch)
    assert f"no template is built in: {record['missing']}" in said
    with pytest.raises(TemplateUnusable, match=r"brings no template along: .*not a git repository") as refused:
        find(None, tmp_path)
    assert "NEW_SERVICE_TEMPLATE" in refused.value.hint
    assert brought_along(URL, tmp_path) is None


def test_a_damaged_bundle_is_told(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(checkout, monkeypatch)
    (bundled._FOLDER / bundled.BUNDLE).write_bytes(b"x")  # noqa: SLF001 - where it is installed
    with pytest.raises(TemplateUnusable, match="cannot be read") as refused:
        find(None, tmp_path)
    assert refused.value.hint == "install it again"
