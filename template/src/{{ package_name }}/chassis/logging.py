"""One pipeline for every log line, our own and third parties': JSON on stdout, readable text in development."""

import json
import logging
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from logging.handlers import TimedRotatingFileHandler
from typing import Any

import orjson
import structlog
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict, Processor

from .request_id import REQUEST_ID
from .settings import CommonSettings

MASK = "**********"
DEEPEST = 20  # what is nested deeper, or holds itself, is cut
ALWAYS_MASKED = ("password", "secret", "token", "access_token", "refresh_token", "api_key", "x_api_key")
ALWAYS_MASKED += ("authorization", "proxy_authorization", "cookie", "set_cookie")
LEVELS = {name: getattr(logging, name) for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")}
ROOT = logging.getLogger()


def set_level(name: str) -> None:
    """Drop lines below a level from now on. Raises ValueError for a name that is not a level."""
    if name.upper() not in LEVELS:
        raise ValueError(f"{name!r} is not one of debug, info, warning, error, critical")
    ROOT.setLevel(name.upper())


def gate(_: object, method: str, event: EventDict) -> EventDict:
    if LEVELS.get(method.upper(), logging.ERROR) < ROOT.level:
        raise structlog.DropEvent
    return event


@dataclass
class Lines:
    """Where the finished lines of one logger go: stdout, and the daily file when there is one. Safe from any thread."""

    name: str
    file: TimedRotatingFileHandler | None
    lock: threading.Lock

    def write(self, line: bytes) -> None:
        with self.lock, suppress(OSError):  # whoever reads the log may have gone; the work goes on
            sys.stdout.buffer.write(line + b"\n")
            sys.stdout.buffer.flush()
        if self.file:
            self.file.handle(logging.makeLogRecord({"msg": line.decode()}))

    debug = info = warning = error = critical = exception = msg = write


class ThirdParty(logging.Handler):
    """Sends what libraries log through the standard library down our own pipeline."""

    def emit(self, record: logging.LogRecord) -> None:
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        with suppress(Exception):  # a library's bad format must not fail the work that it reports
            structlog.get_logger(record.name).log(level, record.getMessage(), exc_info=record.exc_info)


def configure_logging(settings: CommonSettings, identity: Mapping[str, str], *context: Processor) -> None:
    """Set up logging for the process. ``identity`` stands on every line, ``context`` adds what it was written about."""
    lock, file = threading.Lock(), None
    if settings.log_file:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        file = TimedRotatingFileHandler(settings.log_file, when="midnight", backupCount=14, utc=True)
    masked = frozenset({*ALWAYS_MASKED, *map(plain, settings.log_redact_fields)})
    structlog.configure(
        processors=[gate, merge_contextvars, *context, finishing(identity, masked), rendering(settings.log_format)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=lambda name="": Lines(name, file, lock),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[ThirdParty()], level=settings.log_level.upper(), force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # the lifecycle says better what starts and stops
    logging.captureWarnings(capture=True)  # and what else the interpreter would print, over many lines:
    # pyrefly: ignore[implicit-any-lambda] - two kinds of tuples that begin alike
    sys.unraisablehook = threading.excepthook = lambda what: ROOT.error("nobody caught this", exc_info=what[:3])


def finishing(identity: Mapping[str, str], masked: frozenset[str]) -> Processor:
    """One processor instead of six, because each costs every line."""

    def mask(value: Any, deeper: int = DEEPEST) -> Any:
        if isinstance(value, (str, int, float)) or not deeper:
            return value if deeper else "..."
        if fields := getattr(type(value), "__dataclass_fields__", None) or getattr(type(value), "model_fields", None):
            value = {name: getattr(value, name, None) for name in fields}
        if isinstance(value, dict):
            return {key: MASK if plain(key) in masked else mask(inner, deeper - 1) for key, inner in value.items()}
        return [mask(inner, deeper - 1) for inner in value] if isinstance(value, (list, tuple)) else value

    def finish(logger: Lines, level: str, event: EventDict) -> EventDict:
        line = {"timestamp": datetime.now(UTC), "level": level, "message": event.pop("event"), "logger": logger.name}
        line.update(identity)
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if exc_info := event.pop("exc_info", None):
            event = structlog.processors.format_exc_info(logger, level, {**event, "exc_info": exc_info})
        return {**mask(event), **line}

    return finish


@lru_cache(1024)  # every line has the same few names
def plain(name: object) -> str:
    return str(name).lower().replace("-", "_")


def rendering(log_format: str) -> Processor:
    def as_json(_: object, __: str, line: EventDict) -> bytes:
        try:
            return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
        except TypeError:  # an integer beyond 64 bits, half a surrogate pair, an object that cannot be printed
            return json.dumps(line, default=repr, skipkeys=True).encode()

    if log_format == "json":
        return as_json
    console = structlog.dev.ConsoleRenderer(event_key="message", colors=sys.stdout.isatty())
    return lambda logger, level, line: console(logger, level, {**line, "timestamp": str(line["timestamp"])}).encode()
