"""What update.py measures with: a template with two releases, a project made at the first, and a server for it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
# The second release: a dependency, three files of the template's, one of the team's, a new file and a renamed one.
CHANGES = {
    "pyproject.toml.jinja": ('"uvloop>=0.23,<1"', '"uvloop>=0.24,<1"'),
    "Dockerfile.jinja": ("EXPOSE 8000 9000", "EXPOSE 8000/tcp 9000/tcp"),
    "docs/runbook.md.jinja": ("## At a glance", "## First look"),
    "src/{{ package_name }}/chassis/serve_api.py": ("Port of the API", "Port of the API, by convention 8000"),
    "src/{{ package_name }}/settings.py": ('"""The', '"""Changed: the'),
}


def git(*arguments: str, folder: Path) -> None:
    """Run git quietly."""
    subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True)


def make_template(folder: Path) -> Path:
    """Clone this repository's last commit as v0.1.0 and commit a v0.2.0 on it."""
    git("clone", "--quiet", "--no-tags", str(ROOT), str(folder), folder=ROOT)
    git("tag", "--annotate", "v0.1.0", "--message", "v0.1.0", folder=folder)
    template = folder / "template"
    for name, (old, new) in CHANGES.items():
        text = (template / name).read_text()
        if old not in text:
            sys.exit(f"{old!r} is no longer in {name}: change the synthetic release")
        (template / name).write_text(text.replace(old, new, 1))
    (template / "docs/new.md").write_text("# New\n")
    (template / "scripts/smoke.py.jinja").rename(template / "scripts/probe.py.jinja")
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--message", "v0.2.0", folder=folder)
    git("tag", "--annotate", "v0.2.0", "--message", "v0.2.0", folder=folder)
    return folder


def make_project(folder: Path, template: str, preset: str = "standard") -> Path:
    """Create a project of the first release, and edit it as its team would."""
    create = [PROGRAMS / "new-service", "create", folder, "--name", "billing", "--yes", "--no-lock", "--preset", preset]
    subprocess.run(
        [*create, "--template", template, "--ref", "v0.1.0"], check=True, capture_output=True, env=identity()
    )
    (folder / "README.md").write_text("# Ours\n")
    # Untouched, it would follow the template in `new-service update`, and stay as it is in `copier update`.
    (folder / "src/billing/settings.py").write_text('"""Ours."""\n')
    (folder / "src/billing/orders").mkdir()
    (folder / "src/billing/orders/__init__.py").write_text('"""Ours."""\n')
    shutil.rmtree(folder / "src/billing/notes")
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--message", "Ours", folder=folder)
    return folder


def identity() -> dict[str, str]:
    """Return an environment in which git knows who commits."""
    who = {"NAME": "Ada", "EMAIL": "ada@example.com"}
    return os.environ | {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the repositories of a folder on the loopback, and yield their address."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["git", "daemon", "--export-all", f"--base-path={folder}", "--listen=127.0.0.1", f"--port={port}", folder]
    daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while daemon.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.01)  # between two looks at the port
        yield f"git://127.0.0.1:{port}"
    finally:
        daemon.terminate()
        daemon.wait()
