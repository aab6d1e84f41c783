"""Typed settings: environment variables beat secret files, those beat YAML files, those beat the defaults."""

import os
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    BeforeValidator,
    DirectoryPath,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

MOST_LINES = 10
SHORTEST_SECRET = 32  # characters; what a random 128-bit value has in hexadecimal
EXAMPLE_SECRET = re.compile("change.?me|example|insecure|placeholder", re.IGNORECASE)

S = TypeVar("S", bound="CommonSettings")
Seconds = Annotated[float, Field(ge=0, le=3600)]
Port = Annotated[int, Field(ge=1, le=65535)]
LogLevelName = Annotated[
    Literal["debug", "info", "warning", "error", "critical"],
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
]
Words = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(lambda value: [word.strip() for word in value.split(",")] if isinstance(value, str) else value),
]


class Environment(StrEnum):
    """Where the service runs; ``production`` refuses what only development may have."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class ConfigurationError(Exception):
    """The settings are wrong; the text names each variable and fits a terminal."""


def in_development(values: Mapping[str, Any]) -> bool:
    return values.get("environment") is Environment.DEVELOPMENT


def listening_host(values: Mapping[str, Any]) -> str:
    # Elsewhere than on a developer's machine the container's network decides who gets in.
    return "127.0.0.1" if in_development(values) else "0.0.0.0"  # noqa: S104 - see the line above


class CommonSettings(BaseSettings):
    """What every service type is set up with. The variable of a field is its name in capitals."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    environment: Environment = Field(Environment.DEVELOPMENT, description="development, staging or production")
    config_dir: Path = Field(Path("config"), description="Folder of base.yaml and <environment>.yaml")
    secrets_dir: DirectoryPath | None = Field(None, description="Folder with one file a secret, named as the variable")
    debug: bool = Field(default=False, description="Run the event loop in debug mode: slow callbacks are logged")
    log_level: LogLevelName = Field("info", description="debug, info, warning, error or critical")
    log_format: Literal["json", "console"] = Field(
        default_factory=lambda values: "console" if in_development(values) else "json",
        description="json or console; console in development, else json",
    )
    log_file: Path | None = Field(None, description="Write the log to this file too; rotated daily, kept 14 days")
    log_redact_fields: Words = Field((), description="More field names to mask in the log, separated by commas")
    ops_host: str = Field(default_factory=listening_host, description="Address of probes and metrics")
    ops_port: Port = Field(9000, description="Port of probes and metrics")
    shutdown_drain_seconds: Seconds = Field(
        default_factory=lambda values: 0 if in_development(values) else 5,
        description="How long to serve on after SIGTERM while load balancers look away; 5, or 0 in development",
    )
    shutdown_timeout_seconds: Annotated[Seconds, Field(ge=2)] = Field(
        25, description="The whole of a shutdown, draining included; keep it below the orchestrator's grace period"
    )

    @field_validator("*")
    @classmethod
    def refuse_development_defaults(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("environment") is not Environment.PRODUCTION:
            return value
        if info.field_name == "debug" and value:
            raise ValueError("must be off in production")
        if isinstance(value, SecretStr) and EXAMPLE_SECRET.search(value.get_secret_value()):
            raise ValueError("is an example value; generate a secret of your own for production")
        if isinstance(value, SecretStr) and len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"must have at least {SHORTEST_SECRET} characters in production")
        return value

    @model_validator(mode="after")
    def refuse_contradictions(self) -> "CommonSettings":
        if problems := list(self.contradictions()):
            raise ValueError("\n".join(problems))
        return self

    def contradictions(self) -> Iterator[str]:
        """Yield one line for each setting that does not go with another; subclasses add theirs."""
        if self.shutdown_drain_seconds >= self.shutdown_timeout_seconds:
            yield "SHUTDOWN_DRAIN_SECONDS: must be less than SHUTDOWN_TIMEOUT_SECONDS"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - `just` reads .env, for every tool alike
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - known by SECRETS_DIR only, see below
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        folder = os.environ.get("SECRETS_DIR")
        secrets = (SecretsSettingsSource(settings_cls, folder),) if folder and Path(folder).is_dir() else ()
        files = InitSettingsSource(settings_cls, read_yaml_files(settings_cls))
        return init_settings, env_settings, *secrets, files


