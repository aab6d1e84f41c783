"""Starts a service as its container would, in a process group of its own, and ends whatever it started."""

import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

DEADLINE_SECONDS = float(os.environ.get("LIVE_DEADLINE_SECONDS", "20"))  # more where a machine has much else to do
NEEDED = ("PATH", "HOME", "LANG")
STARTS = Path(__file__).with_name("starts.py")


def eventually(condition: Callable[[], Any], what: str = "the condition", seconds: float = DEADLINE_SECONDS) -> Any:
    """Wait until a condition holds and return its value; fail after the deadline."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not hold within {seconds} s"
        time.sleep(0.02)
    return value


def free_port() -> int:
    """Return a port that nobody has, below those that the system hands out: it would give one of them to a client."""
    while True:
        port = random.randint(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class Running:
    """A started service, and how it looks from outside."""

    process: subprocess.Popen[bytes]
    output: Path
    port: int
    ops_port: int
    api: httpx2.Client = field(init=False)
    ops: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.api = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=DEADLINE_SECONDS, trust_env=False)
        self.ops = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.ops_port}", timeout=DEADLINE_SECONDS, trust_env=False
        )

    def probe(self, name: str) -> int:
        """Return the status of a probe, 0 while nobody answers."""
        assert self.process.poll() is None, self.output.read_text()
        try:
            return self.ops.get(f"/health/{name}").status_code
        except httpx2.TransportError:
            return 0

    def wait_until(self, name: str, status: int) -> None:
        eventually(lambda: self.probe(name) == status, f"/health/{name} = {status}")

    def lines(self, **fields: object) -> list[dict[str, Any]]:
        """Return the log lines that have these fields. Every line must be JSON."""
        whole, _, _ = self.output.read_text().rpartition("\n")  # the last line may be half written
        found = [json.loads(line) for line in whole.splitlines()]
        return [line for line in found if fields.items() <= line.items()]

    def logged(self, **fields: object) -> dict[str, Any]:
        """Wait for a log line with these fields."""
        return eventually(lambda: self.lines(**fields), f"a line with {fields}")[0]

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's series that have these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = self.ops.get("/metrics").text.splitlines()
        series = [line for line in lines if line.partition("{")[0].partition(" ")[0] == name]
        return sum(float(line.rsplit(" ", 1)[1]) for line in series if all(label in line for label in wanted))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_SECONDS)


@dataclass(frozen=True)
class Project:
    """A rendered service with its environment."""

    folder: Path
    package: str
    required: dict[str, str]

    @property
    def command(self) -> list[str]:
        return [str(self.folder / ".venv/bin/python"), "-m", self.package]

    def environment(self, settings: dict[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in NEEDED if name in os.environ}
        return kept | {"LOG_FORMAT": "json"} | self.required | settings

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the service's command line until it ends by itself."""
        return subprocess.run(
            [*self.command, *arguments],
            cwd=self.folder,
            env=self.environment(settings),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    def run_each(self, each: list[dict[str, str]]) -> list[dict[str, Any]]:
        """Start the service with each of many settings that it refuses; return how each ended."""
        ended = subprocess.run(
            [self.command[0], STARTS, self.package],
            cwd=self.folder,
            env=self.environment({}),
            input=json.dumps(each),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(ended.stdout)

    @contextmanager
    def started(
        self, output: Path, *, ready: bool = True, before: Sequence[str] = (), **settings: str
    ) -> Iterator[Running]:
        """Start the service; its output goes to a file. It is ended, with its children, in any case.

        ``before`` is the command that starts it, such as ``unshare``.
        """
        port, ops_port = int(settings.get("HTTP_PORT", free_port())), free_port()
        environment = self.environment({"HTTP_PORT": str(port), "OPS_PORT": str(ops_port)} | settings)
        with output.open("wb") as log:
            process = subprocess.Popen(
                [*before, *self.command], cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        running = Running(process, output, port, ops_port)
        try:
            if ready:
                running.wait_until("ready", 200)
            yield running
        finally:
            end(process)
            running.api.close()
            running.ops.close()


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group, which it leads."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(DEADLINE_SECONDS)
