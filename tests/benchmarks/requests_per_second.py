"""How much of bare FastAPI's throughput a generated API keeps, and what a request costs its process.

Run by hand: `python tests/benchmarks/requests_per_second.py [ROUNDS]`. Needs `wrk` (Debian: wrk) and two cores: the
server is bound to one, the load to the other. Both run the same slice under the same uvicorn, one without the chassis;
rounds alternate, so that a slower moment of the machine hits both. Processor time is the server's own, from /proc.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
SECONDS = 4
CONNECTIONS = 16
SERVER_CORE, LOAD_CORE = "0", "1"
PORTS = {"bare": 18101, "generated": 18102}


def create(folder: Path) -> Path:
    """Create a service from the last commit, with its environment; return its interpreter."""
    program = Path(sys.executable).with_name("new-service")
    subprocess.run(
        [program, "create", folder, "--name", "measured", "--yes", "--no-git"], check=True, stdout=sys.stderr
    )
    subprocess.run([find_uv_bin(), "sync", "--quiet", "--no-dev"], cwd=folder, check=True)
    (folder / "bare.py").write_text(BARE)
    return folder / ".venv/bin/python"


@contextmanager
def serving(name: str, command: list[str | Path], folder: Path) -> Iterator[int]:
    """Run a server on its core and give its process id."""
    settings = {
        "HTTP_PORT": str(PORTS[name]),
        "OPS_PORT": "18103",
        "ENVIRONMENT": "production",
        "RATE_LIMIT_IP": "9999999/second",
    }
    with (folder / f"{name}.log").open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, *command],
            cwd=folder,
            env=os.environ | settings,
            stdout=output,
            stderr=output,
        )
        try:
            while not answers(PORTS[name]):
                assert process.poll() is None, (folder / f"{name}.log").read_text()
                time.sleep(0.05)
            yield process.pid
        finally:
            process.kill()
            process.wait()


def answers(port: int) -> bool:
    try:
        return urlopen(f"http://127.0.0.1:{port}/api/v1/notes").status == 200
    except URLError:
        return False


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(name: str, method: str, pid: int, script: Path) -> tuple[float, float]:
    """Return requests per second, and microseconds of the server's processor time for each."""
    url = f"http://127.0.0.1:{PORTS[name]}/api/v1/notes"
    target = ["-s", str(script), url] if method == "POST" else [f"{url}/{make_note(url)}"]
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *target]
    before = cpu_seconds(pid)
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(pid) - before
    assert "Non-2xx" not in output, output
    found = re.search(r"(\d+) requests in", output)
    assert found, output
    count = int(found[1])
    return count / SECONDS, used / count * 1e6


def make_note(url: str) -> str:
    request = Request(url, data=b'{"title": "milk"}', headers={"content-type": "application/json"})
    with urlopen(request) as answer:
        return json.load(answer)["id"]


def main(rounds: int) -> None:
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed; on Debian: apt-get install wrk")
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as servers:
        folder = Path(temporary, "measured")
        python = create(folder)
        script = folder / "post.lua"
        script.write_text(POST)
        commands = {"bare": [python, "bare.py", str(PORTS["bare"])], "generated": [python, "-m", "measured"]}
        pids = {name: servers.enter_context(serving(name, command, folder)) for name, command in commands.items()}
        print("| | bare, requests/s | generated, requests/s | keeps | bare, µs CPU | generated, µs CPU |")
        print("| --- | --- | --- | --- | --- | --- |")
        for method in ("GET", "POST"):
            seen = [[measure(name, method, pid, script) for name, pid in pids.items()] for _ in range(rounds)]
            bare, generated = (
                [statistics.median(column) for column in zip(*one, strict=True)] for one in zip(*seen, strict=True)
            )
            keeps = statistics.median(row[1][0] / row[0][0] for row in seen)
            print(
                f"| {method} | {bare[0]:.0f} | {generated[0]:.0f} | {keeps:.0%} | {bare[1]:.0f} | {generated[1]:.0f} |"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