def read_yaml_files(settings_type: type[BaseSettings]) -> dict[str, Any]:
    """Read ``base.yaml`` and ``<environment>.yaml`` of the configuration folder, the later one winning.

    Raises:
        ConfigurationError: a file is no YAML mapping, or has a key that no setting has.
    """
    environment = os.environ.get("ENVIRONMENT") or Environment.DEVELOPMENT
    names = ["base", environment] if environment in set(Environment) else ["base"]
    values: dict[str, Any] = {}
    for name in names:
        values |= read_yaml_file(Path(os.environ.get("CONFIG_DIR") or "config") / f"{name}.yaml", settings_type)
    return values


def read_yaml_file(path: Path, settings_type: type[BaseSettings]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read ({type(error).__name__})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigurationError(f"{path}{f', line {mark.line + 1}' if mark else ''}: is not valid YAML") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: must hold settings as `name: value` lines")
    known = settings_type.model_fields.keys() - {"environment", "config_dir", "secrets_dir"}
    if unknown := [str(key) for key in content if key not in known]:
        raise ConfigurationError(f"{path}: {', '.join(unknown)}: no setting of that name can be set in a file")
    return content


def load(settings_type: type[S]) -> S:
    """Build the settings from the environment and the files.

    Raises:
        ConfigurationError: with one line for each wrong variable, never showing a value.
    """
    try:
        return settings_type()
    except ValidationError as error:
        lines = [line for detail in error.errors() for line in explain(detail, settings_type)]
    except SettingsError as error:
        lines = [re.sub(r'^.*field "(\w+)".*$', lambda match: f"{match[1].upper()}: is not valid JSON", str(error))]
    except ConfigurationError as error:
        lines = [str(error)]
    if len(lines) > MOST_LINES - 2:
        rest = [line.split(":")[0] for line in lines[MOST_LINES - 3 :]]
        lines = [*lines[: MOST_LINES - 3], f"and {', '.join(rest)}"]
    raise ConfigurationError("\n".join(f"  {line}" for line in lines))


def explain(detail: ErrorDetails, settings_type: type[BaseSettings]) -> Iterator[str]:
    """One line for each variable: its name, what was expected, and what it is for."""
    if detail["type"] == "default_factory_not_called":
        return  # follows from another setting's error
    message = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:
        yield from message.splitlines()
        return
    name = str(detail["loc"][0])
    expected = "is not set" if detail["type"] == "missing" else message.replace("Input should", "should")
    field = settings_type.model_fields.get(name)
    yield f"{name.upper()}: {expected}" + (f" ({field.description})" if field and field.description else "")


def effective(settings: CommonSettings) -> str:
    """The settings as they are in force, secrets masked, one ``NAME=value`` a line."""
    return "\n".join(f"{name.upper()}={'' if value is None else value}" for name, value in settings)


def env_example(settings_type: type[CommonSettings], chassis_type: type[CommonSettings]) -> str:
    """The text of ``.env.example``: every variable with its meaning and default; the required ones not commented."""
    lines = ["# Every setting; `just env-example` writes this file. An empty value counts as unset."]
    for name, field in settings_type.model_fields.items():
        if name not in chassis_type.model_fields and "# --- This service's own ---" not in lines:
            lines += ["", "# --- This service's own ---"]
        default = field.get_default()
        shown = "" if default in {None, PydanticUndefined, ()} or isinstance(default, SecretStr) else default
        lines += ["", f"# {field.description or name}", f"{'' if field.is_required() else '# '}{name.upper()}={shown}"]
    return "\n".join(lines) + "\n"
