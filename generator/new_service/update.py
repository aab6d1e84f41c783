"""`new-service update`: brings a project to another release of its template."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .answers import Given
from .console import Console
from .errors import UpdateRefused
from .finish import finish
from .organisation import read_defaults
from .place import Place, located
from .renewal import open_project, prepared
from .source import Pin


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
    with located(opened.recorded, request.template, to=request.to, newest=request.to is None) as place:
        if place.notice:
            console.notice(place.notice)
        end = _end(request, place)
        if end.commit_hash == place.start.commit_hash and not request.flags and request.template is None:
            return _say_up_to_date(request, opened.name, end, console)
        given = Given(flags=request.flags, recorded=opened.recorded.answers, organisation=read_defaults().answers)
        with prepared(opened, "update", given, place, end, dry_run=request.dry_run) as renewal:
            return finish(renewal, console, dry_run=request.dry_run, with_lock=request.with_lock)


def _end(request: Request, place: Place) -> Pin:
    if request.to is None:
        return place.latest()
    end = place.repository.pin(request.to)
    if place.is_older(end, place.start) and not request.downgrade:
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
