"""Expected errors are facts (``NoteNotFound``): each has a stable code and a kind, the transport decides the rest."""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What sort of fact an error is; an API turns it into a status, a worker into retry or dead letter."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"


class ServiceError(Exception):
    """Base of all expected errors. The text is shown to the caller: no internal names, no secrets.

    Subclasses set ``code`` (stable, for programs) and ``kind``.
    """

    code: ClassVar[str]
    kind: ClassVar[Kind]
