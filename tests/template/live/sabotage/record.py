"""Runs sabotages and writes into each what it turned red: ``python -m tests.template.live.sabotage.record [NAME…]``."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from .cross_check import seen_red
from .patches import sabotages, write


def record(names: Sequence[str]) -> bool:
    """Run the named sabotages, or all; True when each turned red what it is aimed at."""
    caught = True
    for sabotage in sabotages():
        if names and sabotage.name not in names:
            continue
        began = time.monotonic()
        with TemporaryDirectory(prefix="sabotage-") as folder:
            red = seen_red(sabotage, Path(folder))
        write(sabotage, red)
        green = sorted(sabotage.aimed - red)
        print(f"{sabotage.name}: {len(red)} red in {time.monotonic() - began:.0f} s", *green, sep="\n  STILL GREEN ")
        caught = caught and not green
    return caught


if __name__ == "__main__":
    sys.exit(not record(sys.argv[1:]))
