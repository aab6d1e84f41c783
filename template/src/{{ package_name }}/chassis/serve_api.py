"""The API's own part of the chassis: its settings, its application and the server that runs it."""

import asyncio
from collections.abc import Iterator, Mapping

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import Field

from .edge import DOCS_PATH, Edge, add_route
from .health import Health
from .input_limits import JsonLimits
from .lifecycle import CLOSING_SHARE
from .ops import Server, listen
from .problems import HANDLERS, Problem
from .settings import EVERYWHERE, CommonSettings, Port, Positive, Seconds, varying


class TransportSettings(CommonSettings):
    """What an API is set up with besides."""

    http_host: str = varying("127.0.0.1", EVERYWHERE, "Address of the API")
    http_port: Port = Field(8000, description="Port of the API")
    http_docs: bool = varying(development=True, elsewhere=False, description="Serve /docs; on in development only")
    http_timeout_seconds: Seconds = Field(10, gt=0, description="Until an answer must have begun")
    http_keep_alive_seconds: Positive = Field(75, description="Idle connections; longer than the load balancer's")
    http_max_body_bytes: Positive = Field(1_048_576, description="Largest body of a request")
    http_max_json_depth: Positive = Field(5, description="How deep JSON in a request may nest")
    http_max_json_items: Positive = Field(100, description="How many items an array in a request may have")
    http_max_json_text: Positive = Field(4096, description="How many characters a text in a request may have")

    def contradictions(self) -> Iterator[str]:
        yield from super().contradictions()
        if self.http_port == self.ops_port:
            yield "HTTP_PORT: must differ from OPS_PORT"
        budget = (self.shutdown_timeout_seconds - self.shutdown_drain_seconds) * (1 - CLOSING_SHARE)
        if self.http_timeout_seconds > budget:
            yield f"HTTP_TIMEOUT_SECONDS: must be at most {budget:g}, or a shutdown would cut requests off"


class ServiceRunner:
    """An application with the chassis's error handling and limits, and the server that runs it."""

    log_processors = (add_route,)

    def __init__(
        self, settings: TransportSettings, health: Health, registry: CollectorRegistry, identity: Mapping[str, str]
    ) -> None:
        self.settings, self.drain_seconds = settings, settings.shutdown_drain_seconds
        self.app = FastAPI(
            title=identity["service"],
            version=identity["version"],
            docs_url=DOCS_PATH if settings.http_docs else None,
            redoc_url=None,
            redirect_slashes=False,
            openapi_url="/openapi.json" if settings.http_docs else None,
            exception_handlers=HANDLERS,
            responses={"default": {"model": Problem, "description": "What went wrong (application/problem+json)"}},
            telemetry={"tracing": False, "metrics": False, "logs": False},
        )
        json_limits = settings.http_max_json_depth, settings.http_max_json_items, settings.http_max_json_text
        self.app.router.middleware_stack = JsonLimits(self.app.router.middleware_stack, *json_limits)
        self.edge = Edge(self.app, health, registry, settings.http_timeout_seconds, settings.http_max_body_bytes)
        keep_alive = settings.http_keep_alive_seconds
        self.server = Server(self.edge, http="httptools", ws="none", proxy_headers=False, timeout_keep_alive=keep_alive)

    async def run(self, started: asyncio.Event) -> None:
        self.server.on_started = started.set
        await self.server.serve([listen(self.settings.http_host, self.settings.http_port)])

    async def stop(self, seconds: float) -> None:
        self.server.config.timeout_graceful_shutdown = max(1, int(seconds))
        self.server.should_exit = True
