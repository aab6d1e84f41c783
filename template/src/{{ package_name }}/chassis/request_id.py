"""The id of what is being worked on (a request, an update, a job): taken from outside if harmless, else made here."""

import os
import re
from contextvars import ContextVar

HARMLESS = re.compile(rb"[A-Za-z0-9._-]{1,64}")
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C Trace Context

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")


def take_request_id(request_id: bytes = b"", traceparent: bytes = b"") -> str:
    """Choose the id of a piece of work, the caller's if it is harmless; everything logged meanwhile carries it."""
    traced = TRACEPARENT.fullmatch(traceparent)
    chosen = request_id if HARMLESS.fullmatch(request_id) else traced[1] if traced else os.urandom(16).hex().encode()
    REQUEST_ID.set(chosen.decode())
    return REQUEST_ID.get()
