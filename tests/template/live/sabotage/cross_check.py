"""Runs the live layer against a service with one fault and says which proofs turn red."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

from .patches import Sabotage, kind_of
from .proofs import LIVE, trees

ROOT = LIVE.parents[2]
WORKERS = "6"  # proofs mostly wait
ENDED = {0, 1}  # pytest's own: all green, some red; anything else is no answer


def seen_red(sabotage: Sabotage, folder: Path) -> set[str]:
    """Run every default proof of its service type, and the slow ones that it is aimed at.

    ``folder`` is for what the run leaves behind.
    """
    files = [str(path) for path in trees() if kind_of(path) == sabotage.kind]
    seen = run(sabotage, folder / "default", files, "not slow")
    if slow := sabotage.aimed - seen.keys():
        seen |= run(sabotage, folder / "slow", [str(LIVE / proof) for proof in slow], "slow")
    return {proof for proof, red in seen.items() if red}


def run(sabotage: Sabotage, folder: Path, what: Iterable[str], marked: str) -> dict[str, bool]:
    """Run some proofs with the fault and return for each whether it turned red."""
    folder.mkdir(parents=True)
    report = folder / "report.xml"
    options = ["-q", "-n", WORKERS, "-p", "no:cacheprovider", "-m", marked, f"--sabotage={sabotage.path}"]
    command = [sys.executable, "-m", "pytest", *what, *options, f"--basetemp={folder / 'files'}", f"--junitxml={report}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    (folder / "output").write_text(ended.stdout + ended.stderr)
    assert ended.returncode in ENDED, ended.stdout + ended.stderr
    return results(report)


def results(report: Path) -> dict[str, bool]:
    """Read pytest's report: a proof is red when it failed with one of its parameters, or could not begin."""
    red: dict[str, bool] = {}
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('classname', '').rpartition('.')[2]}.py::{case.get('name', '').partition('[')[0]}"
        red[name] = red.get(name, False) or case.find("failure") is not None or case.find("error") is not None
    return red
