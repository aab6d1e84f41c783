"""Copies a template out of its repository: what a checkout would have, but no more of it than is rendered."""

import re
from pathlib import Path
from typing import Final

from . import git
from .source import Pin

_SUBDIRECTORY: Final = re.compile(r"^_subdirectory: *([A-Za-z0-9][\w.-]*) *$", re.MULTILINE)
_OPTIONS: Final = (
    "-c", "core.bare=false", "-c", "core.sparseCheckout=false", "-c", "core.fsmonitor=false",
    "-c", "core.autocrlf=false", "-c", "core.fileMode=true",
)  # fmt: skip
# Jinja that reads other files, which may lie anywhere in the repository.
_REACHES_OUT: Final = r"(include|import|extends|from) +['\"]|%[-+]? *(include|import|extends|from) "
_CHANGELOG: Final = "CHANGELOG.md"


def export(pinned: Pin, folder: Path) -> None:
    """Copy the pinned commit into an existing empty folder.

    As a checkout would, not as `git archive` does: that leaves out what .gitattributes marks `export-ignore`, and the
    files must be the same as those that plain Copier sees. A template in a subfolder leaves the rest of its repository
    out, except for the changelog, where nothing in it can ask for more: its tests are several times as many files.
    """
    directory = git.run("rev-parse", "--absolute-git-dir", folder=pinned.repository)
    here = (*git.NO_HOOKS, *_OPTIONS, f"--git-dir={directory}", f"--work-tree={folder}")
    extra = {"GIT_INDEX_FILE": str(folder.with_name(f"{folder.name}.index"))}
    parts = _parts(pinned)
    if parts:
        git.run(*here, "checkout", "--quiet", pinned.commit_hash, "--", *parts, folder=folder, extra=extra)
    else:
        git.run(*here, "read-tree", "-u", "--reset", pinned.commit_hash, folder=folder, extra=extra)


def _parts(pinned: Pin) -> list[str]:
    """Return the paths that the template consists of; none where its copier.yml does not say so plainly."""
    listing = git.start("ls-tree", "--name-only", "-z", pinned.commit_hash, folder=pinned.repository)
    try:
        text = git.run("show", f"{pinned.commit_hash}:copier.yml", folder=pinned.repository)
    except git.GitFailed:  # it has another name
        text = ""
    there = listing.result().split("\0")
    found = _SUBDIRECTORY.search(text)
    if found is None or found[1] not in there or ".gitattributes" in there or "!include" in text:
        return []
    if git.succeeds("grep", "-qE", _REACHES_OUT, pinned.commit_hash, "--", found[1], folder=pinned.repository):
        return []
    return [part for part in ("copier.yml", found[1], _CHANGELOG) if part in there]
