"""Errors to Sentry: whatever the log tells with a traceback at level error or above. Nothing without a DSN."""

import sys
import time
from collections.abc import Mapping
from typing import Annotated

from prometheus_client import CollectorRegistry, Counter
from pydantic import AfterValidator, Field, SecretStr
from structlog.typing import EventDict, Processor

from .request_id import REQUEST_ID
from .sentry_scrubber import Scrubber
from .settings import CommonSettings

PER_SECOND = 10.0  # events, and traces; one takes a millisecond, and a storm must not become the outage
BURST = 100  # errors at once; of traces, which are a sample anyway, a second's worth
FLUSH_SECONDS = 2.0


def usable(dsn: SecretStr) -> SecretStr:
    from sentry_sdk.utils import Dsn  # noqa: PLC0415 - 0.2 s of every start, which nobody pays without a DSN

    try:
        Dsn(dsn.get_secret_value())
    except ValueError:
        raise ValueError("is not a DSN; copy it from the project's settings in Sentry") from None  # it shows the value
    return dsn


class SentrySettings(CommonSettings):
    """What Sentry is set up with."""

    sentry_dsn: Annotated[SecretStr, AfterValidator(usable)] | None = Field(
        None, description="Where errors and traces are sent; nothing is without it"
    )
    sentry_traces_sample_rate: float = Field(0.1, ge=0, le=1, description="Share of the work whose trace is sent")


class Allowance:
    """Lets ``burst`` pass at once, and ``PER_SECOND`` after that; the rest is counted."""

    def __init__(self, burst: float, excess: Counter) -> None:
        self.burst, self.excess, self.spent_until = burst, excess, 0.0

    def take(self) -> bool:
        now = time.monotonic()
        spent_until = max(self.spent_until, now) + 1 / PER_SECOND
        if granted := spent_until - now < (self.burst + 0.5) / PER_SECOND:  # sums of times are not exact
            self.spent_until = spent_until
        else:
            self.excess.inc()
        return granted


class Sentry:
    """Sends errors in the background, scrubbed, and not more of them than the service can bear."""

    def __init__(self, settings: SentrySettings, identity: Mapping[str, str], registry: CollectorRegistry) -> None:
        self.settings, self.identity = settings, identity
        self.dropped = Counter("sentry_dropped_total", "Not sent to Sentry", ["reason"], registry=registry)
        self.allowance = Allowance(BURST, self.dropped.labels("too_many_errors"))

    def start(self) -> tuple[Processor, ...]:
        """Get ready to send; the log processors that do it, none without a DSN."""
        if self.settings.sentry_dsn is None:
            return ()
        import sentry_sdk  # noqa: PLC0415 - see above

        self.sdk, scrub = sentry_sdk, Scrubber(self.settings, self.drop)
        sentry_sdk.init(
            dsn=self.settings.sentry_dsn.get_secret_value(),
            release=f"{self.identity['service']}@{self.identity['version']}",
            environment=self.identity["environment"],
            default_integrations=False,  # they cost each request more than the rest of the chassis together
            include_local_variables=False,
            in_app_include=[__name__.partition(".")[0]],
            traces_sample_rate=self.settings.sentry_traces_sample_rate,
            before_send=scrub.event,
            before_send_transaction=scrub.event,
        )
        # The SDK makes a text of what is nested deeply, and in a text names are not seen: so once before that, too.
        sentry_sdk.get_global_scope().add_event_processor(scrub.event)
        for forget in (sentry_sdk.Scope.set_isolation_scope, sentry_sdk.Scope.set_current_scope):
            forget(None)  # pyrefly: ignore[bad-argument-type] - as new contexts have it, or all requests would share one
        sentry_sdk.get_client().transport.on_dropped_event = self.drop  # pyrefly: ignore[missing-attribute] - its hook
        return (self.capture,)

    def capture(self, _: object, level: str, line: EventDict) -> EventDict:
        """Log processor: send the error of a line, once wherever else it is logged."""
        if (exc := line.get("exc_info")) and level in {"error", "critical"}:
            error = exc if isinstance(exc, BaseException) else (exc if isinstance(exc, tuple) else sys.exc_info())[1]
            if error and vars(error).setdefault("seen_by_sentry", mark := object()) is mark and self.allowance.take():
                self.send(error, level, line)
        return line

    def send(self, error: BaseException, level: str, line: EventDict) -> None:
        fields = {name: value for name, value in line.items() if name not in {"event", "exc_info", "route", "user"}}
        with self.sdk.isolation_scope() as scope:
            scope.set_level("fatal" if level == "critical" else "error")
            if request_id := REQUEST_ID.get():
                scope.set_tag("request_id", request_id)
            if route := line.get("route"):
                scope.set_tag("route", route)
                scope.set_transaction_name(route, source="route")
            if user := line.get("user"):
                scope.set_user({"id": str(user)})
            scope.set_extra("log", {"message": line["event"], **fields})
            self.sdk.capture_exception(error)

    def drop(self, reason: str) -> None:
        self.dropped.labels(reason).inc()

    def flush(self, seconds: float) -> None:
        """Wait until what is on its way has been sent, but not longer than ``seconds``."""
        if self.settings.sentry_dsn:
            self.sdk.flush(timeout=min(FLUSH_SECONDS, seconds))
