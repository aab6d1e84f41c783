"""One pipeline for every log line, our own and third parties': JSON on stdout, readable text in development."""

import logging
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import TimedRotatingFileHandler
from typing import Any

import orjson
import structlog
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict, Processor

from .request_id import REQUEST_ID
from .settings import CommonSettings

MASK = "**********"
ALWAYS_MASKED = ("password", "secret", "token", "authorization", "cookie", "api_key", "access_token", "refresh_token")
DAYS_KEPT = 14
LEVELS = logging.getLevelNamesMapping()
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
        structlog.get_logger(record.name).log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def configure_logging(settings: CommonSettings, identity: Mapping[str, str], *context: Processor) -> None:
    """Set up logging for the process.

    Args:
        identity: what stands on every line besides level, time and message, such as service and version.
        context: processors that add what a line was written about, such as the route.
    """
    lock = threading.Lock()
    file = None
    if settings.log_file:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        file = TimedRotatingFileHandler(settings.log_file, when="midnight", backupCount=DAYS_KEPT, utc=True)
    masked = frozenset({*ALWAYS_MASKED, *(name.lower() for name in settings.log_redact_fields)})
    structlog.configure(
        processors=[gate, merge_contextvars, *context, finishing(identity, masked), rendering(settings.log_format)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=lambda name="": Lines(name, file, lock),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[ThirdParty()], level=settings.log_level.upper(), force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # the lifecycle says better what starts and stops
    logging.captureWarnings(capture=True)


def finishing(identity: Mapping[str, str], masked: frozenset[str]) -> Processor:
    """One processor instead of six, because each costs every line."""

    def mask(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: MASK if str(key).lower() in masked else mask(inner) for key, inner in value.items()}
        return [mask(inner) for inner in value] if isinstance(value, list) else value

    def finish(logger: Lines, level: str, event: EventDict) -> EventDict:
        if event.get("exc_info"):
            event = structlog.processors.format_exc_info(logger, level, event)
        line = {"timestamp": datetime.now(UTC), "level": level, "message": event.pop("event"), "logger": logger.name}
        line.update(identity)
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        for key, value in event.items():
            line[key] = MASK if key.lower() in masked else mask(value) if isinstance(value, (dict, list)) else value
        return line

    return finish


def rendering(log_format: str) -> Processor:
    if log_format == "json":
        return lambda _, __, line: orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
    console = structlog.dev.ConsoleRenderer(event_key="message", colors=sys.stdout.isatty())
    return lambda logger, level, line: console(logger, level, {**line, "timestamp": str(line["timestamp"])}).encode()
