"""Runs images as an orchestrator does that trusts nobody."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.template.live.runner import DEADLINE_SECONDS, Running, free_port

from .engine import Engine

# Not --user: the image itself must say who runs it.
RESTRICTED = ("--network=host", "--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp", "--cap-drop=all",
              "--security-opt=no-new-privileges")  # fmt: skip


@dataclass
class Container(Running):
    """A container that runs, and how it looks from inside and outside."""

    engine: Engine
    name: str

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self.engine.podman("exec", self.name, *command, check=False)

    def is_healthy(self) -> bool:
        """Run the image's own health check."""
        return self.engine.podman("healthcheck", "run", self.name, check=False).returncode == 0

    def terminate(self) -> None:
        self.engine.podman("kill", "--signal=TERM", self.name)

    def seconds_since_start(self) -> float:
        started = self.engine.podman("inspect", "--format={{.State.StartedAt.UnixMilli}}", self.name).stdout
        return time.time() - int(started) / 1000


def arguments(image: str, command: tuple[str, ...], settings: dict[str, str]) -> list[str]:
    """Return podman's arguments; a command replaces the image's own."""
    entry = [f"--entrypoint={command[0]}"] if command else []
    variables = [f"--env={name}={value}" for name, value in settings.items()]
    return [*RESTRICTED, *variables, *entry, image, *command[1:]]


def run(engine: Engine, image: str, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a container until it ends by itself."""
    return engine.podman("run", "--rm", *arguments(image, command, settings), check=False)


@contextmanager
def started(engine: Engine, image: str, output: Path, *command: str, **settings: str) -> Iterator[Container]:
    """Start a container on ports of its own. Its log goes to a file; it is removed in any case."""
    name, port, ops_port = f"test-{uuid4().hex[:8]}", free_port(), free_port()
    settings = {"HTTP_PORT": str(port), "OPS_PORT": str(ops_port)} | settings
    # Errors are kept back: without systemd podman logs that nobody runs the health check.
    podman = ["podman", "--log-level=fatal", "run", "--name", name, *arguments(image, command, settings)]
    with output.open("wb") as log:
        process = subprocess.Popen(podman, env=engine.environment, stdout=log, stderr=log)
    container = Container(process, output, port, ops_port, engine, name)
    try:
        yield container
    finally:
        engine.podman("rm", "--force", "--time=0", name)
        process.wait(DEADLINE_SECONDS)
        container.api.close()
        container.ops.close()
