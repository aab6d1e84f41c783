"""`new-service create`: from answers to a project with a lock file and a first commit."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .answers import Answers, Given
from .answers_file import read_answers_file
from .console import Console
from .destination import refuse_taken
from .errors import Declined, Interrupted
from .organisation import Defaults, choose_template, read_defaults
from .project import Project
from .settle import settle
from .steps import Step, commit, lock, timed
from .summary import counted, summarise
from .template import Template, open_template, render


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    directory: Path | None = None
    template: str | None = None
    ref: str | None = None
    flags: Mapping[str, object] = field(default_factory=dict)
    answers_file: Path | None = None
    preset: str | None = None
    wanted: Sequence[str] = ()
    unwanted: Sequence[str] = ()
    yes: bool = False
    dry_run: bool = False
    with_git: bool = True
    with_lock: bool = True


def create(request: Request, console: Console) -> int:
    """Create a project and return the exit code."""
    try:
        project = _render(request, console)
    except KeyboardInterrupt:
        raise Interrupted("stopped; nothing was written") from None
    if not request.dry_run:
        try:
            _take_steps(request, project, console)
        except KeyboardInterrupt:
            raise Interrupted(
                f"stopped; the project stays in {project.folder}", "run in it: uv lock; git init"
            ) from None
        _show_next(project, console)
    if console.as_json:
        console.document(project.as_json())
    return project.exit_code


def _render(request: Request, console: Console) -> Project:
    """Ask, show and write; every refusal comes from here and leaves nothing behind."""
    if request.directory is not None:
        refuse_taken(request.directory)
    defaults = read_defaults()
    with open_template(*choose_template(request.template, request.ref, defaults)) as template:
        for notice in template.notices:
            console.notice(notice)
        answers = _settle(request, defaults, template, console)
        folder = request.directory or Path(answers.service_name)
        refuse_taken(folder)
        project = Project(folder, answers)
        asks = console.can_ask and not request.yes
        if request.dry_run or asks:
            project.files = _preview(template, answers, folder)
            _show(summarise(template, answers, project.files), console)
        if request.dry_run:
            return project
        if asks:
            _confirm(folder)
        start = time.perf_counter()
        project.files = render(template, answers.recorded(), folder)
        step = Step(counted(len(project.files)), "done", time.perf_counter() - start)
        if not asks:
            _show(summarise(template, answers, project.files), console)
    project.steps.append(step)
    _show(step.as_lines(), console)
    return project


def _settle(request: Request, defaults: Defaults, template: Template, console: Console) -> Answers:
    given = Given(
        flags=request.flags,
        file=read_answers_file(request.answers_file) if request.answers_file else {},
        organisation=defaults.answers,
        preset=request.preset,
        wanted=request.wanted,
        unwanted=request.unwanted,
        proposed_name=request.directory.absolute().name if request.directory else None,
    )
    interviewer = None
    if console.can_ask and not request.yes:
        from .wizard import Wizard  # noqa: PLC0415 - imports questionary, which only a terminal needs

        interviewer = Wizard(template.questionnaire, template.catalogue)
    return settle(template.questionnaire, template.catalogue, given, interviewer=interviewer, defaults=request.yes)


def _preview(template: Template, answers: Answers, folder: Path) -> list[Path]:
    """Render somewhere else, so that a template's mistake shows before anybody agrees."""
    with tempfile.TemporaryDirectory(prefix="new-service-preview-") as temporary:
        return render(template, answers.recorded(), Path(temporary, folder.resolve().name))


def _confirm(folder: Path) -> None:
    from .wizard import confirm  # noqa: PLC0415 - imports questionary

    shown = folder if folder.is_absolute() else f"./{folder}"
    if not confirm(f"Create it in {shown}?"):
        raise Declined("nothing was written")


def _take_steps(request: Request, project: Project, console: Console) -> None:
    steps: list[tuple[str, Callable[[Path], str]]] = []
    if request.with_lock:
        steps.append(("uv.lock", lock))
    if request.with_git:
        steps.append(("first commit", commit))
    for name, act in steps:
        with console.busy(name):
            step = timed(name, lambda act=act: act(project.folder))
        project.steps.append(step)
        _show(step.as_lines(), console)


def _show_next(project: Project, console: Console) -> None:
    console.line()
    _show([f"    {line}" for line in project.next_lines()], console)


def _show(lines: Sequence[str], console: Console) -> None:
    for line in lines:
        console.line(line)
