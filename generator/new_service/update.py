"""`new-service update`: brings a project to another release of its template."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import git
from .answers import Given
from .changelog import base_version
from .console import Console
from .errors import UpdateRefused
from .finish import finish
from .organisation import read_defaults
from .renewal import Place, located, open_project, prepared
from .source import Pin, Repository


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    directory: Path
    template: str | None = None
    to: str | None = None
    flags: Mapping[str, object] = field(default_factory=dict)
    downgrade: bool = False
    dry_run: bool = False
    with_lock: bool = True


def update(request: Request, console: Console) -> int:
    """Update a project and return the exit code."""
    opened = open_project(request.directory)
    with located(opened.recorded, request.template) as place:
        end = _end(request, place)
        if end.commit_hash == place.start.commit_hash and not request.flags and request.template is None:
            return _say_up_to_date(request, opened.name, end, console)
        given = Given(flags=request.flags, recorded=opened.recorded.answers, organisation=read_defaults().answers)
        with prepared(opened, "update", given, place, end, dry_run=request.dry_run) as renewal:
            return finish(renewal, console, dry_run=request.dry_run, with_lock=request.with_lock)


def is_older(repository: Repository, one: Pin, other: Pin) -> bool:
    """Tell whether one commit of a template comes before another, by their releases or else by their history."""
    versions = base_version(one.commit), base_version(other.commit)
    if versions[0] is not None and versions[1] is not None and versions[0] != versions[1]:
        return versions[0] < versions[1]
    if one.commit_hash == other.commit_hash:
        return False
    return git.succeeds("merge-base", "--is-ancestor", one.commit_hash, other.commit_hash, folder=repository.folder)


def latest(place: Place) -> Pin:
    """Return the latest release, a template's HEAD if it has none, or the start if that is newer."""
    end = place.repository.pin(next(iter(place.repository.releases()), "HEAD"))
    return place.start if is_older(place.repository, end, place.start) else end


def _end(request: Request, place: Place) -> Pin:
    if request.to is None:
        return latest(place)
    end = place.repository.pin(request.to)
    if is_older(place.repository, end, place.start) and not request.downgrade:
        raise UpdateRefused(
            f"{end.commit} is older than {place.start.commit}, which the project has",
            "add --downgrade if that is meant",
        )
    return end


def _say_up_to_date(request: Request, name: str, end: Pin, console: Console) -> int:
    console.line(f"{name} is up to date with {end.commit}")
    if console.as_json:
        console.document({
            "project": str(request.directory.absolute()), "from": end.commit, "to": end.commit, "changes": [],
            "conflicts": [], "kept": [], "changelog": [], "steps": [],
        })  # fmt: skip
    return 0
