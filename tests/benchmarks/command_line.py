"""How long the command line takes to say what it is, beside an interpreter that does nothing: alternating, by hand.

python tests/benchmarks/command_line.py [RUNS]
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("new-service"))
COPIER = str(Path(sys.executable).with_name("copier"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "new-service --version": [PROGRAM, "--version"],
    "new-service --help": [PROGRAM, "--help"],
    "new-service features": [PROGRAM, "features"],
    "copier --version": [COPIER, "--version"],
}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main(runs: int) -> None:
    """Print median, best and worst of each."""
    took: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            took[name].append(seconds(command))
    for name, values in took.items():
        print(f"| `{name}` | {statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f}) |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
