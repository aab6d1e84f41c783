"""Expected errors are facts (``NoteNotFound``): each has a stable code and a kind, the transport decides the rest."""

from enum import IntEnum
from typing import ClassVar


class Kind(IntEnum):
    """What sort of fact an error is, numbered as HTTP numbers it; other transports map it to what they have."""

    UNAUTHENTICATED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    CONFLICT = 409
    INVALID = 422
    LIMITED = 429
    UNAVAILABLE = 503


class ServiceError(Exception):
    """Base of all expected errors; its text is shown to the caller, so no internal names and no secrets in it."""

    code: ClassVar[str]  # stable, for programs
    kind: ClassVar[Kind]
