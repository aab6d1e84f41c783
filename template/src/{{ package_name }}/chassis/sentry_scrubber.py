"""Takes out of what goes to Sentry what must not leave: fields by name, the settings' secrets, mail addresses."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from pydantic import SecretBytes, SecretStr

from .logging import ALWAYS_MASKED, MASK, plain
from .settings import CommonSettings

SHORTEST = 4  # characters; a shorter secret, which production refuses, is part of ordinary words
LINE = 200  # characters; what is not longer is mostly source, and comes again with the next error
QUERY = r"(?<=[^\s(,=]\?)[^\s\"<>]+"
CREDENTIALS = r"(?<=://)[^\s/]+(?=@)"
# Bounded where more must follow, or a long word without an @ would be read again from each of its letters.
MAIL_ADDRESS = r"[\w.+%-]{1,64}(?:@|%40)[\w.-]{1,255}\.[A-Za-z]{2,}"
VALIDATED = ("input", "input_value")  # as pydantic and FastAPI name in an error's text what they were given
QUOTED = r"""[b\\]{0,2}(?:"[^"\\]*(?:\\.[^"\\]*)*"?|'[^'\\]*(?:\\.[^'\\]*)*'?)"""
VALUE = QUOTED + r"|[\w.]{0,100}[\[{(][^\n]*|(?:bearer |basic )?[^\s,;&)}\]]+"  # a structure to its line's end


def secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, (SecretStr, SecretBytes)):
        text = raw.decode(errors="replace") if isinstance(raw := value.get_secret_value(), bytes) else raw
        yield from (text, *map(unquote, re.findall("://[^:]*:(.+)@", text)))  # the password of a URL, too
    elif isinstance(value, (dict, list, tuple, set, frozenset)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from secrets_in(inner)


class Scrubber:
    """Masks the fields that the log masks, wherever they are, and in every text secrets, credentials and addresses."""

    def __init__(self, settings: CommonSettings, drop: Callable[[str], None]) -> None:
        self.masked, self.drop = frozenset({*ALWAYS_MASKED, *map(plain, settings.log_redact_fields)}), drop
        secrets = sorted({s for s in secrets_in(settings.model_dump()) if len(s) >= SHORTEST}, key=len, reverse=True)
        letters = [[{char, quote(char, safe=""), quote_plus(char)} for char in secret] for secret in secrets]
        written = ["".join(f"(?:{'|'.join(map(re.escape, forms))})" for forms in secret) for secret in letters]
        self.secret = re.compile("|".join(written) or "(?!)", re.IGNORECASE)  # longest first: one may contain another
        names = "|".join(re.escape(name).replace("_", "[_-]") for name in {*self.masked, *VALIDATED} if name)
        named = rf"((?<!\w)(?:{names})" + r"[\\\"']{0,4}\s{0,4}[:=](?!=)\s{0,4})" + f"(?:{VALUE})"
        self.private = re.compile("|".join([QUERY, CREDENTIALS, MAIL_ADDRESS, named]), re.IGNORECASE | re.DOTALL)
        self.line = lru_cache(4096)(self.text)

    def text(self, value: str) -> str:
        return self.private.sub(rf"\1{MASK}", self.secret.sub(MASK, value))

    def __call__(self, value: Any) -> Any:
        """Return a copy of an event, or of a part of it, without all that."""
        if isinstance(value, str):
            return (self.line if len(value) <= LINE else self.text)(value)
        if isinstance(value, Mapping):
            fields = {k.decode(errors="replace") if isinstance(k, bytes) else str(k): v for k, v in value.items()}
            return {self(name): MASK if plain(name) in self.masked else self(inner) for name, inner in fields.items()}
        return [self(inner) for inner in value] if isinstance(value, (list, tuple)) else value

    def event(self, event: Any, _: object) -> Any:
        """Scrub a whole event. Its outermost names are Sentry's own; of them only the user is what the log calls so."""
        try:
            return {name: self(value) for name, value in event.items() if name != "user" or name not in self.masked}
        except Exception:  # noqa: BLE001 - a cycle, a name that cannot be printed: what cannot be scrubbed is not sent
            return self.drop("unscrubbable")
