"""Load shedding: beyond a bound, more work at once makes all of it late; what comes on top is refused at once."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter
from pydantic import Field
from starlette.types import Scope

from .edge import Edge, Headers, Refusal
from .settings import CommonSettings, Positive


class LoadSheddingSettings(CommonSettings):
    """What load shedding is set up with."""

    http_max_in_flight: Positive = Field(200, description="Requests answered at once; more are told 503")


class LoadShedder:
    """A guard of the edge."""

    def __init__(self, settings: LoadSheddingSettings, edge: Edge, registry: CollectorRegistry) -> None:
        self.most, self.edge = settings.http_max_in_flight, edge
        name, meaning = "http_server_requests_shed_total", "Requests refused because too many were in flight"
        self.shed = Counter(name, meaning, registry=registry)

    def __call__(self, _: Scope, __: Mapping[bytes, bytes], ___: Headers) -> Refusal | None:
        if self.edge.in_flight <= self.most:
            return None
        self.shed.inc()
        return 503, "There is more to do than can be done in time; try again."
