"""The steps after rendering. They are soft: one that cannot be done says what to run, and the project stays."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from . import git
from .errors import NewServiceError, ToolMissing

LOCK_FILE = "uv.lock"
Outcome = Literal["done", "skipped", "failed"]


@dataclass(frozen=True)
class Step:
    """How a step ended; `detail` says what came of it, `remedy` what to run where nothing did."""

    name: str
    outcome: Outcome
    seconds: float = 0.0
    detail: str = ""
    remedy: str = ""

    def as_lines(self) -> list[str]:
        """Return one line, and a second one that says how to mend what went wrong."""
        mark = {"done": "✔", "skipped": "–", "failed": "✘"}[self.outcome]
        said = self.detail if self.outcome == "done" else f"{self.outcome}: {self.detail}"
        first = f"{mark} {self.name:<12} {self.seconds:.1f} s   {said}".rstrip()
        return [first, f"    {self.remedy}"] if self.remedy else [first]


class Skipped(Exception):  # not an error: a way out of a step
    """A step has nothing to do here."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def timed(name: str, act: Callable[[], str]) -> Step:
    """Run one step and say how it ended."""
    start = time.perf_counter()
    try:
        detail = act()
    except Skipped as skipped:
        return Step(name, "skipped", time.perf_counter() - start, skipped.reason, skipped.remedy)
    except NewServiceError as error:
        return Step(name, "failed", time.perf_counter() - start, error.message, error.hint)
    return Step(name, "done", time.perf_counter() - start, detail)


def lock(project: Path) -> str:
    """Resolve the project's dependencies into uv.lock. Raises NewServiceError."""
    # Any Python that is new enough will do, and this one is there: uv would go and download another.
    interpreter = [] if os.environ.get("UV_PYTHON") else ["--python", sys.executable]
    run = subprocess.run(
        [uv_program(), "lock", "--no-progress", *interpreter],
        cwd=project,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if run.returncode:
        raise NewServiceError(f"uv lock: {_reason(run.stderr)}", "run in the project: uv lock")
    locked = project / LOCK_FILE
    if not locked.is_file():
        return "in the workspace that the project belongs to"
    return f"{locked.read_text(encoding='utf-8').count('[[package]]')} packages"


def uv_program() -> str:
    """Return the uv on PATH, or else the one installed beside this package. Raises ToolMissing."""
    found = shutil.which("uv")
    if found:
        return found
    try:
        import uv  # noqa: PLC0415 - only where PATH has none

        return uv.find_uv_bin()
    except (ImportError, FileNotFoundError) as error:
        raise ToolMissing(
            "uv is not installed", "install it (pip install uv), then run in the project: uv lock"
        ) from error


def commit(project: Path) -> str:
    """Put all files under version control, in one first commit on the branch main. Raises NewServiceError, Skipped."""
    outer = _outer_repository(project)
    if outer is not None:
        raise Skipped(f"the folder lies in the repository {outer}", "commit it there, or run in the project: git init")
    git.run("init", "--quiet", "--initial-branch=main", folder=project)
    # A person's global ignore file must not decide what a project consists of.
    git.run("-c", "core.excludesFile=", "add", "--all", folder=project)
    if not _has_identity(project):
        remedy = "git config --global user.name, and user.email; then: git commit -m 'Create the service'"
        raise Skipped("git does not know who you are", remedy)
    options = ("-c", "core.hooksPath=/dev/null", "-c", "user.useConfigOnly=true")
    git.run(*options, "commit", "--quiet", "--message", "Create the service with new-service", folder=project)
    return ""


def _outer_repository(project: Path) -> str | None:
    try:
        return git.run("rev-parse", "--show-toplevel", folder=project)
    except git.GitFailed:
        return None


def _has_identity(project: Path) -> bool:
    # Without useConfigOnly git makes an address up from the host's name.
    return git.succeeds("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT", folder=project)


def _reason(output: str) -> str:
    lines = [line.strip(" ×│├╰─▶") for line in output.splitlines() if line.strip()]
    said = next((line for line in lines if not line.startswith(("Using ", "warning:"))), "it failed without a word")
    return said.removeprefix("error: ")
