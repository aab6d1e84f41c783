"""A TCP proxy on loopback whose faults are switched at run time, for connections that are open as for new ones."""

import asyncio
import re
import socket
import struct
import threading
from collections import deque
from typing import Self

HOST = "127.0.0.1"
REQUEST_LINE = re.compile(rb"[A-Z]+ \S+ HTTP/1\.1\r\n")
NO_LINGER = struct.pack("ii", 1, 0)  # closing then sends RST instead of FIN
RESET_SECONDS = 0.05  # how long a new client may say nothing before it is reset; what it says is counted first
END = b""


class Side(asyncio.Protocol):
    """One side of a connection: what it hears goes to the other side, in order, each piece when it is due."""

    transport: asyncio.Transport

    def __init__(self, proxy: "FaultProxy", client: "Side | None" = None) -> None:
        self.proxy, self.is_client, self.other = proxy, client is None, client
        self.heard: deque[bytes] = deque()
        self.line = b""
        self.lossy = False  # whoever lost a byte hears nothing any more, although the fault ends

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.proxy.sides.add(self)
        if self.other is None:
            self.proxy.take(self)
        elif self.other.transport.is_closing():
            transport.abort()
        else:
            self.other.other = self
            self.other.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self.is_client:
            self.count(data)
        if self.proxy.fault == "reset":
            self.reset()
        self.hold(data)

    def connection_lost(self, _: Exception | None) -> None:
        self.proxy.sides.discard(self)
        self.hold(END)

    def hold(self, data: bytes) -> None:
        self.heard.append(data)
        self.proxy.loop.call_later(0 if self.is_client else self.proxy.delay, self.deliver)

    def deliver(self) -> None:
        data = self.heard.popleft()
        self.lossy = self.lossy or self.proxy.fault == "blackhole"
        if self.lossy or self.other is None:
            return
        if data:
            self.other.transport.write(data)
        else:
            self.other.transport.close()

    def reset(self) -> None:
        if not self.transport.is_closing():
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.transport.abort()

    def count(self, data: bytes) -> None:
        """Count request lines; a body that has one on a line of its own would count, too."""
        *lines, self.line = (self.line + data).split(b"\n")
        self.proxy.requests += sum(bool(REQUEST_LINE.fullmatch(line + b"\n")) for line in lines)


class FaultProxy:
    """Stands in front of a server on loopback, on a port that it keeps whatever fault it plays; passes at first."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.connections = 0  # that were accepted so far
        self.requests = 0  # HTTP requests whose first line a client sent so far, whether they arrived or not
        self.fault = "none"
        self.delay = 0.0
        self.sides: set[Side] = set()
        self.joining: set[asyncio.Task[None]] = set()
        self.listener: asyncio.Server | None = None

    def passing(self) -> None:
        """End every fault. A connection that lost something in a black hole stays silent."""
        self.play("none")

    def latency(self, seconds: float) -> None:
        """Pass everything on, but each piece of an answer this much later."""
        self.play("none", seconds)

    def down(self) -> None:
        """Refuse connections and end the open ones, as when the server's process ends."""
        self.play("down")

    def reset(self) -> None:
        """Answer with RST, and the open ones at once."""
        self.play("reset")

    def blackhole(self) -> None:
        """Accept and swallow; nothing comes back, on the open ones neither."""
        self.play("blackhole")

    def __enter__(self) -> Self:
        self.keeper = socket.socket()  # bound, never listening: nobody else gets the port while this is down
        self.keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.keeper.bind((HOST, 0))
        self.port: int = self.keeper.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="fault proxy")
        self.thread.start()
        self.passing()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.down()
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
            self.loop.close()
            self.keeper.close()

    def play(self, fault: str, delay: float = 0.0) -> None:
        """Change over; the new state is in force when this returns."""
        asyncio.run_coroutine_threadsafe(self.change(fault, delay), self.loop).result()

    async def change(self, fault: str, delay: float) -> None:
        self.fault, self.delay = fault, delay
        if fault == "down" and self.listener:
            self.listener.close()
            self.listener = None
        elif fault != "down" and self.listener is None:
            self.listener = await self.loop.create_server(lambda: Side(self), HOST, self.port, backlog=1024)
        if fault in {"down", "reset"}:
            await asyncio.gather(*self.joining)
            for side in list(self.sides):
                side.reset() if fault == "reset" else side.transport.abort()

    def take(self, client: Side) -> None:
        self.connections += 1
        if self.fault == "reset":
            self.loop.call_later(RESET_SECONDS, client.reset)
        elif self.fault != "blackhole":
            self.loop.call_soon(self.start, client)  # up to Python 3.11.2 a pause before that is undone

    def start(self, client: Side) -> None:
        if not client.transport.is_closing():
            client.transport.pause_reading()  # until somebody is there to hear it
            task = self.loop.create_task(self.join(client))
            self.joining.add(task)
            task.add_done_callback(self.joining.discard)

    async def join(self, client: Side) -> None:
        try:
            await self.loop.create_connection(lambda: Side(self, client), HOST, self.target)
        except OSError:
            client.reset()
