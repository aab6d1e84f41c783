"""Reads a file of answers: YAML, so JSON and the answers file of another project are fine, too."""

from pathlib import Path

import yaml

from .errors import UsageError


def read_answers_file(path: Path) -> dict[str, object]:
    """Return question and answer; what Copier records about the template itself is left out. Raises UsageError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"the answers file {path} cannot be read: {reason}", "name a YAML file") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"the answers file {path} is not YAML: {reason}", "write lines of question: value") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError(f"the answers file {path} holds no mapping", "write lines of question: value")
    return {str(name): value for name, value in content.items() if not str(name).startswith("_")}
