"""Takes out of what goes to Sentry what must not leave: fields by name, the settings' secrets, mail addresses."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import SecretBytes, SecretStr

from .logging import ALWAYS_MASKED, MASK, plain
from .settings import CommonSettings

SHORTEST = 4  # characters; a shorter secret, which production refuses, is part of ordinary words
CREDENTIALS = r"(?<=://)[^\s/]+(?=@)"
# Bounded, or a long word without an @ would be read again from each of its letters.
MAIL_ADDRESS = r"[\w.+-]{1,64}@[\w.-]{1,255}\.[A-Za-z]{2,}"


def secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, SecretBytes):
        yield value.get_secret_value().decode(errors="replace")
    elif isinstance(value, (dict, list, tuple, set, frozenset)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from secrets_in(inner)


class Scrubber:
    """Masks the fields that the log masks, wherever they are, and in every text secrets, credentials and addresses."""

    def __init__(self, settings: CommonSettings) -> None:
        self.masked = frozenset({*ALWAYS_MASKED, *map(plain, settings.log_redact_fields)})
        secrets = {secret for secret in secrets_in(settings.model_dump()) if len(secret) >= SHORTEST}
        longest_first = map(re.escape, sorted(secrets, key=len, reverse=True))  # one may contain another
        self.private = re.compile("|".join([*longest_first, CREDENTIALS, MAIL_ADDRESS]))

    def __call__(self, value: Any) -> Any:
        """Return a copy of an event, or of a part of it, without all that."""
        if isinstance(value, str):
            return self.private.sub(MASK, value)
        if isinstance(value, dict):
            return {key: MASK if plain(key) in self.masked else self(inner) for key, inner in value.items()}
        return [self(inner) for inner in value] if isinstance(value, (list, tuple)) else value

    def event(self, event: Any, _: object) -> Any:
        """Scrub a whole event. Its outermost names are Sentry's own; of them only the user is what the log calls so."""
        return {name: self(value) for name, value in event.items() if name != "user" or name not in self.masked}
