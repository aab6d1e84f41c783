"""Measures `new-service update --no-lock` beside plain `copier update` of the same project, and over a hundred of them.

python -m tests.benchmarks.update [RUNS] [PROJECTS]

Each run has a copy of its own, the two commands take turns, and both must end with the same files. First the template
lies in a folder of this machine, then behind a server (`git daemon` on the loopback), as it does for a fleet.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.update_projects import PROGRAMS, git, identity, make_project, make_template, served

UPDATE = [str(PROGRAMS / "new-service"), "update", "--no-lock"]
COPIER = [str(PROGRAMS / "copier"), "update", "--defaults", "--quiet"]
IMPORTS = "import new_service.cli, new_service.update, new_service.rendering"
UPDATE_AND_TELL = """
import atexit, json, sys
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from new_service.cli import main
usage = lambda: [sum(getrusage(who)[:2]) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
atexit.register(lambda: print(json.dumps(usage()), file=sys.stderr))
sys.argv = ["new-service", "update", "--no-lock"]
main()
"""


class Cost(NamedTuple):
    """What a command and everything that it started took."""

    wall: float
    cpu: float
    peak: int  # KiB of the largest process
    exit_code: int


def cost(command: Sequence[str], folder: Path, extra: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end."""
    start = time.perf_counter()
    environment = os.environ | dict(extra or {})
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss, process.returncode)


def copied(project: Path, folder: Path) -> Path:
    """Copy a project; git is shown the new files before it is measured."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(project, folder)
    git("update-index", "--refresh", folder=folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a project, without git's own."""
    paths = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def alternate(project: Path, folder: Path, runs: int) -> tuple[list[Cost], list[Cost]]:
    """Run both in turn, once each before anything counts."""
    ours: list[Cost] = []
    theirs: list[Cost] = []
    for number in range(runs + 1):
        one = cost(UPDATE, copied(project, folder / "ours" / project.name))
        other = cost(COPIER, copied(project, folder / "theirs" / project.name))
        if one.exit_code or other.exit_code:
            sys.exit(f"new-service ended with {one.exit_code}, copier with {other.exit_code}")
        if contents(folder / "ours") != contents(folder / "theirs"):
            sys.exit("the two updates end with other files")
        if number:
            ours.append(one)
            theirs.append(other)
    return ours, theirs


class Gits(NamedTuple):
    """The processes of git behind a command."""

    started: int  # by the command itself; the rest are git's own
    every: int
    transfers: int  # clones and fetches


def gits(command: Sequence[str], project: Path, folder: Path) -> Gits:
    """Run a command with git's own trace, and count."""
    traces = folder / "traces"
    shutil.rmtree(traces, ignore_errors=True)
    traces.mkdir()
    cost(command, copied(project, folder / "traced" / project.name), {"GIT_TRACE2_EVENT": str(traces)})
    processes = [[json.loads(line) for line in trace.read_text().splitlines()] for trace in traces.iterdir()]
    started = [events for events in processes if "/" not in events[0]["sid"]]
    names = [event["name"] for events in processes for event in events if event["event"] == "cmd_name"]
    return Gits(len(started), len(processes), names.count("clone") + names.count("fetch"))


def parts(project: Path, folder: Path, runs: int) -> dict[str, float]:
    """Return the processor time of the parts of an update: it does not depend on what else the machine does."""
    started = [cost([sys.executable, "-c", "pass"], folder).cpu for _ in range(runs)]
    imported = [cost([sys.executable, "-c", IMPORTS], folder).cpu for _ in range(runs)]
    shares = []
    for _ in range(runs):
        copied(project, folder / "parts" / project.name)
        command = [sys.executable, "-c", UPDATE_AND_TELL]
        run = subprocess.run(
            command, cwd=folder / "parts" / project.name, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True
        )
        shares.append(json.loads(run.stderr.splitlines()[-1]))
    own, children = (statistics.median(column) for column in zip(*shares, strict=True))
    interpreter, all_imports = statistics.median(started), statistics.median(imported)
    return {
        "the interpreter's start": interpreter,
        "imports, most of them Copier's": all_imports - interpreter,
        "git's processes": children,
        "questions, two renders, the merge": own - all_imports,
    }


