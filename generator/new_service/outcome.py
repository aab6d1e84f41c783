"""How a command ends: an error becomes a message and an exit code, here and nowhere else."""

import os
import sys
from collections.abc import Callable

import typer

from .console import Console
from .errors import COULD_NOT, Interrupted, NewServiceError


def run(command: Callable[[Console], int], *, as_json: bool) -> None:
    """Run a command; the one place where an error becomes a message and an exit code."""
    console = Console(as_json=as_json)
    try:
        code = command(console)
        sys.stdout.flush()  # or the interpreter does, when nobody can handle what comes of it
    except NewServiceError as error:
        console.error(error)
        code = error.exit_code
    except KeyboardInterrupt:  # where a command has more to say of what became of it, it does
        stopped = Interrupted("stopped")
        console.error(stopped)
        code = stopped.exit_code
    except BrokenPipeError:
        # The reader of a pipe has seen enough, which typer ends quietly; what is still buffered must go somewhere, too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
    except Exception as error:
        if os.environ.get("NEW_SERVICE_DEBUG"):
            raise
        console.error(_as_bug(error))
        code = COULD_NOT
    raise typer.Exit(code)


def _as_bug(error: Exception) -> NewServiceError:
    return NewServiceError(
        f"this should not have happened: {type(error).__name__}: {error}",
        "set NEW_SERVICE_DEBUG=1, run it again, and report what it prints",
    )
