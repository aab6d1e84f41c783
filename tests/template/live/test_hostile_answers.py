"""A service with the worst answers that are accepted starts, answers and stops like any other."""

from pathlib import Path

import pytest

from new_service.template import Template
from tests.template.conftest import make, uv

from .runner import Project

WORST = {
    "all-at-their-longest": {
        "service_name": "a" + "-b" * 19 + "c",
        "package_name": "p" + "_" * 39,
        "description": "{{ 7 * 7 }}{% raw %}\"\"\"'''\\${HOME}$(id)`id`<!--".ljust(199, "\\") + "🎉",
        "owner": "@" + "o" * 49 + "/" + "t" * 49,
        "base_image": "i" * 255,
        "image_repository": "r" * 255,
    },
    "words-of-python": {"service_name": "match", "package_name": "type", "description": "```", "owner": "null"},
    "names-of-its-own-folders-and-modules": {"service_name": "src", "package_name": "test_service", "owner": "0"},
}


@pytest.mark.parametrize("name", WORST)
def test_it_starts_answers_and_stops(template: Template, tmp_path: Path, name: str) -> None:
    answers = {"package_name": WORST[name]["service_name"]} | WORST[name]
    folder = make(template, answers, tmp_path / "service")
    uv("sync", "--quiet", "--no-dev", folder=folder)
    project = Project(folder, answers["package_name"], {})
    with project.started(tmp_path / "output") as running:
        assert running.api.get("/api/v1/notes").json() == {"items": [], "next_cursor": None}
        assert {line["service"] for line in running.lines()} == {answers["service_name"]}
        assert running.metric("service_info", service=answers["service_name"]) == 1
        assert running.stop() == 0
