"""Bad settings end a service before anything is opened, and say what to mend without telling a secret."""

import pytest

from .conftest import CANARY
from .runner import Project

EX_CONFIG = 78


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"PAY_TOKEN": ""}, ["PAY_TOKEN"]),
        ({"HTTP_PORT": "99999"}, ["HTTP_PORT"]),
        (
            {"HTTP_PORT": CANARY, "LOG_LEVEL": CANARY, "WAREHOUSE_PORT": CANARY},
            ["LOG_LEVEL", "HTTP_PORT", "WAREHOUSE_PORT"],
        ),
        ({"SECRETS_DIR": "/does/not/exist"}, ["SECRETS_DIR"]),
        ({"ENVIRONMENT": CANARY}, ["ENVIRONMENT"]),
        ({"ENVIRONMENT": "production"}, ["PAY_TOKEN"]),
        ({"ENVIRONMENT": "production", "PAY_TOKEN": "change-me" * 9, "DEBUG": "true"}, ["DEBUG", "PAY_TOKEN"]),
        ({"HTTP_TIMEOUT_SECONDS": "25"}, ["HTTP_TIMEOUT_SECONDS"]),
        ({"SHUTDOWN_DRAIN_SECONDS": "25"}, ["SHUTDOWN_DRAIN_SECONDS", "HTTP_TIMEOUT_SECONDS"]),
    ],
    ids=str,
)
def test_each_wrong_variable_is_named(project: Project, settings: dict[str, str], named: list[str]) -> None:
    ended = project.run(**settings)
    assert ended.returncode == EX_CONFIG
    assert [line.split(":")[0].strip() for line in ended.stderr.splitlines()[1:]] == named
    assert CANARY not in ended.stderr + ended.stdout


def test_however_many_are_wrong_ten_lines_name_them_all(project: Project) -> None:
    wrong = [
        "DEBUG", "LOG_LEVEL", "LOG_FORMAT", "OPS_PORT", "SHUTDOWN_DRAIN_SECONDS", "SHUTDOWN_TIMEOUT_SECONDS",
        "HTTP_PORT", "HTTP_DOCS", "HTTP_TIMEOUT_SECONDS", "HTTP_MAX_BODY_BYTES", "HTTP_MAX_JSON_DEPTH",
    ]  # fmt: skip
    ended = project.run(**dict.fromkeys(wrong, CANARY))
    assert ended.returncode == EX_CONFIG
    assert len(ended.stderr.splitlines()) <= 10
    assert all(name in ended.stderr for name in wrong)
    assert CANARY not in ended.stderr


def test_what_is_in_force_is_shown_without_secrets(project: Project) -> None:
    shown = project.run("--check-config", OPS_PORT="9123")
    assert shown.returncode == 0
    assert {"OPS_PORT=9123", "PAY_TOKEN=**********"} <= set(shown.stdout.splitlines())
    assert CANARY not in shown.stdout
