"""Copies a template out of its repository: what a checkout would have, but no more of it than is rendered."""

import re
from pathlib import Path
from typing import Final

from . import git
from .source import Pin

_SUBDIRECTORY: Final = re.compile(r"^_subdirectory: *([A-Za-z0-9][\w./-]*) *$", re.MULTILINE)
_OPTIONS: Final = (
    "-c", "core.bare=false", "-c", "core.sparseCheckout=false", "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
)  # fmt: skip
_CHANGELOG: Final = "CHANGELOG.md"


def export(pinned: Pin, folder: Path) -> None:
    """Copy the pinned commit into an existing empty folder.

    As a checkout would, not as `git archive` does: that leaves out what .gitattributes marks `export-ignore`, and the
    files must be the same as those that plain Copier sees. A template in a subfolder leaves the rest of its repository
    out, except for the changelog: its tests are several times as many files.
    """
    directory = git.run("rev-parse", "--absolute-git-dir", folder=pinned.repository)
    here = (*_OPTIONS, f"--git-dir={directory}", f"--work-tree={folder}")
    extra = {"GIT_INDEX_FILE": str(folder.with_name(f"{folder.name}.index"))}
    subdirectory = _subdirectory(pinned)
    if subdirectory is None:
        git.run(*here, "read-tree", "-u", "--reset", pinned.commit_hash, folder=folder, extra=extra)
        return
    parts = ["copier.yml", subdirectory, *([_CHANGELOG] if _has(pinned, _CHANGELOG) else [])]
    git.run(*here, "checkout", "--quiet", pinned.commit_hash, "--", *parts, folder=folder, extra=extra)


def _subdirectory(pinned: Pin) -> str | None:
    """Return where the template lies, None where its copier.yml does not say so plainly."""
    try:
        text = git.run("show", f"{pinned.commit_hash}:copier.yml", folder=pinned.repository)
    except git.GitFailed:  # it has another name
        return None
    found = _SUBDIRECTORY.search(text)
    plain = found is not None and "!include" not in text and _has(pinned, found[1])
    return found[1] if found and plain else None


def _has(pinned: Pin, path: str) -> bool:
    return git.succeeds("cat-file", "-e", f"{pinned.commit_hash}:{path}", folder=pinned.repository)