def compare(project: Path, folder: Path, runs: int, where: str) -> None:
    """Print what both cost, how they compare run by run, and what ours consists of."""
    ours, theirs = alternate(project, folder, runs)
    print(f"\nThe template {where}, medians of {runs} runs that take turns (least to most):\n")
    print(
        "| command | wall, s | CPU, s | peak, MiB | git started | git in all | clones, fetches |\n" + "| --- " * 7 + "|"
    )
    for name, command, costs in (("new-service", UPDATE, ours), ("copier", COPIER, theirs)):
        wall, cpu = ([one[column] for one in costs] for column in (0, 1))
        peak = statistics.median(one.peak for one in costs) / 1024
        counted = gits(command, project, folder)
        print(f"| `{name} {' '.join(command[1:])}` | {spread(wall)} | {spread(cpu)} | {peak:.0f} "
              f"| {counted.started} | {counted.every} | {counted.transfers} |")  # fmt: skip
    for column, what in ((0, "wall"), (1, "CPU")):
        shares = [one[column] / other[column] for one, other in zip(ours, theirs, strict=True)]
        print(f"{what}: new-service takes {spread(shares)} of copier")
    shown = parts(project, folder, runs)
    print(
        "CPU: "
        + "; ".join(f"{what} {seconds:.2f} s ({seconds / sum(shown.values()):.0%})" for what, seconds in shown.items())
    )


def spread(values: Sequence[float]) -> str:
    """Write a median with its least and most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def fleet(presets: Sequence[Path], folder: Path, count: int, at_once: int, mirror: Mapping[str, str]) -> None:
    """Update many projects with one command line, and print what a project takes."""
    clones = folder / "fleet"
    shutil.rmtree(clones, ignore_errors=True)
    for number in range(count):
        copied(presets[number % len(presets)], clones / f"service-{number:03}")
    one_line = f"printf '%s\\0' */ | xargs -0 -n 1 -P {at_once} {' '.join(UPDATE)}"
    took = cost(["sh", "-c", one_line], clones, mirror)
    done = sum("_commit: v0.2.0" in (project / ".copier-answers.yml").read_text() for project in clones.iterdir())
    print(
        f"{count} projects, {at_once} at once, {'a mirror' if mirror else 'a clone for each'}: {took.wall:.0f} s, "
        f"{took.wall / count:.2f} s a project ({took.cpu / count:.2f} s CPU), largest process "
        f"{took.peak / 1024:.0f} MiB, {done} at v0.2.0, exit code {took.exit_code}"
    )


def instead(mirror: Path, url: str) -> dict[str, str]:
    """Return an environment in which git takes a mirror for what lies at a URL."""
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{mirror}.insteadOf", "GIT_CONFIG_VALUE_0": url}


def main(runs: int = 9, count: int = 100) -> None:
    """Measure one project in two places, and a fleet; 0 leaves a part out."""
    with tempfile.TemporaryDirectory(prefix="new-service-benchmark-") as temporary:
        folder = Path(temporary)
        os.environ.update(identity() | {"XDG_CACHE_HOME": str(folder / "cache")})  # Copier keeps mirrors there
        template = make_template(folder / "template")
        if runs:
            compare(make_project(folder / "here" / "billing", str(template)), folder, runs, "in a folder")
        with served(folder) as address:
            url = f"{address}/template"
            presets = [make_project(folder / preset / "billing", url, preset) for preset in ("standard", "minimal")]
            if runs:
                compare(presets[0], folder, runs, "behind a server")
            if count:
                print("\nThe fleet, half of it standard and half minimal, the template behind a server:\n")
                alone: dict[str, str] = {}
                for at_once, mirror in ((1, alone), (2, alone), (2, instead(template, url))):
                    fleet(presets, folder, count, at_once, mirror)


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:3]))
