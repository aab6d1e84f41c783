"""Rate limit by user and by chat, in process: whoever sends too much is told so once, then not answered."""

import math
import time

from prometheus_client import CollectorRegistry, Counter
from pydantic import Field

from .settings import CommonSettings

MOST_SENDERS = 100_000  # of each kind; whoever was silent longest makes room
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
RATE = r"^[1-9]\d{0,6}/(second|minute|hour|day)$"
ROUNDING = 1e-6  # seconds; what adding up times may be off by


class RateLimitSettings(CommonSettings):
    """What the rate limit is set up with."""

    rate_limit_user: str = Field("30/minute", pattern=RATE, description="Updates of a user a second, minute, hour, day")
    rate_limit_chat: str = Field("60/minute", pattern=RATE, description="Updates of a chat a second, minute, hour, day")


class Allowances:
    """Generic cell rate algorithm: one time per sender, and no window whose edge lets twice as much through."""

    def __init__(self, rate: str, most: int = MOST_SENDERS) -> None:
        amount, _, unit = rate.partition("/")
        self.period, self.most = SECONDS[unit], most
        self.step = self.period / int(amount)
        self.full_again: dict[int, float] = {}  # sender: when it has its whole allowance again; least recent first
        self.told_until: dict[int, float] = {}  # sender: until when a refusal has been told

    def take(self, sender: int) -> tuple[float, bool]:
        """Seconds until the next one is granted, 0 when this one is; and whether to tell: once a period."""
        now = time.monotonic()
        full_again = max(self.full_again.pop(sender, now), now) + self.step
        wait = full_again - now - self.period
        refused = wait > ROUNDING
        if len(self.full_again) >= self.most:
            del self.full_again[next(iter(self.full_again))]
        self.full_again[sender] = full_again - self.step if refused else full_again
        if not refused:
            return 0.0, False
        if self.told_until.get(sender, now) > now:
            return wait, False
        self.told_until.pop(sender, None)
        if len(self.told_until) >= self.most:
            del self.told_until[next(iter(self.told_until))]
        self.told_until[sender] = now + self.period
        return wait, True


class RateLimiter:
    """A guard of the edge."""

    def __init__(self, settings: RateLimitSettings, registry: CollectorRegistry, most: int = MOST_SENDERS) -> None:
        self.allowances = [Allowances(settings.rate_limit_user, most), Allowances(settings.rate_limit_chat, most)]
        self.decisions = Counter("rate_limit_decisions_total", "Decisions", ["tier", "decision"], registry=registry)

    def __call__(self, conversation: tuple[int | None, int | None]) -> str | None:
        """Count an update; when it is refused, what to reply, and an empty text when that was said already."""
        for tier, sender, allowances in zip(("user", "chat"), conversation, self.allowances, strict=True):
            wait, tell = allowances.take(sender) if sender is not None else (0.0, False)
            self.decisions.labels(tier, "refused" if wait else "allowed").inc()
            if wait:
                return f"That is too fast for me; please try again in {math.ceil(wait)} s." if tell else ""
        return None
