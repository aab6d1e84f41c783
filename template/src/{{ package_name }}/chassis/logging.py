"""One pipeline for every log line, our own and third parties': JSON on stdout, readable text in development."""

import logging
import sys
import threading
from collections.abc import Mapping, MutableMapping
from logging.handlers import TimedRotatingFileHandler
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor

from .request_id import REQUEST_ID
from .settings import CommonSettings

MASK = "**********"
ALWAYS_REDACTED = {"password", "secret", "token", "authorization", "cookie", "api_key", "access_token", "refresh_token"}
DAYS_KEPT = 14


class LogLevel:
    """The level below which lines are dropped; the ops server changes it while the service runs."""

    def __init__(self, name: str) -> None:
        self.set(name)

    def set(self, name: str) -> None:
        """Switch the level. Raises ValueError for a name that is not a level."""
        levels = logging.getLevelNamesMapping()
        if name.upper() not in levels:
            raise ValueError(f"{name!r} is not one of debug, info, warning, error, critical")
        self.number = levels[name.upper()]
        logging.getLogger().setLevel(self.number)

    def gate(self, _: object, method: str, event: EventDict) -> EventDict:
        if logging.getLevelNamesMapping().get(method.upper(), logging.ERROR) < self.number:
            raise structlog.DropEvent
        return event


class Lines:
    """Where the finished lines of one logger go: stdout, and the daily file when there is one. Safe from any thread."""

    lock = threading.Lock()

    def __init__(self, name: str, file: TimedRotatingFileHandler | None) -> None:
        self.name = name
        self.file = file

    def write(self, line: bytes) -> None:
        try:
            with self.lock:
                sys.stdout.buffer.write(line + b"\n")
                sys.stdout.buffer.flush()
        except OSError:  # whoever read the log has gone; the work goes on
            pass
        if self.file:
            self.file.handle(logging.makeLogRecord({"msg": line.decode()}))

    debug = info = warning = error = critical = exception = msg = write


class ThirdParty(logging.Handler):
    """Sends what libraries log through the standard library down our own pipeline."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger(record.name)
        logger.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def configure_logging(settings: CommonSettings, identity: Mapping[str, str], *context: Processor) -> LogLevel:
    """Set up logging for the process.

    Args:
        identity: what stands on every line besides level, time and message, such as service and version.
        context: processors that add what a line was written about, such as the route.

    Returns:
        the level, to be changed at run time.
    """
    level = LogLevel(settings.log_level)
    file = daily_file(settings)
    structlog.configure(
        processors=[
            level.gate,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            identify(identity),
            *context,
            redact(ALWAYS_REDACTED | {name.lower() for name in settings.log_redact_fields}),
            structlog.processors.EventRenamer("message"),
            renderer(settings.log_format),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=lambda name="": Lines(name, file),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[ThirdParty()], level=level.number, force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # the lifecycle says better what starts and stops
    logging.captureWarnings(capture=True)
    return level


def daily_file(settings: CommonSettings) -> TimedRotatingFileHandler | None:
    if settings.log_file is None:
        return None
    settings.log_file.parent.mkdir(parents=True, exist_ok=True)
    return TimedRotatingFileHandler(settings.log_file, when="midnight", backupCount=DAYS_KEPT, utc=True)


def identify(identity: Mapping[str, str]) -> Processor:
    def add(logger: Lines, _: str, event: EventDict) -> EventDict:
        event.update(identity, logger=logger.name)
        if request_id := REQUEST_ID.get():
            event["request_id"] = request_id
        return event

    return add


def redact(names: set[str]) -> Processor:
    def mask(values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in values.items():
            if key.lower() in names:
                values[key] = MASK
            elif isinstance(value, dict):
                values[key] = mask(dict(value))
        return values

    return lambda _, __, event: mask(event)


def renderer(log_format: str) -> Processor:
    if log_format == "console":
        console = structlog.dev.ConsoleRenderer(event_key="message")
        return lambda logger, name, event: console(logger, name, event).encode()
    return structlog.processors.JSONRenderer(serializer=orjson.dumps, default=str)
