"""An HTTP server on loopback in the place of a dependency: answers what a test scripts, remembers what it was asked."""

import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Answer:
    """What one request gets, ``delay`` seconds after it came: nothing but the end of the connection when ``dropped``,
    a byte every ``drip`` seconds.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    dropped: bool = False
    drip: float = 0.0


@dataclass(frozen=True)
class Received:
    """One request; its headers by their names in lower case, its arrival on the clock of ``time.monotonic``."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    arrived: float


class StandIn:
    """Gives the answers of its script in their order, then the default one. Both may be changed at any time."""

    def __init__(self, *script: Answer, default: Answer = Answer()) -> None:
        self.script = deque(script)
        self.default = default
        self.received: list[Received] = []
        self.concurrent = 0  # requests that it works on now
        self.peak = 0  # the most that there were
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        self.server = Server(("127.0.0.1", 0), lambda *peer: Handler(self, *peer))
        self.port: int = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), name="stand-in")
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()  # nobody waits out a delay
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, received: Received) -> Answer:
        """Remember a request, choose its answer and wait until it is due."""
        with self.lock:
            self.received.append(received)
            self.concurrent += 1
            self.peak = max(self.peak, self.concurrent)
            answer = self.script.popleft() if self.script else self.default
        self.ended.wait(answer.delay)
        with self.lock:
            self.concurrent -= 1
        return answer


class Server(ThreadingHTTPServer):
    """Ends its open connections with itself, so that no thread waits for the next request on one."""

    daemon_threads = False  # so that closing waits for them
    request_queue_size = 1024

    def __init__(self, *given: object) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(*given)

    def process_request(self, request: socket.socket, client_address: object) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for one in list(self.open):
            with suppress(OSError):  # it is closed by now
                one.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: socket.socket, client_address: object) -> None:
        """Say nothing: a client that goes away is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 with one client, as long as the client keeps the connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one piece
    timeout = None

    def __init__(self, stand_in: StandIn, *peer: object) -> None:
        self.stand_in = stand_in
        super().__init__(*peer)

    def reply(self) -> None:
        body = b"".join(self.chunks()) if "transfer-encoding" in self.headers else self.rfile.read(self.length())
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.stand_in.answer(Received(self.command, self.path, headers, body, time.monotonic()))
        if answer.dropped:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"content-length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.send(answer)

    def send(self, answer: Answer) -> None:
        for start in range(len(answer.body)) if answer.drip else ():
            self.wfile.write(answer.body[start : start + 1])
            self.wfile.flush()
            if self.stand_in.ended.wait(answer.drip):
                break
        if not answer.drip:
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = reply  # noqa: N815 - as the class has it

    def length(self) -> int:
        return int(self.headers.get("content-length", "0"))

    def chunks(self):
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, *_: object) -> None:
        """Say nothing; a test reads ``received``."""
