"""Typed settings: environment variables beat secret files, those beat YAML files, those beat the defaults."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

import pydantic_settings as sources
import yaml
from pydantic import BeforeValidator, DirectoryPath, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ValidationInfo

MOST_LINES = 8
EVERYWHERE = "0.0.0.0"  # noqa: S104 - the container's network decides who gets in
SHORTEST_SECRET = 32  # characters; what a random 128-bit value has in hexadecimal
EXAMPLE_SECRET = re.compile("change.?me|example|insecure|placeholder", re.IGNORECASE)

S = TypeVar("S", bound="CommonSettings")
Seconds = Annotated[float, Field(ge=0, le=3600)]
Positive = Annotated[int, Field(ge=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
LowerCase = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
Environment = Literal["development", "staging", "production"]
LogLevel = Annotated[Literal["debug", "info", "warning", "error", "critical"], LowerCase]
Listed = BeforeValidator(lambda value: re.split(r"\s*,\s*", value.strip()) if isinstance(value, str) else value)
Words = Annotated[tuple[str, ...], sources.NoDecode, Listed]


class ConfigurationError(Exception):
    """The settings are wrong; the text names each variable, shows no value and fits a terminal."""


def varying(development: Any, elsewhere: Any, description: str) -> Any:
    """A field whose default depends on where the service runs."""

    def default(given: Mapping[str, Any]) -> Any:
        return development if given.get("environment") == "development" else elsewhere

    return Field(default_factory=default, description=description)


class CommonSettings(sources.BaseSettings):
    """What every service type is set up with. The variable of a field is its name in capitals."""

    model_config = sources.SettingsConfigDict(
        env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    environment: Environment = Field("development", description="Where it runs; production is the strictest")
    config_dir: DirectoryPath = Field(Path("config"), description="Folder of base.yaml and <environment>.yaml")
    secrets_dir: DirectoryPath | None = Field(None, description="Folder with one file a secret, named as the variable")
    debug: bool = Field(default=False, description="Run the event loop in debug mode: slow callbacks are logged")
    log_level: LogLevel = Field("info", description="Lines below it are dropped")
    log_format: Literal["json", "console"] = varying("console", "json", "json, or console, the default in development")
    log_file: Path | None = Field(None, description="Write the log to this file too; rotated daily, kept 14 days")
    log_redact_fields: Words = Field((), description="More field names to mask in the log, separated by commas")
    ops_host: str = varying("127.0.0.1", EVERYWHERE, "Address of probes and metrics")
    ops_port: Port = Field(9000, description="Port of probes and metrics")
    call_timeout_seconds: Seconds = Field(5, gt=0, description="Until an outbound call must have ended, in all")
    shutdown_drain_seconds: Seconds = varying(0, 5, "How long to serve on after SIGTERM; 5, or 0 in development")
    shutdown_timeout_seconds: Seconds = Field(25, ge=2, description="The whole of a shutdown, draining included")

    @field_validator("*")
    @classmethod
    def refuse_development_defaults(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("environment") != "production":
            return value
        if info.field_name == "debug" and value:
            raise ValueError("must be off in production")
        if isinstance(value, SecretStr) and EXAMPLE_SECRET.search(value.get_secret_value()):
            raise ValueError("is an example value; generate a secret of your own for production")
        if isinstance(value, SecretStr) and len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"must have at least {SHORTEST_SECRET} characters in production")
        return value

    @model_validator(mode="after")
    def refuse_contradictions(self) -> Self:
        if problems := list(self.contradictions()):
            raise ValueError("\n".join(problems))
        return self

    def contradictions(self) -> Iterator[str]:
        """Yield one line for each setting that does not go with another; subclasses add theirs."""
        if self.shutdown_drain_seconds >= self.shutdown_timeout_seconds:
            yield "SHUTDOWN_DRAIN_SECONDS: must be less than SHUTDOWN_TIMEOUT_SECONDS"

    @classmethod
    # pyrefly: ignore[bad-override] - the caller passes the sources by name, so they can be gathered
    def settings_customise_sources(cls, settings_cls: Any, **given: Any) -> tuple[Any, ...]:
        folder = os.environ.get("SECRETS_DIR") or ""
        secrets = [sources.SecretsSettingsSource(settings_cls, folder)] if Path(folder).is_dir() and folder else []
        config = Path(os.environ.get("CONFIG_DIR") or "config")
        environment = os.environ.get("ENVIRONMENT") or "development"
        files = [config / f"{name}.yaml" for name in ("base", *get_args(Environment)) if name in {"base", environment}]
        yaml_files = sources.YamlConfigSettingsSource(settings_cls, files)
        return given["init_settings"], given["env_settings"], *secrets, yaml_files


def load(settings_type: type[S]) -> S:
    """Build the settings from the environment and the files. Raises ConfigurationError."""
    try:
        settings = settings_type()
        if settings.environment == (os.environ.get("ENVIRONMENT") or "development"):
            return settings
        lines = ["ENVIRONMENT: must be set as a variable, because it chooses the file"]
    except ValidationError as error:
        lines = [line for detail in error.errors() for line in explain(detail, settings_type)]
    except sources.SettingsError as error:
        lines = [re.sub(r'.*field "(\w+)".*', lambda found: f"{found[1].upper()}: cannot be read", str(error))]
    except (yaml.YAMLError, OSError, ValueError, AttributeError, TypeError) as error:  # a file that is no mapping
        mark = getattr(error, "problem_mark", None)
        lines = [f"{mark.name}, line {mark.line + 1}: is not valid YAML" if mark else f"CONFIG_DIR: {error}"]
    if len(lines) > MOST_LINES:
        rest = ", ".join(line.split(":")[0] for line in lines[MOST_LINES - 1 :])
        lines = [*lines[: MOST_LINES - 1], f"also wrong: {rest}"]
    raise ConfigurationError("\n".join(f"  {line}" for line in lines))


def explain(detail: ErrorDetails, settings_type: type[sources.BaseSettings]) -> list[str]:
    """One line for each variable: its name, what was expected, and what it is for."""
    message = detail["msg"].removeprefix("Value error, ").replace("Input should", "should")
    if detail["type"] == "default_factory_not_called":
        return []  # follows from another setting's error
    if not detail["loc"]:
        return message.splitlines()
    name = str(detail["loc"][0])
    if (field := settings_type.model_fields.get(name)) is None:
        return [f"{name.upper()}: there is no such setting; look into the files of CONFIG_DIR"]
    expected = "is not set" if detail["type"] == "missing" else message
    return [f"{name.upper()}: {expected} ({field.description or 'see the settings'})"]
