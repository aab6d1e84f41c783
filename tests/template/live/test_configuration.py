"""Bad settings end a service before anything is opened, and say what to mend without telling a secret."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import CANARY, Start
from .runner import Project
from .stand_in import StandIn

EX_CONFIG = 78
MOST_LINES = 10
MODEL = "import json; from proving.settings import Settings; print(json.dumps(Settings.model_json_schema()))"


def names(stderr: str) -> list[str]:
    """Return the variables that an error names, after checking its length."""
    assert len(stderr.splitlines()) <= MOST_LINES
    return [line.split(":")[0].strip() for line in stderr.splitlines()[1:]]


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
    assert names(ended.stderr) == named
    assert CANARY not in ended.stderr + ended.stdout


def test_however_many_are_wrong_ten_lines_name_them_all(project: Project) -> None:
    wrong = [
        "DEBUG", "LOG_LEVEL", "LOG_FORMAT", "OPS_PORT", "SHUTDOWN_DRAIN_SECONDS", "SHUTDOWN_TIMEOUT_SECONDS",
        "HTTP_PORT", "HTTP_DOCS", "HTTP_TIMEOUT_SECONDS", "HTTP_MAX_BODY_BYTES", "HTTP_MAX_JSON_DEPTH",
    ]  # fmt: skip
    ended = project.run(**dict.fromkeys(wrong, CANARY))
    assert ended.returncode == EX_CONFIG
    assert len(ended.stderr.splitlines()) <= MOST_LINES
    assert all(name in ended.stderr for name in wrong)
    assert CANARY not in ended.stderr


def test_what_is_in_force_is_shown_without_secrets(project: Project) -> None:
    shown = project.run("--check-config", OPS_PORT="9123")
    assert shown.returncode == 0
    assert {"OPS_PORT=9123", "PAY_TOKEN=**********"} <= set(shown.stdout.splitlines())
    assert CANARY not in shown.stdout


@pytest.fixture(scope="module")
def model(project: Project) -> dict[str, Any]:
    """Return the settings as the service itself describes them."""
    command = [project.command[0], "-c", MODEL]
    return json.loads(subprocess.run(command, cwd=project.folder, capture_output=True, check=True).stdout)


def takes_any_text(field: dict[str, Any]) -> bool:
    """Say whether nothing can be wrong with a value: text or a list of texts without a form."""
    kinds = [kind.get("items", kind) for kind in field.get("anyOf", [field])]
    return any(
        kind["type"] == "string"
        and not kind.keys() & {"enum", "pattern"}
        and kind.get("format", "path") in {"path", "password"}
        for kind in kinds
    )


def wrong_alone(model: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Make each variable wrong, one at a time: what is required is unset, what has a form gets none."""
    for name, field in model["properties"].items():
        if name in model["required"]:
            yield {name.upper(): ""}
        if not takes_any_text(field):
            yield {name.upper(): CANARY}


def test_every_variable_is_refused_by_its_name_before_anything_is_opened(
    project: Project, model: dict[str, Any], tmp_path: Path
) -> None:
    never = tmp_path / "never.log"
    each = list(wrong_alone(model))
    assert len(each) > len(model["properties"]) / 2
    with StandIn() as other:
        taken = {name: str(other.port) for name in ("OPS_PORT", "WAREHOUSE_PORT")}  # opening the first would exit with 1
        ended = project.run_each([taken | {"LOG_FILE": str(never)} | wrong for wrong in each])
        assert not other.received
    seen = [(run["returncode"], names(run["stderr"]), run["stdout"]) for run in ended]
    assert seen == [(EX_CONFIG, list(wrong), "") for wrong in each]
    assert CANARY not in str(ended)
    assert not never.exists()


@pytest.fixture(params=["variable", "file"])
def secret(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Return the settings that bring the canary, each way that a secret can come."""
    if request.param == "variable":
        return {"PAY_TOKEN": CANARY}
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/pay_token").write_text(CANARY)
    return {"PAY_TOKEN": "", "SECRETS_DIR": str(tmp_path / "secrets")}


def test_a_secret_is_nowhere_while_the_service_runs(start: Start, secret: dict[str, str]) -> None:
    with start(LOG_LEVEL="debug", DEBUG="true", **secret) as running:
        bodies = [running.api.get(f"/api/v1/trials/{what}").text for what in ("bug", "exit", "closed", "nothing")]
        bodies.append(running.api.post("/api/v1/notes", json={"titel": "milk"}).text)
        seen = [running.ops.get(path).text for path in ("/metrics", "/health", "/health/ready", "/nothing")]
        assert running.logged(message="about to fail")["nested"] == {"Password": "**********"}
        assert running.stop() == 0
        assert CANARY not in "".join([*bodies, *seen, running.output.read_text()])


def test_a_secret_is_not_told_by_the_settings_either(project: Project, secret: dict[str, str]) -> None:
    shown = project.run("--check-config", **secret)
    assert "PAY_TOKEN=**********" in shown.stdout.splitlines()
    refused = [
        project.run(**secret, **wrong)
        for wrong in ({"HTTP_PORT": "x"}, {"SHUTDOWN_DRAIN_SECONDS": "25"}, {"ENVIRONMENT": "production"})
    ]
    assert [ended.returncode for ended in refused] == [EX_CONFIG] * 3
    assert names(refused[-1].stderr) == ["PAY_TOKEN"]  # which is too short, and is not shown for it
    assert CANARY not in "".join(ended.stdout + ended.stderr for ended in [shown, *refused])
