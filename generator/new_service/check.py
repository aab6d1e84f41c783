"""`new-service check`: is a project outdated, has the template's code in it been edited, do its answers still hold?"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .answers import Given
from .changelog import Release, base_version, releases_between
from .console import Console
from .errors import NO, AnswersRefused, NewServiceError, RenderFailed
from .ownership import Owner, Ownership
from .place import Place, asked_at, located
from .recorded import ANSWERS_FILE, Recorded, read_recorded
from .settle import settle
from .source import Pin, version_of
from .template import Template, render, template_at


@dataclass(frozen=True)
class Findings:
    """What was found; `behind` are the releases that the project does not have yet, the latest first."""

    recorded: Recorded
    latest: str
    is_outdated: bool
    behind: tuple[str, ...]
    changelog: tuple[Release, ...]
    edited: tuple[str, ...]
    missing: tuple[str, ...]
    answers: tuple[NewServiceError, ...]

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.is_outdated or self.edited or self.missing or self.answers)

    def as_json(self) -> dict[str, object]:
        """Return the document that --json prints."""
        return {
            "project": str(self.recorded.folder.absolute()),
            "release": self.recorded.commit,
            "latest": self.latest,
            "outdated": self.is_outdated,
            "behind": list(self.behind),
            "security": [release.version for release in self.changelog if release.is_security],
            "changelog": [release.as_json() for release in self.changelog],
            "edited": list(self.edited),
            "missing": list(self.missing),
            "answers": [{"message": problem.message, "hint": problem.hint} for problem in self.answers],
            "ok": self.is_clean,
        }


def check(folder: Path, console: Console, *, with_drift: bool = True) -> int:
    """Look for what is to be done, say it, and return the exit code: 1 where something is found."""
    recorded = read_recorded(folder)
    with located(recorded, newest=True) as place:
        if place.notice:
            console.notice(place.notice)
        findings = _find(recorded, place, with_drift=with_drift)
    _show(findings, console)
    if console.as_json:
        console.document(findings.as_json())
    return 0 if findings.is_clean else NO


def _find(recorded: Recorded, place: Place, *, with_drift: bool) -> Findings:
    end = place.latest()
    is_outdated = end.commit_hash != place.start.commit_hash
    newest = template_at(end, place.folder / "new") if is_outdated else place.template
    problems = tuple(_problems(place.template, recorded))
    drift: dict[str, str] = {}
    if with_drift and not problems:
        try:
            drift = dict(_drift(recorded, place.template))
        except RenderFailed as error:  # an answer of a type that no question takes
            problems = (error,)
    return Findings(
        recorded=recorded,
        latest=end.commit,
        is_outdated=is_outdated,
        behind=tuple(_behind(place, end)),
        changelog=tuple(releases_between(newest.folder, place.start.commit, end.commit)) if is_outdated else (),
        edited=tuple(path for path, how in drift.items() if how == "edited"),
        missing=tuple(path for path, how in drift.items() if how == "missing"),
        answers=problems,
    )


def _behind(place: Place, end: Pin) -> Iterator[str]:
    lowest, highest = base_version(place.start.commit), base_version(end.commit)
    for tag in place.repository.releases():
        version = version_of(tag)
        if version and highest and version <= highest and (lowest is None or version > lowest):
            yield tag


def _problems(template: Template, recorded: Recorded) -> Iterator[NewServiceError]:
    """Yield what the release that made the project has against the answers that the project records."""
    given = Given(file=recorded.answers)
    try:
        settle(template.questionnaire, template.catalogue, given, defaults=True)
    except AnswersRefused as refused:
        yield from refused.problems


def _drift(recorded: Recorded, template: Template) -> Iterator[tuple[str, str]]:
    answers = asked_at(template, recorded)
    ownership = Ownership(template.questionnaire, answers)
    with tempfile.TemporaryDirectory(prefix="new-service-") as temporary:
        rendered = Path(temporary, recorded.folder.resolve().name)
        for path in render(template, answers, rendered):
            if ownership.of(path) is not Owner.TEMPLATE or path.as_posix() == ANSWERS_FILE:
                continue
            mine = recorded.folder / path
            if not mine.is_file():
                yield path.as_posix(), "missing"
            elif _state(mine) != _state(rendered / path):
                yield path.as_posix(), "edited"


def _state(path: Path) -> tuple[bool, bytes]:
    can_run = bool(path.stat().st_mode & 0o100)
    return can_run, path.read_bytes().replace(b"\r\n", b"\n")  # as git checks files out on Windows


def _show(findings: Findings, console: Console) -> None:
    console.line(
        f"{findings.recorded.answers.get('service_name', findings.recorded.folder)} · {findings.recorded.commit}"
    )
    for problem in findings.answers:
        console.line(f"    answer    {problem.message}", style="red")
    if findings.is_outdated:
        count = len(findings.behind)
        how_far = f"{count} release{'' if count == 1 else 's'} behind" if count else "behind"
        console.line(f"    outdated  {how_far} {findings.latest}   new-service update", style="yellow")
    for release in findings.changelog:
        console.line(f"    {release.version}{' closes security holes' if release.is_security else ''}")
        for line in release.text.splitlines():
            console.line(f"        {line}".rstrip())
    for path in findings.edited:
        console.line(f"    edited    {path}   the template's; an update may conflict in it", style="yellow")
    for path in findings.missing:
        console.line(f"    missing   {path}   the template's", style="yellow")
    if findings.is_clean:
        console.line("    up to date, and the template's files are as it made them", style="green")
