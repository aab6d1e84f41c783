"""A sabotage: a patch of the rendered service, preceded by what it breaks and which proofs it turns red.

    Readiness ignores what a dependency says.

    Aimed at:
      test_health.py::test_a_dependency_that_accepts_and_says_nothing_is_down
    Also red:
    Sometimes red:

    --- a/src/proving/chassis/health.py
    +++ b/src/proving/chassis/health.py

Written with one line of context (``diff -U1``), so that it survives what changes beside it.
"""

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
KINDS = ("bot", "worker")
HEADINGS = ("Aimed at", "Also red", "Sometimes red")  # the last one: timing decides


@dataclass(frozen=True)
class Sabotage:
    """One fault: what is broken, which proofs it is made for, which others it turns red as well."""

    path: Path
    broken: str
    aimed: frozenset[str]
    also: frozenset[str]
    sometimes: frozenset[str]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def kind(self) -> str:
        return kind_of(self.path)

    @property
    def red(self) -> frozenset[str]:
        """Every proof that it turns red each time."""
        return self.aimed | self.also

    @property
    def touched(self) -> list[str]:
        """The files that it changes."""
        return re.findall(r"^--- a/(\S+)", self.path.read_text(), re.MULTILINE)


def kind_of(path: Path) -> str:
    """Return the service type that a patch, or a file of proofs, is for: its name begins with it, if not an API's."""
    word = re.split(r"[-_.]", path.name.removeprefix("test_"))[0]
    return word if word in KINDS else "api"


def sabotages() -> list[Sabotage]:
    return [read(path) for path in sorted(FOLDER.glob("*.patch"))]


def read(path: Path) -> Sabotage:
    """Read one patch. Raises ValueError when a heading or the sentence is missing."""
    preamble, _, _ = path.read_text().partition("\n--- a/")
    broken, *parts = re.split(rf"^({'|'.join(HEADINGS)}):", preamble, flags=re.MULTILINE)
    lists = {heading: frozenset(names.split()) for heading, names in zip(parts[::2], parts[1::2], strict=True)}
    if not broken.strip() or not lists.keys() >= {*HEADINGS[:2]} or not lists["Aimed at"]:
        raise ValueError(f"{path.name} does not say what is broken, what it is aimed at and what it also turns red")
    return Sabotage(path, broken.strip(), *(lists.get(heading, frozenset()) for heading in HEADINGS))


def write(sabotage: Sabotage, red: Iterable[str]) -> None:
    """Put the proofs that were seen red into the preamble, beside those that it is aimed at."""
    _, separator, diff = sabotage.path.read_text().partition("\n--- a/")
    lists = (sabotage.aimed, {*red} - sabotage.aimed - sabotage.sometimes, sabotage.sometimes)
    told = [
        "\n  ".join([f"{heading}:", *sorted(names)])
        for heading, names in zip(HEADINGS, lists, strict=True)
        if names or heading == "Also red"
    ]
    sabotage.path.write_text("\n".join([f"{sabotage.broken}\n", *told, ""]) + separator + diff)


def apply(patch: Path, folder: Path) -> None:
    """Break a rendered service. Raises CalledProcessError, with git's words, when the patch does not fit."""
    # Below a repository of somebody else's, git would look for the files there, find none, and call that a success.
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)}
    subprocess.run(["git", "apply", patch.resolve()], cwd=folder, env=environment, check=True)
