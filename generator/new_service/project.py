"""A project that has been created, and how it is reported."""

import shlex
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .answers import Answers
from .errors import COULD_NOT, ToolMissing
from .steps import Step, uv_program


@dataclass
class Project:
    """What came of a `create`."""

    folder: Path
    answers: Answers
    files: list[Path] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0, unless a step failed."""
        return COULD_NOT if any(step.outcome == "failed" for step in self.steps) else 0

    def next_commands(self) -> dict[str, str]:
        """Return the commands to type next, each with what it gives."""
        just = "just" if shutil.which("just") else f"{_uv()} run just"
        served = {"api": "http://127.0.0.1:8000/docs   ", "bot": "needs BOT_TOKEN in .env   "}
        enter = {} if self.folder.resolve() == Path.cwd() else {f"cd {shlex.quote(str(self.folder))}": ""}
        return enter | {
            f"{just} dev": served.get(self.answers.service_type, "") + "probes and metrics on :9000",
            f"{just} test": "",
        }

    def next_lines(self) -> list[str]:
        """Return them as a person reads them."""
        commands = self.next_commands()
        width = max(len(command) for command in commands if not command.startswith("cd "))
        return [f"{command:<{width}}   {gives}".rstrip() for command, gives in commands.items()]

    def as_json(self) -> dict[str, object]:
        """Return the document that --json prints."""
        return {
            "project": str(self.folder.absolute()),
            "answers": self.answers.recorded(),
            "files": [path.as_posix() for path in self.files],
            "steps": [asdict(step) | {"seconds": round(step.seconds, 3)} for step in self.steps],
            "next": list(self.next_commands()) if self.steps else [],
        }


def _uv() -> str:
    """Return what to type for uv: its path where only the environment of new-service has it."""
    if shutil.which("uv"):
        return "uv"
    try:
        return shlex.quote(uv_program())
    except ToolMissing:
        return "uv"
