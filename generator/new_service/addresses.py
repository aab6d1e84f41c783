"""Addresses of templates: which are a network's, and how projects record them."""

import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

SHORTCUTS: Final = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
_URL: Final = re.compile(r"^(git\+)?(https?|ssh|git)://|^[\w.-]+@[\w.-]+:|^g[hl]:")
_COPIER_KNOWS: Final = ("git@", "git://", "git+", "https://github.com/", "https://gitlab.com/")


def is_url(address: str) -> bool:
    """Tell whether others can reach it, too: a path and a file:// URL are this machine's."""
    return bool(_URL.match(address))


def recorded_url(url: str) -> str:
    """Return a URL as projects record it: no credentials, and in a form that plain Copier takes for git's."""
    for shortcut, start in SHORTCUTS.items():
        if url.startswith(shortcut):
            return f"{start}{url.removeprefix(shortcut).strip('/').removesuffix('.git')}.git"
    parts = urlsplit(url)
    if parts.scheme and "@" in parts.netloc:
        user, host = parts.netloc.rsplit("@", 1)
        # ssh needs the account's name; a web server only ever gets a token there.
        keep = f"{user.split(':')[0]}@" if "ssh" in parts.scheme else ""
        url = urlunsplit(parts._replace(netloc=f"{keep}{host}"))
    return url if url.endswith(".git") or url.startswith(_COPIER_KNOWS) else f"git+{url}"


def is_same(one: str, other: str) -> bool:
    """Tell whether two addresses, as they are recorded, mean the same repository."""
    plain = [recorded_url(address).removeprefix("git+").removesuffix(".git") for address in (one, other)]
    return plain[0] == plain[1]
