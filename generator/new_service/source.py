"""Finds a template's repository, pins one commit of it, and copies that commit into a plain folder."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from packaging.version import InvalidVersion, Version

from . import git
from .errors import TemplateUnreachable, TemplateUnusable

_OWN_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_URL = re.compile(r"^(git\+)?(https?|ssh|git)://|^[\w.-]+@[\w.-]+:|^g[hl]:")
_SHORTCUTS = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
_COPIER_KNOWS = ("git@", "git://", "git+", "https://github.com/", "https://gitlab.com/")


@dataclass(frozen=True)
class Pin:
    """One commit of a template: where it can be read now, and what a project records to find it again."""

    repository: Path
    commit_hash: str
    commit: str  # what `git describe --tags --always` says: a release, or one plus the commits since
    source: str  # an absolute URL or path, never with credentials
    notices: tuple[str, ...] = ()


def pin(source: str | None, ref: str | None, clones: Path) -> Pin:
    """Find a template and pin it; a remote one is cloned into `clones`.

    Without a source it is the checkout that this package runs from. A folder stands for its HEAD, a URL for its
    latest release. Raises TemplateUnusable and TemplateUnreachable.
    """
    if source is None:
        return _pin_folder(_own_checkout(), ref, is_own=True)
    if source.startswith("file://"):
        source = source.removeprefix("file://")
    if not _URL.match(source):
        return _pin_folder(Path(source).expanduser(), ref)
    return _pin_url(source, ref, clones)


def export(pinned: Pin, folder: Path) -> None:
    """Copy the pinned commit into an existing empty folder.

    As a checkout would, not as `git archive` does: that leaves out what .gitattributes marks `export-ignore`, and the
    files must be the same as those that plain Copier sees.
    """
    directory = git.run("rev-parse", "--absolute-git-dir", folder=pinned.repository)
    options = ("-c", "core.bare=false", "-c", "core.sparseCheckout=false", "-c", "core.fsmonitor=false")
    index = folder.with_name(f"{folder.name}.index")
    git.run(
        *options, f"--git-dir={directory}", f"--work-tree={folder}", "read-tree", "-u", "--reset", pinned.commit_hash,
        folder=folder, extra={"GIT_INDEX_FILE": str(index)},
    )  # fmt: skip


def recorded_url(url: str) -> str:
    """Return a URL as projects record it: no credentials, and in a form that plain Copier takes for git's."""
    for shortcut, start in _SHORTCUTS.items():
        if url.startswith(shortcut):
            return f"{start}{url.removeprefix(shortcut).strip('/').removesuffix('.git')}.git"
    parts = urlsplit(url)
    if parts.scheme and "@" in parts.netloc:
        user, host = parts.netloc.rsplit("@", 1)
        # ssh needs the account's name; a web server only ever gets a token there.
        keep = f"{user.split(':')[0]}@" if "ssh" in parts.scheme else ""
        url = urlunsplit(parts._replace(netloc=f"{keep}{host}"))
    return url if url.endswith(".git") or url.startswith(_COPIER_KNOWS) else f"git+{url}"


def _own_checkout() -> Path:
    if (_OWN_CHECKOUT / "copier.yml").is_file() and (_OWN_CHECKOUT / ".git").exists():
        return _OWN_CHECKOUT
    raise TemplateUnusable(
        "new-service is not installed from a git checkout, so it brings no template along",
        "name one with --template URL, or set NEW_SERVICE_TEMPLATE",
    )


def _pin_folder(folder: Path, ref: str | None, *, is_own: bool = False) -> Pin:
    folder = folder.resolve()
    top = _top_of_repository(folder)
    if top != folder:
        raise TemplateUnusable(f"{folder} is a folder inside the repository {top}", f"use --template {top}")
    commit_hash = _resolve(folder, ref or "HEAD")
    describe = git.start("describe", "--tags", "--always", commit_hash, folder=folder)
    status = git.start("status", "--porcelain", "--", "template", "copier.yml", folder=folder)
    source = _source_of_checkout(folder) if is_own else str(folder)
    notices = []
    if status.result() and ref is None:
        notices.append("uncommitted changes of the template are not rendered; commit them first")
    if source != str(folder) and not _is_published(folder, commit_hash):
        notices.append(
            f"the template's commit {commit_hash[:10]} is not on {source} yet: push it, or updates will miss it"
        )
    return Pin(folder, commit_hash, describe.result(), source, tuple(notices))


def _is_published(folder: Path, commit_hash: str) -> bool:
    return bool(git.run("for-each-ref", "--count=1", f"--contains={commit_hash}", "refs/remotes", folder=folder))


def _source_of_checkout(folder: Path) -> str:
    try:
        url = git.run("config", "--get", "remote.origin.url", folder=folder)
    except git.GitFailed:
        return str(folder)
    return recorded_url(url) if _URL.match(url) else str(folder)


def _top_of_repository(folder: Path) -> Path:
    if not folder.is_dir():
        raise TemplateUnusable(f"there is no folder {folder}", "--template takes a folder, or a URL with its scheme")
    try:
        return Path(git.run("rev-parse", "--show-toplevel", folder=folder)).resolve()
    except git.GitFailed as error:
        raise TemplateUnusable(
            f"{folder} is not a git repository: {error.message}", "clone the template, and name the clone or its URL"
        ) from error


def _pin_url(url: str, ref: str | None, clones: Path) -> Pin:
    recorded = recorded_url(url)
    fetched = recorded if url.startswith(tuple(_SHORTCUTS)) else url
    clone = clones / "template.git"
    try:
        git.run("clone", "--quiet", "--bare", "--", fetched.removeprefix("git+"), str(clone))
    except git.GitFailed as error:
        raise TemplateUnreachable(  # git leaves passwords out of its messages
            f"the template could not be fetched: {error.message}",
            f"check the network, and try: git ls-remote {recorded.removeprefix('git+')}",
        ) from error
    release = ref or _latest_release(clone) or "HEAD"
    commit_hash = _resolve(clone, release)
    return Pin(clone, commit_hash, git.run("describe", "--tags", "--always", commit_hash, folder=clone), recorded)


def _resolve(repository: Path, ref: str) -> str:
    try:
        return git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", folder=repository)
    except git.GitFailed as error:
        if ref == "HEAD":
            raise TemplateUnusable("the template's repository has no commit yet", "commit it first") from error
        raise TemplateUnusable(
            f"the template has no version {ref!r}", f"releases: {', '.join(_releases(repository)[:8]) or 'none yet'}"
        ) from error


def _latest_release(repository: Path) -> str | None:
    return next(iter(_releases(repository)), None)


def _releases(repository: Path) -> list[str]:
    """Return the tags that are releases, the latest first."""
    versions: dict[Version, str] = {}
    for tag in git.run("tag", "--list", folder=repository).splitlines():
        try:
            version = Version(tag)
        except InvalidVersion:
            continue
        if not version.is_prerelease:
            versions[version] = tag
    return [versions[version] for version in sorted(versions, reverse=True)]
