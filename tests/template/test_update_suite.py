"""Layer 4: a service that its team edited passes its own suite before and after an update that conflicts."""

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import git, release, uv
from .edit_kits import OWN_WORK, Kit, edit_the_templates_files
from .releases import WORKING, Releases
from .stories import tell, unmerged

pytestmark = pytest.mark.slow  # a true environment, and the suite twice


def update(*arguments: str, project: Path) -> int:
    program = Path(sys.executable).with_name("new-service")
    return subprocess.run([program, "update", *arguments, project], capture_output=True, check=False).returncode


def passes_its_suite(project: Path) -> bool:
    return "passed" in uv("run", "--quiet", "--locked", "pytest", "--no-cov", folder=project).stdout


def test_its_suite_passes_before_and_after_an_update_whose_conflicts_are_resolved(
    releases: Releases, tmp_path: Path
) -> None:
    kit = Kit((*OWN_WORK, edit_the_templates_files))
    project = tell(releases, tmp_path, WORKING, kit, {"service_name": "billing"}).project
    uv("lock", "--quiet", folder=project)
    release(project, "locked")
    assert passes_its_suite(project)

    assert update(project=project) == 1
    left = unmerged(project)
    assert left == {"Dockerfile", ".dockerignore", "docs/architecture.png"}
    git("checkout", "--ours", "--", *left, folder=project)
    git("add", *left, folder=project)
    assert update("--continue", project=project) == 0
    release(project, "updated")
    assert (project / "tests/platform/test_contract.py").is_file()
    assert passes_its_suite(project)
    assert not git("status", "--porcelain", folder=project)
