"""`new-service add` and `remove`: switch features of a project on or off, at the release that it has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .answers import FEATURES, SERVICE_TYPE, Given
from .catalogue import Catalogue
from .console import Console
from .errors import AnswersRefused, Declined, UpdateRefused, UsageError, unknown_name
from .finish import finish
from .parsing import split_list
from .place import located
from .renewal import Opened, open_project, prepared
from .selection import unmet_needs
from .template import Template


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    verb: Literal["add", "remove"]
    features: Sequence[str]
    directory: Path
    yes: bool = False
    dry_run: bool = False
    with_lock: bool = True


def toggle(request: Request, console: Console) -> int:
    """Switch features and return the exit code."""
    opened = open_project(request.directory)
    with located(opened.recorded) as place:
        chosen = _chosen(request, opened, place.template, console)
        given = Given(flags={FEATURES: chosen}, recorded=opened.recorded.answers)
        with prepared(opened, request.verb, given, place, place.start, dry_run=request.dry_run) as renewal:
            return finish(renewal, console, dry_run=request.dry_run, with_lock=request.with_lock)


def _chosen(request: Request, opened: Opened, template: Template, console: Console) -> list[str]:
    """Return the features that the project will have, those that others need included."""
    catalogue = template.catalogue
    service_type = str(opened.recorded.answers.get(SERVICE_TYPE))
    has = [str(name) for name in split_list(opened.recorded.answers.get(FEATURES, []))]
    _refuse_recorded(has, catalogue)
    _refuse_unknown(request, catalogue, service_type)
    for name in request.features:
        if (name in has) is (request.verb == "add"):
            console.notice(f"{name} is {'on already' if request.verb == 'add' else 'not on'}")
    if request.verb == "add":
        wanted = with_needs(catalogue, [*has, *request.features])
        more = [name for name in wanted if name not in {*has, *request.features}]
        needed = {name: _needing(catalogue, wanted, name) for name in more}
    else:
        wanted = without_needing(catalogue, has, request.features)
        more = [name for name in has if name not in wanted and name not in request.features]
        needed = {name: [need for need in catalogue.features[name].needs if need not in wanted] for name in more}
    if more:
        _agree(request, needed, console)
    return [name for name in catalogue.features if name in wanted]


def with_needs(catalogue: Catalogue, chosen: Iterable[str]) -> list[str]:
    """Return the features with all that they need, however indirectly."""
    whole = list(dict.fromkeys(chosen))
    while missing := unmet_needs(catalogue, whole):
        whole += missing
    return whole


def without_needing(catalogue: Catalogue, chosen: Sequence[str], removed: Sequence[str]) -> list[str]:
    """Return the features without the removed ones, and without those that need one of them, however indirectly."""
    left = [name for name in chosen if name not in removed]
    while unmet := unmet_needs(catalogue, left):
        needing = {name for names in unmet.values() for name in names}
        left = [name for name in left if name not in needing]
    return left


def _needing(catalogue: Catalogue, wanted: Sequence[str], name: str) -> list[str]:
    return [other for other in wanted if name in catalogue.features[other].needs]


def _agree(request: Request, needed: dict[str, list[str]], console: Console) -> None:
    if request.verb == "add":
        said = "; ".join(f"{', '.join(by)} needs {name}" for name, by in needed.items())
    else:
        said = "; ".join(f"{name} needs {', '.join(needs)}" for name, needs in needed.items())
    both = "both" if len(needed) + len(request.features) == 2 else "all"  # noqa: PLR2004 - that is what both means
    if request.yes or request.dry_run:
        console.notice(f"{said}: {'added' if request.verb == 'add' else 'removed'}, too")
        return
    if not console.can_ask:
        names = " ".join([*request.features, *needed])
        raise UsageError(said, f"add --yes, or name {both}: new-service {request.verb} {names}")
    from .wizard import confirm  # noqa: PLC0415 - imports questionary, which only a terminal needs

    if not confirm(f"{said}: {request.verb} {both}?"):
        raise Declined("nothing was changed")


def _refuse_recorded(has: Sequence[str], catalogue: Catalogue) -> None:
    unknown = [name for name in has if name not in catalogue.features]
    if unknown:
        raise UpdateRefused(
            f"the project records features that its template does not have: {', '.join(unknown)}",
            "correct .copier-answers.yml; `new-service check` says what else is wrong in it",
        )


def _refuse_unknown(request: Request, catalogue: Catalogue, service_type: str) -> None:
    allowed = catalogue.allowed(service_type)
    unknown = [name for name in request.features if name not in allowed]
    if unknown:
        where = f" for the service type {service_type}"
        raise AnswersRefused(unknown_name("feature", name, allowed, where=where) for name in unknown)
