"""The tools of this layer do what the proofs take for granted."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from .fault_proxy import FaultProxy
from .runner import DEADLINE_SECONDS, eventually
from .stand_in import Answer, StandIn

WAIT = 0.5  # seconds until a client here gives up


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def proxy(stand_in: StandIn) -> Iterator[FaultProxy]:
    with FaultProxy(stand_in.port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"http://127.0.0.1:{proxy.port}", timeout=WAIT, trust_env=False) as client:
        yield client


def test_what_passes_arrives_and_is_counted(client: httpx2.Client, proxy: FaultProxy, stand_in: StandIn) -> None:
    stand_in.default = Answer(201, b"x" * 1_000_000, {"x-kept": "yes"})
    answers = [client.post(f"/{number}", content=iter([b"a" * 100_000, b"b"])) for number in range(3)]
    assert {(answer.status_code, len(answer.content), answer.headers["x-kept"]) for answer in answers} == {
        (201, 1_000_000, "yes")
    }
    assert [(one.method, one.path, len(one.body)) for one in stand_in.received] == [
        ("POST", f"/{number}", 100_001) for number in range(3)
    ]
    assert (proxy.connections, proxy.requests) == (1, 3)


@pytest.mark.parametrize(
    ("fault", "open_sees", "new_sees"),
    [
        (FaultProxy.down, httpx2.RemoteProtocolError, httpx2.ConnectError),
        (FaultProxy.reset, httpx2.ReadError, httpx2.ReadError),
        (FaultProxy.blackhole, httpx2.ReadTimeout, httpx2.ReadTimeout),
        (lambda proxy: proxy.latency(WAIT * 2), httpx2.ReadTimeout, httpx2.ReadTimeout),
    ],
    ids=["down", "reset", "blackhole", "latency"],
)
def test_a_fault_hits_open_and_new_connections_and_ends(
    client: httpx2.Client,
    proxy: FaultProxy,
    stand_in: StandIn,
    fault: Callable[[FaultProxy], None],
    open_sees: type[Exception],
    new_sees: type[Exception],
) -> None:
    stand_in.script.append(Answer(delay=WAIT / 2))
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(client.get, "/open")
        eventually(lambda: stand_in.concurrent)
        fault(proxy)
        assert isinstance(asked.exception(), open_sees)
    with pytest.raises(new_sees):
        client.get("/new")
    proxy.passing()
    assert client.get("/again").status_code == 200
    assert proxy.requests == (2 if fault is FaultProxy.down else 3)


def test_a_connection_that_was_idle_in_the_fault_goes_on_only_after_a_black_hole(
    client: httpx2.Client, proxy: FaultProxy
) -> None:
    for fault, connections in ((proxy.blackhole, 1), (proxy.reset, 2), (proxy.down, 3)):
        client.get("/before")
        fault()
        proxy.passing()
        assert client.get("/after").status_code == 200
        assert proxy.connections == connections


def test_latency_is_added_to_each_answer_once(client: httpx2.Client, proxy: FaultProxy) -> None:
    client.timeout = DEADLINE_SECONDS
    proxy.latency(WAIT)
    for _ in range(2):
        begun = time.monotonic()
        client.post("/", content=iter([b"in", b"pieces"]))
        assert WAIT <= time.monotonic() - begun < WAIT * 2


def test_what_is_down_refuses_and_keeps_its_port(proxy: FaultProxy) -> None:
    proxy.down()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port))
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", proxy.port))


def test_a_server_that_is_gone_shows_through_the_proxy() -> None:
    with StandIn() as gone:
        pass
    with FaultProxy(gone.port) as proxy, pytest.raises(httpx2.TransportError):
        httpx2.get(f"http://127.0.0.1:{proxy.port}", trust_env=False)


def test_the_script_comes_first_and_then_the_default(client: httpx2.Client, stand_in: StandIn) -> None:
    stand_in.script.extend([Answer(503), Answer(dropped=True), Answer(429, headers={"retry-after": "1"})])
    assert client.get("/").status_code == 503
    with pytest.raises(httpx2.RemoteProtocolError):
        client.get("/")
    assert client.get("/").headers["retry-after"] == "1"
    assert client.get("/").status_code == 200


def test_the_peak_is_how_many_requests_there_were_at_once(client: httpx2.Client, stand_in: StandIn) -> None:
    client.timeout = DEADLINE_SECONDS
    stand_in.default = Answer(delay=WAIT)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(client.get, ["/"] * 5))
    assert (stand_in.peak, stand_in.concurrent) == (5, 0)
