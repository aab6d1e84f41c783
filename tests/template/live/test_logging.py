"""Where lines go besides stdout, and what never stands in them."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from .conftest import Start
from .runner import eventually


def test_lines_go_to_a_file_too_and_the_fields_that_a_team_names_are_masked(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "logs/service.log"
    with start(LOG_FILE=str(file), LOG_REDACT_FIELDS="Path, duration-ms") as running:
        running.api.get("/nothing", headers={"x-request-id": "filed"})
        line = running.logged(request_id="filed")
        assert (line["path"], line["duration_ms"]) == ("**********", "**********")
        eventually(lambda: line in [json.loads(text) for text in file.read_text().splitlines()])


NOISE = ("warning", "thread", "task", "unraisable")
TRIALS = ("bug", "closed", "cancelled", "exit", "log/library", "teapot/418", *(f"noise/{what}" for what in NOISE))


def test_whatever_writes_95_of_100_lines_are_json_and_those_of_a_request_carry_its_id(start: Start) -> None:
    paths = (*TRIALS * 5, "noise/print")
    sent = [f"request-{number}" for number in range(len(paths))]
    with start() as running:
        for request_id, path in zip(sent, paths, strict=True):
            running.api.get(f"/api/v1/trials/{path}", headers={"x-request-id": request_id})
        eventually(lambda: objects(running.output.read_text())[-1].get("request_id") == sent[-1])
        told = objects(running.output.read_text())
        assert running.stop() == 0
    printed = running.output.read_text()
    assert len(objects(printed)) >= 0.95 * len(printed.splitlines())
    started = [line["message"] for line in told].index("started")
    in_requests = [line for line in told[started + 1 :] if "thread failed" not in str(line)]
    assert {line["request_id"] for line in in_requests} == set(sent)
    assert {"asyncio", "library", "py.warnings", "root"} <= {line["logger"] for line in in_requests}


def objects(text: str) -> list[dict[str, Any]]:
    """Return the lines that are JSON objects."""
    found = []
    for line in text.splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return [one for one in found if isinstance(one, dict)]


def test_a_log_file_that_cannot_be_made_ends_the_start_with_its_name(start: Start, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with start(ready=False, LOG_FILE=str(tmp_path / "taken/service.log")) as running:
        assert running.process.wait(20) == 1
        assert "taken" in running.output.read_text()
        assert "Traceback" not in running.output.read_text()


def test_development_gets_readable_lines(start: Start) -> None:
    with start(LOG_FORMAT="console") as running:
        running.api.get("/nothing", headers={"x-request-id": "read-me"})
        eventually(lambda: "request_id=read-me" in running.output.read_text())
        assert "{" not in running.output.read_text().splitlines()[-1]
