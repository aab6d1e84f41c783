"""Measures `new-service create` beside plain `copier copy`: alternating runs of the same commit, run by hand.

python tests/benchmarks/create.py [RUNS]
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent


def seconds(command: list[str], folder: Path) -> float:
    """Return how long a command takes in an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Print median, best and worst of each."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as temporary:
        # A clone, so that uncommitted changes make no difference between the two.
        template = Path(temporary, "template")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(template)], check=True)
        create = [
            str(PROGRAMS / "new-service"),
            "create",
            "--name",
            "demo",
            "--yes",
            "--no-lock",
            "--template",
            str(template),
        ]
        copy = [
            str(PROGRAMS / "copier"),
            "copy",
            "--quiet",
            "--defaults",
            "--vcs-ref",
            "HEAD",
            "--data",
            "service_name=demo",
        ]
        commands = {
            "new-service create --yes --no-lock": create,
            "new-service create --yes --no-lock --no-git": [*create, "--no-git"],
            "copier copy --defaults": [*copy, str(template), "demo"],
        }
        took: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                took[name].append(seconds(command, Path(temporary, "out")))
    for name, values in took.items():
        print(f"{name:<45} median {statistics.median(values):.2f} s   {min(values):.2f}-{max(values):.2f}")


if __name__ == "__main__":
    main()
