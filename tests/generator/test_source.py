import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from new_service import source
from new_service.addresses import recorded_url
from new_service.errors import TemplateUnreachable, TemplateUnusable
from new_service.export import export
from new_service.source import Pin, find

from .conftest import commit_all, git
from .serving import publish, serve


@pytest.fixture
def served(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """Serve the template over HTTP; yield the URL and the repository behind it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(template, tmp_path / "web") as (url, repository, _):
        yield url, repository


def release(served: Path, template: Path, *tags: str) -> None:
    for tag in tags:
        (template / "VERSION").write_text(tag)
        commit_all(template, tag=tag)
    publish(template, served)


def pin(source: str | None, ref: str | None, clones: Path) -> Pin:
    return find(source, clones).pin(ref)


def test_a_folder_stands_for_its_head(template: Path, tmp_path: Path) -> None:
    (template / "more").write_text("x")
    commit_all(template)
    pinned = pin(str(template), None, tmp_path)
    assert pinned.source == str(template)
    assert pinned.commit == git("describe", "--tags", "--always", folder=template)
    assert pinned.commit.startswith("v1.0.0-1-g")


def test_a_relative_folder_is_recorded_absolute(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(template.parent)
    assert pin(f"./{template.name}", None, tmp_path).source == str(template)
    assert pin(f"file://{template}", None, tmp_path).source == str(template)


def test_a_version_of_a_folder_can_be_named(template: Path, tmp_path: Path) -> None:
    (template / "more").write_text("x")
    commit_all(template)
    assert pin(str(template), "v1.0.0", tmp_path).commit == "v1.0.0"
    assert pin(str(template), "HEAD~1", tmp_path).commit == "v1.0.0"


def test_without_tags_the_commit_is_recorded(template: Path, tmp_path: Path) -> None:
    git("tag", "--delete", "v1.0.0", folder=template)
    assert git("rev-parse", "HEAD", folder=template).startswith(pin(str(template), None, tmp_path).commit)


def test_uncommitted_changes_of_the_template_are_told(template: Path, tmp_path: Path) -> None:
    assert not pin(str(template), None, tmp_path).notices
    (template / "docs.md").write_text("not the template's")
    assert not pin(str(template), None, tmp_path).notices
    (template / "template" / "new.txt").write_text("x")
    assert "uncommitted" in pin(str(template), None, tmp_path).notices[0]
    assert not pin(str(template), "v1.0.0", tmp_path).notices


def test_a_url_stands_for_its_latest_release(served: tuple[str, Path], template: Path, tmp_path: Path) -> None:
    url, repository = served
    release(repository, template, "v1.9.0", "v1.10.0", "v2.0.0rc1", "v3-draft")
    pinned = pin(url, None, tmp_path)
    assert (pinned.source, pinned.commit) == (url, "v1.10.0")


def test_a_url_without_releases_stands_for_its_head(served: tuple[str, Path], template: Path, tmp_path: Path) -> None:
    url, repository = served
    git("tag", "--delete", "v1.0.0", folder=repository)
    git("update-server-info", folder=repository)
    assert git("rev-parse", "HEAD", folder=template).startswith(pin(url, None, tmp_path).commit)


def test_a_branch_or_commit_of_a_url_can_be_named(served: tuple[str, Path], template: Path, tmp_path: Path) -> None:
    url, repository = served
    release(repository, template, "v1.1.0")
    first = git("rev-parse", "v1.0.0^{commit}", folder=template)
    assert pin(url, "main", tmp_path / "a").commit == "v1.1.0"
    assert pin(url, first, tmp_path / "b").commit == "v1.0.0"


def test_an_unknown_version_is_refused_with_the_releases(template: Path, tmp_path: Path) -> None:
    for ref in ("v9", "--help", "a b", "HEAD:copier.yml"):
        with pytest.raises(TemplateUnusable) as refused:
            pin(str(template), ref, tmp_path)
        assert refused.value.hint == "releases: v1.0.0"


def test_an_unreachable_url_is_told_without_its_password(
    served: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = served[0].replace("//", "//ada:s3cret@").replace("template", "nothing")
    with pytest.raises(TemplateUnreachable) as failed:
        pin(url, None, tmp_path)
    assert failed.value.exit_code == 3
    assert "could not be fetched" in failed.value.message
    assert "s3cret" not in failed.value.message + failed.value.hint


def test_credentials_are_never_recorded(served: tuple[str, Path], tmp_path: Path) -> None:
    assert pin(served[0].replace("//", "//ada:s3cret@"), None, tmp_path).source == served[0]


def test_what_is_no_repository_is_refused(tmp_path: Path, template: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "file").write_text("x")
    for folder, word in {"plain": "not a git repository", "missing": "no folder", "file": "no folder"}.items():
        with pytest.raises(TemplateUnusable, match=word):
            pin(str(tmp_path / folder), None, tmp_path)
    with pytest.raises(TemplateUnusable, match="inside the repository"):
        pin(str(template / "template"), None, tmp_path)


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    git("init", "--quiet", str(tmp_path / "new"), folder=tmp_path)
    with pytest.raises(TemplateUnusable, match="no commit yet"):
        pin(str(tmp_path / "new"), None, tmp_path)


@pytest.fixture
def own(template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the package believe that it runs from the template's checkout."""
    monkeypatch.setattr(source, "_OWN_CHECKOUT", template)
    return template


@pytest.mark.parametrize(
    ("origin", "recorded"),
    [
        ("https://github.com/acme/new-service.git", "https://github.com/acme/new-service.git"),
        ("https://ada:s3cret@git.example.com/new-service.git", "https://git.example.com/new-service.git"),
        ("git@github.com:acme/new-service.git", "git@github.com:acme/new-service.git"),
        ("../elsewhere", None),
        ("/srv/new-service.git", None),
        ("file:///srv/new-service.git", None),
    ],
)
def test_the_own_checkout_records_its_origin_if_others_can_reach_it(
    own: Path, tmp_path: Path, origin: str, recorded: str | None
) -> None:
    git("remote", "add", "origin", origin, folder=own)
    assert pin(None, None, tmp_path).source == (recorded or str(own))


def test_a_commit_that_the_origin_lacks_is_told(own: Path, tmp_path: Path) -> None:
    git("remote", "add", "origin", "https://git.example.com/t.git", folder=own)
    assert "push it" in pin(None, None, tmp_path).notices[0]
    git("update-ref", "refs/remotes/origin/main", "HEAD", folder=own)
    assert not pin(None, None, tmp_path).notices


def test_the_own_checkout_without_an_origin_records_its_path(own: Path, tmp_path: Path) -> None:
    assert pin(None, None, tmp_path).source == str(own)


@pytest.mark.parametrize("missing", ["copier.yml", ".git"])
def test_without_an_own_checkout_a_template_must_be_named(own: Path, tmp_path: Path, missing: str) -> None:
    path = own / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(TemplateUnusable, match="brings no template") as refused:
        pin(None, None, tmp_path)
    assert "NEW_SERVICE_TEMPLATE" in refused.value.hint


@pytest.mark.parametrize(
    ("url", "recorded"),
    [
        ("gh:acme/templates", "https://github.com/acme/templates.git"),
        ("gl:acme/templates.git", "https://gitlab.com/acme/templates.git"),
        ("https://git.example.com/acme/templates", "git+https://git.example.com/acme/templates"),
        ("https://token@git.example.com/t.git", "https://git.example.com/t.git"),
        ("ssh://git@git.example.com:2222/t.git", "ssh://git@git.example.com:2222/t.git"),
        ("ssh://git:s3cret@git.example.com/t", "git+ssh://git@git.example.com/t"),
        ("git+https://ada:s3cret@git.example.com/t", "git+https://git.example.com/t"),
        ("deploy@git.example.com:t.git", "deploy@git.example.com:t.git"),
        ("deploy@git.example.com:t", "git+deploy@git.example.com:t"),
    ],
)
def test_a_recorded_url_is_one_that_plain_copier_takes(url: str, recorded: str) -> None:
    from copier._vcs import get_repo  # noqa: PLC0415 - slow, and only this test asks copier

    assert recorded_url(url) == recorded
    assert get_repo(recorded) == recorded.removeprefix("git+")


@pytest.mark.parametrize("is_whole", [False, True])
def test_an_export_is_what_a_checkout_would_be(template: Path, tmp_path: Path, *, is_whole: bool) -> None:
    (template / "CHANGELOG.md").write_text("# Changelog\n")
    if is_whole:  # its attributes hold for all files below
        (template / ".gitattributes").write_text("copier.yml export-ignore\n")
    (template / "link").symlink_to("copier.yml")
    commit_all(template)
    (template / "uncommitted").write_text("x")
    folder = tmp_path / "export"
    folder.mkdir()
    export(pin(str(template), None, tmp_path), folder)
    names = {path.name for path in folder.iterdir()}
    assert names == {"copier.yml", "CHANGELOG.md", "template", *([".gitattributes", "link"] if is_whole else [])}
    assert (folder / "link").is_symlink() is is_whole
    assert (folder / "template" / "stop.sh").stat().st_mode & 0o100


@pytest.mark.parametrize("reach", ["{% include 'shared.txt' %}", '{%- import "shared.txt" as shared -%}'])
def test_an_export_has_what_the_template_reads_from_elsewhere(template: Path, tmp_path: Path, reach: str) -> None:
    (template / "shared.txt").write_text("shared\n")
    (template / "template/more.txt.jinja").write_text(reach)
    commit_all(template)
    folder = tmp_path / "export"
    folder.mkdir()
    export(pin(str(template), None, tmp_path), folder)
    assert (folder / "shared.txt").is_file()


def test_an_export_leaves_the_repository_as_it_was(template: Path, tmp_path: Path) -> None:
    (template / "template" / "stop.sh").write_text("changed")
    git("add", "--all", folder=template)
    before = git("status", "--porcelain", folder=template)
    folder = tmp_path / "export"
    folder.mkdir()
    export(pin(str(template), None, tmp_path), folder)
    assert git("status", "--porcelain", folder=template) == before == "M  template/stop.sh"


def test_the_repository_of_an_outer_hook_is_not_mistaken_for_the_template(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("init", "--quiet", str(tmp_path / "outer"), folder=tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "outer" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "outer" / ".git" / "index"))
    assert pin(str(template), None, tmp_path).commit == "v1.0.0"
