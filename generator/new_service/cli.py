"""The command line: declares commands and options. No logic, no heavy imports."""

import gc
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import typer

from .console import Console
from .options import Dir, Directory, DryRun, Features, Json, Lock, Ref, Template, Yes
from .outcome import run

app = typer.Typer(
    name="new-service",
    help="Create production-ready Python services and keep them current.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(version("new-service"))
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Declare the options that stand before a command."""


@app.command()
def create(
    directory: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Default: ./<service_name>.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The service's name.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="The service's type.")] = None,
    preset: Annotated[str | None, typer.Option("--preset", metavar="minimal|standard|full")] = None,
    feature: Annotated[list[str] | None, typer.Option("--feature", help="Repeatable; beats the preset.")] = None,
    no_feature: Annotated[list[str] | None, typer.Option("--no-feature", help="Repeatable; beats the preset.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="QUESTION=VALUE", help="Repeatable.")] = None,
    answers: Annotated[Path | None, typer.Option("--answers", metavar="FILE", help="Answers as YAML or JSON.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the defaults for the rest; ask nothing.")] = False,
    git: Annotated[bool, typer.Option("--git/--no-git", help="Make a repository with a first commit.")] = True,
    lock: Annotated[bool, typer.Option("--lock/--no-lock", help="Resolve the dependencies into uv.lock.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be created; write nothing.")] = False,
    template: Template = None,
    ref: Ref = None,
    as_json: Json = False,
) -> None:
    """Create a service: asks what is missing, shows what comes, and writes it with a lock file and a first commit."""

    def command(console: Console) -> int:
        from .create import Request, create  # noqa: PLC0415 - only the command that runs is imported
        from .flags import read_flags  # noqa: PLC0415 - only the command that runs is imported

        request = Request(
            directory=directory, template=template, ref=ref, answers_file=answers,
            flags=read_flags(set_ or [], service_name=name, service_type=type_),
            preset=preset, wanted=feature or [], unwanted=no_feature or [],
            yes=yes, dry_run=dry_run, with_git=git, with_lock=lock,
        )  # fmt: skip
        return create(request, console)

    run(command, as_json=as_json)


@app.command()
def update(
    directory: Directory = Path(),
    to: Annotated[str | None, typer.Option("--to", metavar="VERSION", help="Default: the latest release.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="QUESTION=VALUE", help="Repeatable.")] = None,
    downgrade: Annotated[bool, typer.Option("--downgrade", help="Let --to name an older release.")] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Take back what is not committed yet.")] = False,
    go_on: Annotated[bool, typer.Option("--continue", help="Conclude once the conflicts are resolved.")] = False,
    lock: Lock = True,
    dry_run: DryRun = False,
    template: Annotated[
        str | None, typer.Option("--template", metavar="URL|PATH", help="Where the template has moved to.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring a project to a newer release of its template; what its team wrote stays."""

    def command(console: Console) -> int:
        from . import finish  # noqa: PLC0415 - only the command that runs is imported
        from .flags import read_flags  # noqa: PLC0415 - only the command that runs is imported
        from .update import Request, update  # noqa: PLC0415 - only the command that runs is imported

        if abort or go_on:
            others = {"--to": to, "--set": set_, "--downgrade": downgrade, "--dry-run": dry_run, "--template": template}
            finish.refuse_beside("--abort" if abort else "--continue", others | {"--continue": abort and go_on})
            return finish.abort(directory, console) if abort else finish.go_on(directory, console, with_lock=lock)
        request = Request(
            directory=directory, template=template, to=to, flags=read_flags(set_ or []),
            downgrade=downgrade, dry_run=dry_run, with_lock=lock,
        )  # fmt: skip
        return update(request, console)

    run(command, as_json=as_json)


@app.command()
def add(
    features: Features, directory: Dir = Path(), yes: Yes = False, lock: Lock = True, dry_run: DryRun = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Switch features on, at the release that the project has."""
    _toggle("add", features, directory, yes=yes, with_lock=lock, dry_run=dry_run, as_json=as_json)


@app.command()
def remove(
    features: Features, directory: Dir = Path(), yes: Yes = False, lock: Lock = True, dry_run: DryRun = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Switch features off, at the release that the project has."""
    _toggle("remove", features, directory, yes=yes, with_lock=lock, dry_run=dry_run, as_json=as_json)


def _toggle(
    verb: Literal["add", "remove"], features: list[str], directory: Path, *, as_json: bool, **how: bool
) -> None:
    def command(console: Console) -> int:
        from .toggle import Request, toggle  # noqa: PLC0415 - only the command that runs is imported

        return toggle(Request(verb, features, directory, **how), console)

    run(command, as_json=as_json)


@app.command()
def check(
    directory: Directory = Path(),
    drift: Annotated[bool, typer.Option("--drift/--no-drift", help="Compare the template's files, too.")] = True,
    as_json: Json = False,
) -> None:
    """Tell whether a project is outdated or the template's files in it were edited; exit code 1 if so."""

    def command(console: Console) -> int:
        from .check import check  # noqa: PLC0415 - only the command that runs is imported

        return check(directory, console, with_drift=drift)

    run(command, as_json=as_json)


@app.command()
def features(
    type_: Annotated[str | None, typer.Option("--type", help="Only those of one service type.")] = None,
    template: Template = None,
    ref: Ref = None,
    as_json: Json = False,
) -> None:
    """List the features: what each brings and needs, and with --json its files."""

    def command(console: Console) -> int:
        from .features import show_features  # noqa: PLC0415 - only the command that runs is imported

        return show_features(template, ref, type_, console)

    run(command, as_json=as_json)


@app.command()
def variants(template: Template = None, ref: Ref = None, as_json: Json = False) -> None:
    """List few answer sets that cover every pair of choices, for the matrix of a CI."""

    def command(console: Console) -> int:
        from .variants import show_variants  # noqa: PLC0415 - only the command that runs is imported

        return show_variants(template, ref, console)

    run(command, as_json=as_json)


def main() -> None:
    """Run new-service."""
    gc.disable()  # the process is short; collecting while copier is imported costs a tenth of it
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # half a project is removed on the way out
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 gets ? instead of a traceback
    app()
