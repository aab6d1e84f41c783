"""Errors to Sentry: whatever the log tells with a traceback at level error or above. Nothing without a DSN."""

import sys
import time
from collections.abc import Mapping
from typing import Annotated, Literal

from prometheus_client import CollectorRegistry, Counter
from pydantic import AfterValidator, Field, SecretStr
from structlog.typing import EventDict, Processor

from .request_id import REQUEST_ID
from .sentry_scrubber import Scrubber
from .settings import CommonSettings

LEVELS: dict[str, Literal["error", "fatal"]] = {"error": "error", "critical": "fatal"}  # in the log: in Sentry
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
    """Lets ``burst`` pass at once, and ``PER_SECOND`` after that."""

    def __init__(self, burst: float) -> None:
        self.burst, self.spent_until = burst, 0.0

    def take(self) -> bool:
        now = time.monotonic()
        spent_until = max(self.spent_until, now) + 1 / PER_SECOND
        if granted := spent_until - now < (self.burst + 0.5) / PER_SECOND:  # sums of times are not exact
            self.spent_until = spent_until
        return granted


class Sentry:
    """Sends errors in the background, scrubbed, and not more of them than the service can bear."""

    def __init__(self, settings: SentrySettings, identity: Mapping[str, str], registry: CollectorRegistry) -> None:
        self.settings, self.identity = settings, identity
        self.dropped = Counter("sentry_dropped_total", "Not sent to Sentry", ["reason"], registry=registry)
        self.allowance = Allowance(BURST)

    def start(self) -> tuple[Processor, ...]:
        """Get ready to send; the log processors that do it, none without a DSN."""
        if self.settings.sentry_dsn is None:
            return ()
        import sentry_sdk  # noqa: PLC0415 - see above
        from sentry_sdk.integrations.dedupe import DedupeIntegration  # noqa: PLC0415 - see above

        scrub = Scrubber(self.settings)
        sentry_sdk.init(
            dsn=self.settings.sentry_dsn.get_secret_value(),
            release=f"{self.identity['service']}@{self.identity['version']}",
            environment=self.identity["environment"],
            default_integrations=False,  # they cost each request more than the rest of the chassis together
            auto_enabling_integrations=False,
            integrations=[DedupeIntegration()],  # an error that is logged again on its way up is one event
            include_local_variables=False,
            in_app_include=[__name__.partition(".")[0]],
            traces_sample_rate=self.settings.sentry_traces_sample_rate,
            before_send=scrub.event,
            before_send_transaction=scrub.event,
        )
        self.sdk = sentry_sdk
        # The SDK makes a text of what is nested deeply, and in a text names are not seen: so once before that, too.
        sentry_sdk.get_global_scope().add_event_processor(scrub.event)
        for forget in (sentry_sdk.Scope.set_isolation_scope, sentry_sdk.Scope.set_current_scope):
            # pyrefly: ignore[bad-argument-type] - none is what a new context has, too
            forget(None)  # or all requests would share what importing the SDK has made in this context
        # pyrefly: ignore[missing-attribute] - with a DSN there is a transport, and this is its hook
        sentry_sdk.get_client().transport.on_dropped_event = self.drop
        return (self.capture,)

    def capture(self, _: object, level: str, line: EventDict) -> EventDict:
        """Log processor: send the error of a line."""
        if (told := line.get("exc_info")) and level in LEVELS:
            error = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
            if error and self.allowance.take():
                self.send(error, level, line)
            elif error:
                self.drop("too_many_errors")
        return line

    def send(self, error: BaseException, level: str, line: EventDict) -> None:
        fields = {name: value for name, value in line.items() if name not in {"event", "exc_info", "route", "user"}}
        with self.sdk.isolation_scope() as scope:
            scope.set_level(LEVELS[level])
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
