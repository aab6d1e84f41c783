"""A platform team's defaults: `new-service/config.toml` in the user's or the system's configuration directory."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .errors import UsageError, unknown_name

_KEYS: Final = ("template", "ref", "answers")


@dataclass(frozen=True)
class Defaults:
    """What an organisation decided for its people; they may still decide otherwise."""

    template: str | None = None
    ref: str | None = None
    answers: Mapping[str, object] = field(default_factory=dict)


def read_defaults() -> Defaults:
    """Read both files, the user's above the system's, key by key. Raises UsageError with path and key."""
    merged = Defaults()
    for path in config_files():
        found = _read(path)
        # A release belongs to the template that it was named with.
        ref = found.ref if found.template or found.ref else merged.ref
        merged = Defaults(found.template or merged.template, ref, {**merged.answers, **found.answers})
    return merged


def choose_template(
    source: str | None, ref: str | None, defaults: Defaults | None = None
) -> tuple[str | None, str | None]:
    """Return which template and version to use: what the command line names, or else the organisation's."""
    defaults = defaults or read_defaults()
    if source is not None:
        return source, ref  # a version that the organisation names is one of its own template
    return defaults.template, ref or defaults.ref


def config_files() -> Sequence[Path]:
    """Return the configuration files that exist, the one that decides last."""
    from platformdirs import site_config_path, user_config_path  # noqa: PLC0415 - not needed for --help

    folders = [site_config_path("new-service", appauthor=False), user_config_path("new-service", appauthor=False)]
    return [folder / "config.toml" for folder in folders if (folder / "config.toml").is_file()]


def _read(path: Path) -> Defaults:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "correct or remove it") from error
    for key in content:
        if key not in _KEYS:
            raise unknown_name("key", key, _KEYS, where=f" in {path}")
    for key in ("template", "ref"):
        if not isinstance(content.get(key, ""), str):
            raise UsageError(f"{key} in {path} is not text", f'write {key} = "…"')
    answers = content.get("answers", {})
    if not isinstance(answers, dict):
        raise UsageError(f"answers in {path} is not a table", "write [answers], and below it question = value")
    return Defaults(content.get("template"), content.get("ref"), answers)
