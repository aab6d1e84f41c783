"""buildah and podman with a storage of their own: what they leave behind goes away with its folder."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = ("buildah", "podman", "runc", "mmdebstrap", "fuse-overlayfs", "openssl")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SETTINGS = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "runc"
tmp_dir = "{folder}/podman"
"""
STORAGE = """
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""
# Slower by far; only where the kernel would have to stack one overlay on another.
ON_OVERLAY = """
[storage.options.overlay]
mount_program = "/usr/bin/fuse-overlayfs"
"""


def missing() -> list[str]:
    """Return what this machine lacks to build and run an image without a registry."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    lacking += [] if KEYRING.exists() else ["debian-archive-keyring"]
    return lacking + ([] if os.geteuid() == 0 else ["being root"])


@dataclass(frozen=True)
class Engine:
    """Builds and runs images."""

    folder: Path

    def set_up(self) -> None:
        filesystem = self.run("stat", "--file-system", "--format=%T", self.folder).stdout.strip()
        storage = STORAGE + (ON_OVERLAY if filesystem == "overlayfs" else "")
        (self.folder / "containers.conf").write_text(SETTINGS.format(folder=self.folder))
        (self.folder / "storage.conf").write_text(storage.format(folder=self.folder))
        (self.folder / "tmp").mkdir()

    def close(self) -> None:
        """Let go of every mount, so that the folder can be removed."""
        self.podman("rm", "--all", "--force", "--time=0")
        self.run("buildah", "rm", "--all")
        self.podman("rmi", "--all", "--force")

    @property
    def environment(self) -> dict[str, str]:
        return dict(os.environ) | {
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "TMPDIR": str(self.folder / "tmp"),
        }

    def run(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        run = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0 or not check, run.stdout + run.stderr
        return run

    def podman(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("podman", *arguments, check=check)

    def build(self, context: Path, tag: str, *options: str, check: bool = True) -> str:
        """Build an image as docker would; return what was printed."""
        fixed = ("--isolation=chroot", "--network=host", "--pull-never", "--format=docker", "--layers")
        run = self.run("buildah", "build", *fixed, "--tag", tag, *options, context, check=check)
        return run.stdout + run.stderr

    def inspect(self, image: str) -> Any:
        return json.loads(self.podman("image", "inspect", image).stdout)[0]

    def stored(self, text: str) -> list[str]:
        """Return the files with this text among the layers, unpacked, and the configurations of every stage."""
        folders = [self.folder / "storage" / name for name in ("overlay", "overlay-layers", "overlay-images")]
        options = ("--recursive", "--files-with-matches", "--fixed-strings", "--text", "--devices=skip")
        return self.run("grep", *options, "--regexp", text, *folders, check=False).stdout.splitlines()
