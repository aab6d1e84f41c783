"""The ops server: probes, metrics and log level, in a thread of its own to answer when the main loop is busy."""

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import psutil
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from .health import Health
from .logging import set_level

GREEN = {"alive", "ready", "degraded", "started"}


class Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to the lifecycle: two that take them stop in the wrong order."""

    on_started: Callable[[], object] = staticmethod(lambda: None)
    capture_signals = staticmethod(contextlib.nullcontext)  # pyrefly: ignore[bad-override-mutable-attribute] - none

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, **options))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_started()


def listen(host: str, port: int) -> socket.socket:
    """Take an address. Raises OSError, naming it, when somebody else has it."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


class OpsServer(threading.Thread):
    """Runs the ops application until it is stopped, whatever the main loop does meanwhile."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        self.server = Server(app, loop="asyncio", lifespan="off", timeout_graceful_shutdown=1)
        super().__init__(target=self.server.run, args=([listener],), name="ops", daemon=True)

    def stop(self) -> None:
        self.server.should_exit = True
        self.join(timeout=2)


def build_ops(health: Health, identity: Mapping[str, str]) -> Starlette:
    """The application behind the ops port."""
    process, started = psutil.Process(), time.monotonic()

    def answer(status: str, **more: Any) -> Response:
        return JSONResponse({"status": status, **more}, 200 if status in GREEN else 503)

    async def live(_: Request) -> Response:
        return answer("alive" if health.alive else "hung")

    async def ready(_: Request) -> Response:
        return answer(health.status, failing=[check.name for check in health.failing])

    async def startup(_: Request) -> Response:
        return answer("started" if health.started else "starting")

    async def summary(_: Request) -> Response:
        state: dict[str, Any] = {"status": health.status, "uptime_seconds": round(time.monotonic() - started, 1)}
        state |= {"dependencies": {name: vars(result) for name, result in health.results.items()}}
        state |= {"memory_bytes": process.memory_info().rss, "cpu_percent": process.cpu_percent()}
        return JSONResponse({**identity, **state, "disk_free_bytes": shutil.disk_usage(".").free})

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(health.metrics.registry), headers={"content-type": CONTENT_TYPE_LATEST})

    async def log_level(request: Request) -> Response:
        try:
            set_level((await request.body()).decode(errors="replace").strip())
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 422)
        return Response(status_code=204)

    served = {"/health": summary, "/health/live": live, "/health/ready": ready, "/health/startup": startup}
    routes = [Route(path, endpoint) for path, endpoint in {**served, "/metrics": metrics}.items()]
    routes.append(Route("/log-level", log_level, methods=["PUT"]))
    return Starlette(routes=routes, middleware=[Middleware(RequestBodyLimitMiddleware, max_body_size=1024)])
