"""Shields every test from the machine: git's configuration, an outer repository, a person's settings."""

import os
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_GIT_CONFIGURATION = "[init]\n\tdefaultBranch = main\n[safe]\n\tdirectory = *\n"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Stand here and not beside the live tests, because pytest asks for options before it looks there."""
    parser.addoption("--sabotage", metavar="PATCH", help="break the live tests' service before it starts")


def pytest_xdist_auto_num_workers() -> int:
    """Start more workers than there are cores: most tests wait for a process."""
    return 3 * (os.cpu_count() or 2) // 2


def pytest_configure(config: pytest.Config) -> None:
    """Change the environment once, before anything is imported or started."""
    folder = tempfile.TemporaryDirectory(prefix="new-service-tests-")
    config.add_cleanup(folder.cleanup)
    configuration = Path(folder.name, "gitconfig")
    configuration.write_text(_GIT_CONFIGURATION)  # no identity: a test that needs one sets it
    for name in [name for name in os.environ if name.startswith(("GIT_", "NEW_SERVICE_", "COPIER_"))]:
        del os.environ[name]
    os.environ["GIT_CONFIG_GLOBAL"] = str(configuration)
    os.environ["GIT_CONFIG_SYSTEM"] = os.devnull
    os.environ["GIT_TERMINAL_PROMPT"] = "0"
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(Path(folder.name, "hypothesis"))


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of this repository."""
    return ROOT
