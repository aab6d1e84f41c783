"""Puts the template's repository into the wheel and the sdist, so that an installed new-service needs no network.

What is packed: HEAD and every release, with their history. Beside it stands which commit HEAD is, and the URL that
projects will record: NEW_SERVICE_TEMPLATE_URL if it is set, the checkout's `origin` if that is a network's, or else the
checkout's own path. A build without git still succeeds; what it makes says that it brings no template along, and why.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

from new_service import git
from new_service.addresses import is_url, recorded_url
from new_service.bundled import BUNDLE, RECORD
from new_service.errors import NewServiceError
from new_service.source import source_of_checkout, version_of

URL = "NEW_SERVICE_TEMPLATE_URL"
IN_WHEEL = "new_service/_template"
IN_SOURCES = f"generator/{IN_WHEEL}"


class TemplateHook(BuildHookInterface[Any]):
    """Called by hatchling before and after a build."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files and name their place in the wheel or sdist."""
        root = Path(self.root)
        if version == "editable" or (root / IN_SOURCES / RECORD).is_file():
            return  # an editable install renders its checkout; an sdist has the files already
        self._folder = tempfile.TemporaryDirectory(prefix="new-service-build-")
        folder = Path(self._folder.name)
        for warning in write(root, folder, os.environ.get(URL)):
            self.app.display_warning(f"new-service: {warning}")
        place = IN_WHEEL if self.target_name == "wheel" else IN_SOURCES
        build_data["force_include"] |= {str(path): f"{place}/{path.name}" for path in folder.iterdir()}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the files again."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def write(root: Path, folder: Path, url: str | None) -> list[str]:
    """Write the bundle and the record of a checkout into a folder; return what whoever builds should know."""
    if url is not None and not is_url(url):
        sys.exit(f"error: {URL} is not the URL of a repository: {url!r}\n  use one such as https://…/new-service.git")
    try:
        if Path(git.run("rev-parse", "--show-toplevel", folder=root)).resolve() != root.resolve():
            return _write_missing(folder, "it was built from files that are no git checkout")
        record, warnings = _pack(root, folder / BUNDLE, url)
    except NewServiceError as error:
        return _write_missing(folder, f"git could not read what it was built from ({error.message})")
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n")
    return warnings


def _pack(root: Path, file: Path, url: str | None) -> tuple[dict[str, object], list[str]]:
    source = recorded_url(url) if url else source_of_checkout(root.resolve())
    tags = git.run("tag", "--list", folder=root).splitlines()
    releases = [f"refs/tags/{tag}" for tag in tags if version_of(tag) is not None]
    git.run("bundle", "create", "--quiet", str(file), "HEAD", *releases, folder=root)
    shallow = Path(git.run("rev-parse", "--path-format=absolute", "--git-path", "shallow", folder=root))
    record: dict[str, object] = {
        "source": source,
        "commit": git.run("describe", "--tags", "--always", folder=root),
        "commit_hash": git.run("rev-parse", "HEAD", folder=root),
        "shallow": shallow.read_text().split() if shallow.is_file() else [],
    }
    warnings = []
    if not is_url(source):
        warnings.append(f"projects will record {source}, which only this machine has; set {URL} for others")
    if shallow.is_file():
        warnings.append("the clone is shallow: only releases in it can be updated from offline; git fetch --unshallow")
    if git.run("status", "--porcelain", "--", "template", "copier.yml", folder=root):
        warnings.append("uncommitted changes of the template are not built in")
    return record, warnings


def _write_missing(folder: Path, reason: str) -> list[str]:
    (folder / RECORD).write_text(json.dumps({"missing": reason}) + "\n")
    return [f"no template is built in: {reason}"]
