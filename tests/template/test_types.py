"""One chassis: what several service types have in common is the same file, byte by byte."""

from collections.abc import Mapping
from filecmp import cmp
from itertools import combinations
from pathlib import Path

import pytest

from new_service.template import Template
from tests.answer_sets import Answers

from .conftest import make

TYPES: Mapping[str, Answers] = {
    "api": {"service_type": "api"},
    "bot": {"service_type": "bot"},
    "worker": {"service_type": "worker"},
}
FEATURES = {"minimal": [], "common": ["resilience", "sentry"]}

# What differs, and why it must.
DIFFERENT = {
    ".copier-answers.yml": "names the type",
    ".env.example": "the settings of the transport",
    "Dockerfile": "the ports",
    "README.md": "what is served, and how it is tried",
    "docs/runbook.md": "the metrics and the failures of the transport",
    "justfile": "how it is tried",
    "pyproject.toml": "the dependencies",
    "src/billing/__main__.py": "which module says what is served; the worker's commands",
    "src/billing/chassis/wiring.py": "which transport is put together",
    "tests/chassis/conftest.py": "the bot is tested beside a fake Bot API",
    "tests/conftest.py": "how the team's tests talk to the service",
}


@pytest.fixture(scope="module", params=FEATURES)
def renders(request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a render of each type, all with the same answers but for the type."""
    folder = tmp_path_factory.mktemp("types")
    same = {"service_name": "billing", "features": FEATURES[request.param]}
    return {name: make(template, {**same, **answers}, folder / name) for name, answers in TYPES.items()}


def files(render: Path) -> set[str]:
    return {str(path.relative_to(render)) for path in render.rglob("*") if path.is_file()}


def test_what_types_share_is_identical(renders: dict[str, Path]) -> None:
    different = set()
    for one, other in combinations(renders.values(), 2):
        common = files(one) & files(other)
        assert len(common) > 3 * len(DIFFERENT)
        different |= {name for name in common if not cmp(one / name, other / name, shallow=False)}
    assert different <= DIFFERENT.keys()


def test_nothing_is_allowed_to_differ_that_does_not(renders: dict[str, Path]) -> None:
    for name in DIFFERENT:
        assert len({(render / name).read_bytes() for render in renders.values() if (render / name).exists()}) > 1, name
