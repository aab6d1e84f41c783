"""What a person sees: plain lines in a pipe, colour and a spinner on a terminal, nothing but JSON with --json."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from .errors import NewServiceError

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

Style = Literal["", "bold", "dim", "green", "yellow", "red"]


class Console:
    """Prints results to standard output, and notices and errors to standard error."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    @property
    def can_ask(self) -> bool:
        """Whether a person sits at both ends and reads text, not JSON."""
        return not self.as_json and sys.stdin.isatty() and sys.stdout.isatty()

    @cached_property
    def _rich(self) -> "RichConsole | None":
        if not sys.stdout.isatty():
            return None
        from rich.console import Console as RichConsole  # noqa: PLC0415 - a pipe should not wait for it

        return RichConsole(highlight=False, soft_wrap=True)

    def line(self, text: str = "", style: Style = "") -> None:
        """Print one line of a result; not beside JSON."""
        if self.as_json:
            return
        if self._rich is None:
            print(text)
        else:
            self._rich.print(text, style=style or None, markup=False, emoji=False)

    def document(self, content: Mapping[str, object] | list[object]) -> None:
        """Print the one JSON document of a command."""
        print(json.dumps(content, indent=2, ensure_ascii=False))

    def notice(self, text: str) -> None:
        """Print something worth knowing that is no error."""
        print(f"note: {text}", file=sys.stderr)

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """Show that a step is running, where somebody can see it."""
        if self.as_json or self._rich is None:
            yield
            return
        with self._rich.status(text):
            yield

    def error(self, error: NewServiceError) -> None:
        """Print each problem in one line, and below it how to mend it."""
        for problem in error.problems:
            print(f"error: {_one_line(problem.message)}", file=sys.stderr)
            if problem.hint:
                print(f"       {_one_line(problem.hint)}", file=sys.stderr)
        if self.as_json:
            problems = [{"message": problem.message, "hint": problem.hint} for problem in error.problems]
            self.document({"errors": problems})


def _one_line(text: str) -> str:
    return " ".join(text.split())
