"""The template's changelog: what its releases say of themselves, in the form of Keep a Changelog."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.version import Version

from .source import version_of

_FILE: Final = "CHANGELOG.md"
_HEADING: Final = re.compile(r"^## \[?(?P<version>[^\]\s]+)\]?(?: - (?P<date>\S+))?", re.MULTILINE)
_SECURITY: Final = re.compile(r"^### Security\b", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Release:
    """What one release changed. `text` is Markdown without the release's own heading."""

    version: str
    date: str
    text: str

    @property
    def is_security(self) -> bool:
        """Whether it closes a security hole."""
        return bool(_SECURITY.search(self.text))

    def as_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {"version": self.version, "date": self.date, "security": self.is_security, "text": self.text}


def releases_between(folder: Path, old: str, new: str) -> list[Release]:
    """Return what a template's changelog says of the releases after one version, up to another, the latest first.

    Both are what `git describe` says; a commit after a release also has what is not released yet.
    """
    path = folder / _FILE
    if not path.is_file():
        return []
    lowest, highest = base_version(old), base_version(new)
    return [
        release
        for release in _read(path.read_text(encoding="utf-8", errors="replace"))
        if _is_between(release, lowest, highest, with_unreleased=_is_after_a_release(new))
    ]


def base_version(described: str) -> Version | None:
    """Return the release that a description starts from: v1.2.0 for v1.2.0-3-g0a1b2c3."""
    return version_of(re.sub(r"-\d+-g[0-9a-f]+$", "", described))


def _is_after_a_release(described: str) -> bool:
    return version_of(described) is None


def _is_between(release: Release, lowest: Version | None, highest: Version | None, *, with_unreleased: bool) -> bool:
    version = version_of(release.version)
    if version is None:
        return with_unreleased and bool(release.text)
    return (lowest is None or version > lowest) and (highest is None or version <= highest)


def _read(text: str) -> Iterator[Release]:
    headings = [*_HEADING.finditer(text)]
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=True):
        body = re.sub(r"^\[[^\]]+\]: .*$", "", text[heading.end() : end], flags=re.MULTILINE)
        yield Release(heading["version"], heading["date"] or "", body.partition("\n")[2].strip())
