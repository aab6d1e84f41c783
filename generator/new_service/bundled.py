"""The template that an installed new-service brings along: a git bundle, which hatch_build.py puts into the wheel.

A checkout and an editable install have none.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import git
from .errors import TemplateUnusable

_FOLDER: Final = Path(__file__).with_name("_template")
BUNDLE: Final = "template.bundle"
RECORD: Final = "release.json"


@dataclass(frozen=True)
class Bundle:
    """A template's releases up to the one that this new-service was built from.

    `source` is what projects record, `commit_hash` that release; `shallow` are the commits where its history begins
    if it was built from a clone without all of it.
    """

    file: Path
    source: str
    commit_hash: str
    shallow: tuple[str, ...] = ()

    def unpack(self, folder: Path) -> None:
        """Make it a bare repository in a folder that does not exist yet. Raises TemplateUnusable."""
        try:
            git.run("init", "--quiet", "--bare", "--object-format=sha1", str(folder))
            if self.shallow:
                (folder / "shallow").write_text("".join(f"{commit}\n" for commit in self.shallow))
            listed = git.run("bundle", "unbundle", str(self.file), folder=folder)
            names = (line.split(" ", 1) for line in listed.splitlines())
            created = "".join(f"create {name} {oid}\n" for oid, name in names if name.startswith("refs/tags/"))
            git.start("update-ref", "--stdin", folder=folder, reads=True).result(created)
        except git.GitFailed as error:
            raise TemplateUnusable(
                f"the template that new-service brings along cannot be read: {error.message}", "install it again"
            ) from error


def read_bundle() -> Bundle | None:
    """Return what this new-service brings along, None for a checkout and where the build had nothing."""
    record = _read()
    if "source" not in record:
        return None
    return Bundle(_FOLDER / BUNDLE, record["source"], record["commit_hash"], tuple(record["shallow"]))


def no_bundle() -> TemplateUnusable:
    """Return the error that says why there is none."""
    reason = _read().get("missing", "it is neither a git checkout nor built from one")
    return TemplateUnusable(
        f"this new-service brings no template along: {reason}",
        "name one with --template URL, or set NEW_SERVICE_TEMPLATE; or install a wheel built from a git checkout",
    )


def _read() -> dict[str, Any]:
    path = _FOLDER / RECORD
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
