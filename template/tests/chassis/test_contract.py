"""What every service must show from outside, whatever its type. The template's."""

import pytest
from started_service import PACKAGE, ROOT, Running, run


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/health/startup"])
def test_probes_answer(running: Running, path: str) -> None:
    assert running.ops.get(path).status_code == 200


def test_metrics_tell_what_runs_and_every_line_says_so_too(running: Running) -> None:
    assert running.metric("service_info") == 1
    fields = {"timestamp", "level", "message", "logger", "service", "version", "environment"}
    assert all(fields <= line.keys() for line in running.lines())


def test_the_log_level_changes_at_run_time(running: Running) -> None:
    assert running.ops.put("/log-level", content=b"loud").status_code == 422
    assert running.ops.put("/log-level", content=b"warning").status_code == 204
    assert running.ops.put("/log-level", content=b"info").status_code == 204


def test_a_bad_configuration_names_each_variable_and_nothing_else(needed: dict[str, str]) -> None:
    wrong = run("-m", PACKAGE, **needed | {"OPS_PORT": "canary-port", "LOG_LEVEL": "canary-level"})
    assert wrong.returncode == 78
    assert len(wrong.stderr.splitlines()) <= 10
    assert "OPS_PORT" in wrong.stderr
    assert "LOG_LEVEL" in wrong.stderr
    assert "canary" not in wrong.stderr + wrong.stdout


def test_the_settings_in_force_can_be_shown(needed: dict[str, str]) -> None:
    shown = run("-m", PACKAGE, "--check-config", **needed | {"OPS_PORT": "9123"})
    assert shown.returncode == 0
    assert "OPS_PORT=9123" in shown.stdout.splitlines()


def test_the_example_of_the_settings_is_current() -> None:
    made = run("scripts/env_example.py")
    assert made.stdout == (ROOT / ".env.example").read_text(), "run `just env-example`"
