"""Reads a file of answers: YAML, so JSON and the answers file of another project are fine, too."""

from pathlib import Path
from typing import Final

from .errors import UsageError
from .parsing import read_yaml

_MOST_BYTES: Final = 65_536  # twenty times what a template asks; reading YAML of a megabyte takes seconds


def read_answers_file(path: Path) -> dict[str, object]:
    """Return question and answer; what Copier records about the template itself is left out. Raises UsageError."""
    return {name: value for name, value in read_mapping(path).items() if not name.startswith("_")}


def read_mapping(path: Path) -> dict[str, object]:
    """Return all that the file says. Raises UsageError."""
    text = _read(path)
    try:
        content = read_yaml(text)
    except ValueError as error:
        raise UsageError(f"the answers file {path} is not YAML: {error}", "write lines of question: value") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError(f"the answers file {path} holds no mapping", "write lines of question: value")
    return {str(name): value for name, value in content.items()}


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)  # bounded, because it may be a device or a pipe without end
        if len(content) > _MOST_BYTES:
            raise UsageError(f"the answers file {path} has over {_MOST_BYTES} bytes", "name one with answers only")
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"the answers file {path} cannot be read: {reason}", "name a YAML file") from error
