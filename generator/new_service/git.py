"""Git as a subprocess, shielded from the repository that this process may have been started in."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .errors import NewServiceError, ToolMissing

# A hook or alias exports these; inherited, they would aim every command below at that outer repository.
_OUTER_REPOSITORY = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
)

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")  # what is done to a project is not what its team's hooks are for


class GitFailed(NewServiceError):
    """Git ended with an error; the message is its complaint."""


class Running:
    """A git command that has been started; `result()` waits for it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def result(self, given: str | None = None, *, accepted: int = 0) -> str:
        """Return what git printed, without the last newlines, once it has read what is given. Raises GitFailed.

        `accepted` is a second exit code that is no failure. Bytes of a path that are no UTF-8 become surrogates.
        """
        try:
            output, complaint = self._process.communicate(None if given is None else _encoded(given))
        except BaseException:  # a signal to this process alone: nothing may go on changing files behind its back
            self._process.terminate()
            self._process.wait()
            raise
        if self._process.returncode not in {0, accepted}:
            raise GitFailed(_complaint(_decoded(complaint)) or f"git ended with {self._process.returncode}")
        return _decoded(output).rstrip("\n")


def start(
    *arguments: str, folder: Path | None = None, extra: Mapping[str, str] | None = None, reads: bool = False
) -> Running:
    """Start git and return at once; one that reads gets its input with `result`. Raises ToolMissing without git."""
    try:
        process = subprocess.Popen(
            ["git", *arguments],
            cwd=folder,
            env=_environment() | dict(extra or {}),
            stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError as error:
        if error.filename != "git":  # the folder is missing, not the program
            raise
        raise ToolMissing("git is not installed", "install git 2.38 or newer and run the command again") from error
    return Running(process)


def run(*arguments: str, folder: Path | None = None, extra: Mapping[str, str] | None = None) -> str:
    """Run git to its end and return what it printed. Raises GitFailed and ToolMissing."""
    return start(*arguments, folder=folder, extra=extra).result()


def succeeds(*arguments: str, folder: Path | None = None) -> bool:
    """Tell whether git ends with 0."""
    try:
        run(*arguments, folder=folder)
    except GitFailed:
        return False
    return True


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OUTER_REPOSITORY}
    # No password prompt may hang a command; messages are read by code, so they stay English.
    return kept | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decoded(output: bytes) -> str:
    return output.decode("utf-8", "surrogateescape")


def _complaint(text: str) -> str:
    """Return the line that says what went wrong: what git prints first is the cause, the rest follows from it."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (errors or lines or [""])[0].removeprefix("fatal:").removeprefix("error:").strip()
