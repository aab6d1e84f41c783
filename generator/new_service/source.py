"""Finds a template's repository, pins one commit of it, and copies that commit into a plain folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.version import InvalidVersion, Version

from . import git
from .addresses import SHORTCUTS, is_same, is_url, recorded_url
from .bundled import Bundle, no_bundle, read_bundle
from .errors import TemplateUnreachable, TemplateUnusable

_VERSIONS: Final = ("--match=v[0-9]*", "--match=[0-9]*")  # a tag such as `latest` moves on
_OWN_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_RESOLVE: Final = ("rev-parse", "--verify", "--quiet", "--end-of-options")


@dataclass(frozen=True)
class Repository:
    """A template's repository that can be read here: somebody's checkout, a bare clone, or what new-service brings.

    `source` is what projects record: an absolute URL or path, never with credentials. `own` is the commit that an
    installed new-service was built from, and renders.
    """

    folder: Path
    source: str
    is_checkout: bool = False
    own: str | None = None

    @property
    def latest(self) -> str:
        """What an update goes to: the latest release, HEAD without one; never beyond the release of new-service."""
        return self.own or next(iter(self.releases()), "HEAD")

    def pin(self, ref: str | None = None) -> "Pin":
        """Pin a commit; without `ref` it is a checkout's HEAD or else the latest. Raises TemplateUnusable."""
        if not self.is_checkout:
            ref = ref or self.latest
        commit_hash = self._resolve(ref or "HEAD")
        describe = git.start("describe", "--tags", "--always", *_VERSIONS, commit_hash, folder=self.folder)
        notices = tuple(self._notices(commit_hash, is_head=ref is None)) if self.is_checkout else ()
        return Pin(self.folder, commit_hash, describe.result(), self.source, notices)

    def releases(self) -> list[str]:
        """Return the tags that are releases, the latest first."""
        versions: dict[Version, str] = {}
        for tag in git.run("tag", "--list", folder=self.folder).splitlines():
            version = version_of(tag)
            if version is not None and not version.is_prerelease:
                versions[version] = tag
        return [versions[version] for version in sorted(versions, reverse=True)]

    def has(self, ref: str) -> bool:
        """Tell whether a version is there."""
        return git.succeeds(*_RESOLVE, f"{ref}^{{commit}}", folder=self.folder)

    def _resolve(self, ref: str) -> str:
        try:
            return git.run(*_RESOLVE, f"{ref}^{{commit}}", folder=self.folder)
        except git.GitFailed as error:
            if ref == "HEAD":
                raise TemplateUnusable("the template's repository has no commit yet", "commit it first") from error
            others = f"; --template {self.source} asks for others" if self.own else ""
            raise TemplateUnusable(
                f"the template has no version {ref!r}",
                f"releases: {', '.join(self.releases()[:8]) or 'none yet'}{others}",
            ) from error

    def _notices(self, commit_hash: str, *, is_head: bool) -> Iterator[str]:
        changed = git.start("status", "--porcelain", "--", "template", "copier.yml", folder=self.folder)
        if changed.result() and is_head:
            yield "uncommitted changes of the template are not rendered; commit them first"
        if self.source != str(self.folder) and not _is_published(self.folder, commit_hash):
            commit = f"the template's commit {commit_hash[:10]}"
            yield f"{commit} is not on {self.source} yet: push it, or updates will miss it"


@dataclass(frozen=True)
class Pin:
    """One commit of a template: where it can be read now, and what a project records to find it again."""

    repository: Path
    commit_hash: str
    commit: str  # what `git describe --tags --always` says: a release, or one plus the commits since
    source: str  # an absolute URL or path, never with credentials
    notices: tuple[str, ...] = ()


def find(source: str | None, clones: Path) -> Repository:
    """Find a template's repository; a remote one is cloned into `clones`.

    Without a source it is the checkout that this package runs from, or what it brings along. Raises TemplateUnusable
    and TemplateUnreachable.
    """
    if source is None:
        return _own(clones)
    if source.startswith("file://"):
        source = source.removeprefix("file://")
    if is_url(source):
        return _clone(source, clones)
    try:
        folder = Path(source).expanduser().resolve()
    except (RuntimeError, ValueError) as error:  # somebody else's home, a character that no path has
        raise TemplateUnusable(f"{source!r} names no folder: {error}", "--template takes a folder or a URL") from error
    top = _top_of_repository(folder)
    if top != folder:
        raise TemplateUnusable(f"{folder} is a folder inside the repository {top}", f"use --template {top}")
    return Repository(folder, str(folder), is_checkout=True)


def brought_along(source: str, clones: Path) -> Repository | None:
    """Return what an installed new-service brings along, if it is the template that a project records."""
    bundle = None if _is_checkout(_OWN_CHECKOUT) else read_bundle()
    return _unpack(bundle, clones) if bundle is not None and is_same(bundle.source, source) else None


def _own(clones: Path) -> Repository:
    if _is_checkout(_OWN_CHECKOUT):
        return Repository(_top_of_repository(_OWN_CHECKOUT), source_of_checkout(_OWN_CHECKOUT), is_checkout=True)
    bundle = read_bundle()
    if bundle is None:
        raise no_bundle()
    return _unpack(bundle, clones)


def _is_checkout(folder: Path) -> bool:
    return (folder / "copier.yml").is_file() and (folder / ".git").exists()


def _unpack(bundle: Bundle, clones: Path) -> Repository:
    folder = clones / "bundle.git"
    bundle.unpack(folder)
    return Repository(folder, bundle.source, own=bundle.commit_hash)


def _is_published(folder: Path, commit_hash: str) -> bool:
    return bool(git.run("for-each-ref", "--count=1", f"--contains={commit_hash}", "refs/remotes", folder=folder))


def source_of_checkout(folder: Path) -> str:
    """Return what projects record for a checkout: its origin where that is a network's URL, or else its path."""
    try:
        url = git.run("config", "--get", "remote.origin.url", folder=folder)
    except git.GitFailed:
        return str(folder)
    return recorded_url(url) if is_url(url) else str(folder)


def _top_of_repository(folder: Path) -> Path:
    if not folder.is_dir():
        raise TemplateUnusable(f"there is no folder {folder}", "--template takes a folder, or a URL with its scheme")
    try:
        return Path(git.run("rev-parse", "--show-toplevel", folder=folder)).resolve()
    except git.GitFailed as error:
        raise TemplateUnusable(
            f"{folder} is not a git repository: {error.message}", "clone the template, and name the clone or its URL"
        ) from error


def _clone(url: str, clones: Path) -> Repository:
    recorded = recorded_url(url)
    fetched = recorded if url.startswith(tuple(SHORTCUTS)) else url
    clone = clones / "template.git"
    try:
        git.run("clone", "--quiet", "--bare", "--", fetched.removeprefix("git+"), str(clone))
    except git.GitFailed as error:
        raise TemplateUnreachable(  # git leaves passwords out of its messages
            f"the template could not be fetched: {error.message}",
            f"check the network, and try: git ls-remote {recorded.removeprefix('git+')}",
        ) from error
    return Repository(clone, recorded)


def version_of(tag: str) -> Version | None:
    """Return the version that a tag names, None for a tag that names none."""
    try:
        return Version(tag)
    except InvalidVersion:
        return None
