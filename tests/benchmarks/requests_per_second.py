"""How much of bare FastAPI's throughput a generated API keeps, feature by feature, and what a request costs it.

Run by hand: `python tests/benchmarks/requests_per_second.py [ROUNDS] [VARIANT…]`. Needs `wrk` (Debian: wrk) and two
cores: the servers are bound to one, the load to the other. All run the same slice under the same uvicorn, one without
the chassis; within a round every server has its turn, so that a slower moment of the machine hits all. Processor time
is the server's own, from /proc. Sentry's events go to a server that this script runs beside the load.
"""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from uv import find_uv_bin

BARE = '''"""The slice of the service without the chassis."""

import sys
from types import SimpleNamespace

import uvicorn
from fastapi import FastAPI

from measured.notes import endpoints
from measured.notes.service import NoteService
from measured.notes.store import MemoryNoteStore

app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
app.state.resources = SimpleNamespace(notes=NoteService(MemoryNoteStore()))
app.include_router(endpoints.router, prefix="/api/v1")
uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", ws="none", access_log=False)
'''
POST = 'wrk.method = "POST"\nwrk.body = \'{"title": "milk"}\'\nwrk.headers["content-type"] = "application/json"\n'
SECONDS = 3
CONNECTIONS = 16
SERVER_CORE, LOAD_CORE = "0", "1"


@dataclass(frozen=True)
class Variant:
    """A service: the options it is created with, and the settings it runs with."""

    options: tuple[str, ...] = ("--preset", "minimal")
    settings: Mapping[str, str] = field(default_factory=dict)
    sentry: bool = False


WITHOUT_TRACES = {"SENTRY_TRACES_SAMPLE_RATE": "0"}
VARIANTS = {
    "bare": Variant(),
    "minimal": Variant(),
    "rate-limit": Variant(("--preset", "minimal", "--feature", "rate-limit")),
    "resilience": Variant(("--preset", "minimal", "--feature", "resilience")),
    "sentry, no traces": Variant(("--preset", "minimal", "--feature", "sentry"), WITHOUT_TRACES, sentry=True),
    "sentry, 10 % traces": Variant(("--preset", "minimal", "--feature", "sentry"), sentry=True),
    "standard, no traces": Variant(("--preset", "standard"), WITHOUT_TRACES, sentry=True),
    "standard": Variant(("--preset", "standard"), sentry=True),
}


@dataclass(frozen=True)
class Server:
    """A variant that runs."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/notes"


class Sink(BaseHTTPRequestHandler):
    """Takes what Sentry's client sends."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - as the class has it
        """Say nothing."""


@contextmanager
def sink() -> Iterator[str]:
    """Run a server for Sentry's events and give its DSN."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{'0' * 32}@127.0.0.1:{server.server_address[1]}/1"
    finally:
        server.shutdown()
        server.server_close()


def create(folder: Path, variant: Variant) -> Path:
    """Create a service from the last commit, with its environment; return its interpreter."""
    program = Path(sys.executable).with_name("new-service")
    command = [program, "create", folder, "--name", "measured", "--yes", "--no-git", *variant.options]
    subprocess.run(command, check=True, stdout=sys.stderr)
    subprocess.run([find_uv_bin(), "sync", "--quiet", "--no-dev"], cwd=folder, check=True)
    (folder / "bare.py").write_text(BARE)
    return folder / ".venv/bin/python"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(name: str, folder: Path, dsn: str) -> Iterator[Server]:
    """Create and run a variant on the servers' core."""
    variant = VARIANTS[name]
    python = create(folder, variant)
    port = free_port()
    command = [python, "bare.py", str(port)] if name == "bare" else [python, "-m", "measured"]
    settings = {"HTTP_PORT": str(port), "OPS_PORT": str(free_port()), "ENVIRONMENT": "production", **variant.settings}
    settings |= {"RATE_LIMIT_IP": "9999999/second"} | ({"SENTRY_DSN": dsn} if variant.sentry else {})
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, *command],
            cwd=folder,
            env=os.environ | settings,
            stdout=output,
            stderr=output,
        )
    server = Server(port, process.pid)
    try:
        while not answers(server):
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield server
    finally:
        process.kill()
        process.wait()


def answers(server: Server) -> bool:
    try:
        return urlopen(server.url).status == 200
    except URLError:
        return False


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(server: Server, method: str, script: Path) -> tuple[float, float]:
    """Return requests per second, and microseconds of the server's processor time for each."""
    target = ["-s", str(script), server.url] if method == "POST" else [f"{server.url}/{make_note(server.url)}"]
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *target]
    before = cpu_seconds(server.pid)
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(server.pid) - before
    assert "Non-2xx" not in output, output
    found = re.search(r"(\d+) requests in", output)
    assert found, output
    count = int(found[1])
    return count / SECONDS, used / count * 1e6


def make_note(url: str) -> str:
    request = Request(url, data=b'{"title": "milk"}', headers={"content-type": "application/json"})
    with urlopen(request) as answer:
        return json.load(answer)["id"]


def main(rounds: int, names: list[str]) -> None:
    """Print a row for each variant and method: medians, and the median of its share of bare in the same round."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed; on Debian: apt-get install wrk")
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as running:
        dsn = running.enter_context(sink())
        script = Path(temporary, "post.lua")
        script.write_text(POST)
        servers = {
            name: running.enter_context(serving(name, Path(temporary, str(number)), dsn))
            for number, name in enumerate(names)
        }
        print("| | | requests/s | keeps | µs CPU |", "| --- | --- | --- | --- | --- |", sep="\n")
        for method in ("GET", "POST"):
            seen = [{name: measure(one, method, script) for name, one in servers.items()} for _ in range(rounds)]
            for name in names:
                rate, cost = (statistics.median(row[name][part] for row in seen) for part in (0, 1))
                keeps = statistics.median(row[name][0] / row["bare"][0] for row in seen)
                print(f"| {method} | {name} | {rate:.0f} | {keeps:.0%} | {cost:.0f} |", flush=True)


if __name__ == "__main__":
    chosen = sys.argv[2:] or [*VARIANTS]
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, list(dict.fromkeys(["bare", *chosen])))
