"""Rate limit by client address, in process: 429 with Retry-After, and on every answer what is left."""

import math
import time
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated

from prometheus_client import CollectorRegistry, Counter
from pydantic import Field, IPvAnyNetwork
from pydantic_settings import NoDecode
from starlette.types import Scope

from .edge import Headers, Refusal
from .settings import CommonSettings, Listed

MOST_CLIENTS = 100_000  # whoever was silent longest makes room
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
RATE = r"^[1-9]\d{0,6}/(second|minute|hour|day)$"
ROUNDING = 1e-6  # seconds; what adding up times may be off by


class RateLimitSettings(CommonSettings):
    """What the rate limit is set up with."""

    rate_limit_ip: str = Field("10/second", pattern=RATE, description="Requests of an IP per second, minute, hour, day")
    rate_limit_trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, Listed] = Field(
        (), description="Addresses or networks of proxies whose X-Forwarded-For counts, separated by commas"
    )


class RateLimiter:
    """Generic cell rate algorithm: one time per client, and no window whose edge lets twice as much through."""

    def __init__(self, settings: RateLimitSettings, registry: CollectorRegistry, most: int = MOST_CLIENTS) -> None:
        amount, _, unit = settings.rate_limit_ip.partition("/")
        self.amount, self.period = int(amount), SECONDS[unit]
        self.trusted = settings.rate_limit_trusted_proxies
        self.most = most
        self.full_again: dict[str, float] = {}  # client: when it has its whole allowance again; least recent first
        decisions = Counter("rate_limit_decisions_total", "Decisions", ["tier", "decision"], registry=registry)
        self.allowed, self.refused = (decisions.labels("anonymous", decision) for decision in ("allowed", "refused"))

    def __call__(self, scope: Scope, headers: Mapping[bytes, bytes], answer: Headers) -> Refusal | None:
        """Count a request, add what is left to its answer, and say why it is refused, if it is. A guard of the edge."""
        client = self.client_of(scope, headers)
        now = time.monotonic()
        step = self.period / self.amount
        full_again = max(self.full_again.pop(client, now), now) + step
        wait = full_again - now - self.period
        if wait > ROUNDING:
            self.full_again[client] = full_again - step
            self.refused.inc()
            answer += self.told(0, full_again - step - now)
            answer.append((b"retry-after", b"%d" % math.ceil(wait)))
            return 429, f"More than {self.amount} requests in {self.period} s; try again in {math.ceil(wait)} s."
        if len(self.full_again) >= self.most:
            del self.full_again[next(iter(self.full_again))]
        self.full_again[client] = full_again
        self.allowed.inc()
        answer += self.told(max(0, int((ROUNDING - wait) / step)), full_again - now)
        return None

    def told(self, remaining: int, reset: float) -> Headers:
        limit = (b"ratelimit-limit", b"%d" % self.amount)
        return [limit, (b"ratelimit-remaining", b"%d" % remaining), (b"ratelimit-reset", b"%d" % math.ceil(reset))]

    def client_of(self, scope: Scope, headers: Mapping[bytes, bytes]) -> str:
        """Whom a request counts for: the address that connected, or the one that a trusted proxy vouches for."""
        client = scope["client"][0] if scope.get("client") else ""
        if self.trusted and self.trusts(client):
            for hop in reversed(headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")):
                if not parsed(hop.strip()):
                    break  # nobody vouches for what stands further left
                client = hop.strip()
                if not self.trusts(client):
                    break
        address = parsed(client) if ":" in client else None
        # A household has a whole IPv6 network of 2**64 addresses.
        return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else client

    def trusts(self, client: str) -> bool:
        address = parsed(client)
        return address is not None and any(address in network for network in self.trusted)


def parsed(client: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(client)
    except ValueError:
        return None
