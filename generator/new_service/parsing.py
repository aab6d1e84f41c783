"""Turns what a person or a file says into an answer of the type that the question names."""

import json

import yaml

from .errors import shown

SCALAR_TYPES = frozenset({"str", "bool", "int", "float"})
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0", "~", "null", "none", ""})


class InvalidAnswer(ValueError):
    """An answer that the question does not allow; `hint` says what it does allow, where that can be listed."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def read_yaml(text: str) -> object:
    """Return what a text of YAML says. Raises ValueError with the reason in one line."""
    try:
        return yaml.safe_load(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError) as error:
        # All but the first come of a tag that does not fit its value, such as !!bool x.
        raise ValueError(" ".join(str(error).split())) from error


def to_bool(value: object) -> bool:
    """Read a condition of copier.yml: a bool, or text that says yes or no in YAML's words."""
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    return word in _TRUE or word not in _FALSE


def parse_scalar(type_name: str, raw: object) -> object:
    """Return one value in the named type. Raises InvalidAnswer."""
    try:
        return _PARSERS[type_name](raw)
    except InvalidAnswer:
        raise
    except KeyError:
        raise InvalidAnswer(f"the template gives it the unknown type {type_name!r}") from None
    except (TypeError, ValueError):
        raise InvalidAnswer(f"{shown(raw)} is not of type {type_name}") from None


def split_list(raw: object) -> list[object]:
    """Return the items of a list, of a YAML list in text, or of text with commas. Raises InvalidAnswer."""
    if isinstance(raw, str):
        try:
            raw = read_yaml(raw) if raw.lstrip().startswith("[") else [part.strip() for part in raw.split(",")]
        except ValueError:
            raise InvalidAnswer(f"{shown(raw)} is not a list") from None
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise InvalidAnswer(f"{shown(raw)} is not a list")
    return [item for item in raw if item != ""]


def _text(raw: object) -> str:
    # YAML reads 3.13 as a number; anything else than a scalar was not meant as text.
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise InvalidAnswer(f"{shown(raw)} is not text")
    return str(raw)


def _bool(raw: object) -> bool:
    word = raw.strip().lower() if isinstance(raw, str) else shown(raw).lower()
    if word not in _TRUE | _FALSE:
        raise InvalidAnswer(f"{shown(raw)} is neither yes nor no")
    return word in _TRUE


def _int(raw: object) -> int:
    return int(_text(raw))


def _float(raw: object) -> float:
    return float(_text(raw))


def _yaml(raw: object) -> object:
    return read_yaml(raw) if isinstance(raw, str) else raw


def _json(raw: object) -> object:
    return json.loads(raw) if isinstance(raw, str) else raw


_PARSERS = {"str": _text, "path": _text, "bool": _bool, "int": _int, "float": _float, "yaml": _yaml, "json": _json}
