"""Where lines go besides stdout, and what never stands in them."""

import json
from pathlib import Path

from .conftest import Start
from .runner import eventually


def test_lines_go_to_a_file_too_and_the_fields_that_a_team_names_are_masked(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "logs/service.log"
    with start(LOG_FILE=str(file), LOG_REDACT_FIELDS="Path, duration-ms") as running:
        running.api.get("/nothing", headers={"x-request-id": "filed"})
        line = running.logged(request_id="filed")
        assert (line["path"], line["duration_ms"]) == ("**********", "**********")
        eventually(lambda: line in [json.loads(text) for text in file.read_text().splitlines()])


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
