"""The ops server: probes, metrics and the log level on a port, a thread and an event loop of their own.

So they answer when the main loop is busy, and liveness can tell that it hangs.
"""

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping

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
from .logging import LogLevel

MOST_BYTES = 1024  # the longest body that this port has a use for is the name of a log level


class Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to the lifecycle: two that take them stop in the wrong order."""

    on_started: Callable[[], object] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Reserve an address before anything is opened. Raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{error.strerror}: {host} port {port}") from None
    return listener


class OpsServer:
    """Runs the ops application until it is stopped, whatever the main loop does meanwhile."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self.server = Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([listener],), name="ops", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=2)


def build_ops(health: Health, level: LogLevel, identity: Mapping[str, str]) -> Starlette:
    """The application behind the ops port."""
    process = psutil.Process()
    started = time.monotonic()

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "alive" if health.alive else "hung"}, 200 if health.alive else 503)

    async def ready(_: Request) -> Response:
        status = health.status
        return JSONResponse(
            {"status": status, "failing": health.failing}, 200 if status in {"ready", "degraded"} else 503
        )

    async def startup(_: Request) -> Response:
        return JSONResponse({"status": "started" if health.started else "starting"}, 200 if health.started else 503)

    async def summary(_: Request) -> Response:
        return JSONResponse(
            {
                **identity,
                "status": health.status,
                "uptime_seconds": round(time.monotonic() - started, 1),
                "dependencies": {name: vars(result) for name, result in health.results.items()},
                "memory_bytes": process.memory_info().rss,
                "cpu_percent": process.cpu_percent(),
                "disk_free_bytes": shutil.disk_usage(".").free,
            }
        )

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(health.metrics.registry), headers={"content-type": CONTENT_TYPE_LATEST})

    async def log_level(request: Request) -> Response:
        try:
            level.set((await request.body()).decode(errors="replace").strip())
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 422)
        return Response(status_code=204)

    routes = [
        Route("/health", summary),
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/health/startup", startup),
        Route("/metrics", metrics),
        Route("/log-level", log_level, methods=["PUT"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(RequestBodyLimitMiddleware, max_body_size=MOST_BYTES)])
