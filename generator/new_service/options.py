"""The arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Template = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="URL|PATH",
        envvar="NEW_SERVICE_TEMPLATE",
        help="The template's repository. A folder stands for its HEAD, a URL for its latest release.",
    ),
]
Ref = Annotated[str | None, typer.Option("--ref", help="The template's release, branch or commit.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Directory = Annotated[Path, typer.Argument(metavar="[DIR]", help="The project's folder.")]
Lock = Annotated[bool, typer.Option("--lock/--no-lock", help="Resolve changed dependencies into uv.lock.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and the diff; write nothing.")]
Features = Annotated[list[str], typer.Argument(metavar="FEATURE…", help="See `new-service features`.")]
Dir = Annotated[Path, typer.Option("--dir", help="The project's folder.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Take along what they need, or what needs them.")]
