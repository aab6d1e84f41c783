"""Probes tell the truth: about dependencies, about a hung main loop, about start and end."""

import socket
from collections.abc import Callable, Iterator

import pytest

from .conftest import Start
from .fault_proxy import FaultProxy
from .runner import Project, Running, eventually, free_port
from .stand_in import StandIn

TRIALS = "/api/v1/trials"


FAULTS = {
    "refused": (FaultProxy.down, "ConnectError"),
    "reset": (FaultProxy.reset, "ReadError"),
    "blackholed": (FaultProxy.blackhole, "TimeoutError"),
    "late": (lambda proxy: proxy.latency(1.5), "TimeoutError"),  # the check waits for 1 s
}
FLIP_SECONDS = 5.0  # from a fault, or its end, to the probe that tells it

each_fault = pytest.mark.parametrize(("fault", "error"), FAULTS.values(), ids=FAULTS)

Fault = Callable[[FaultProxy], None]


@pytest.fixture
def warehouse() -> Iterator[FaultProxy]:
    """Return the way to a dependency that is well."""
    with StandIn() as server, FaultProxy(server.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def dependent(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, FaultProxy]]:
    """One service for all faults, and the way to its dependency."""
    output = tmp_path_factory.mktemp("dependent") / "output"
    with (
        StandIn() as server,
        FaultProxy(server.port) as proxy,
        project.started(output, WAREHOUSE_PORT=str(proxy.port)) as running,
    ):
        yield running, proxy


def flips(running: Running, status: int) -> None:
    """Wait for a status of readiness in the promised time, with liveness green all along."""

    def flipped() -> bool:
        assert running.probe("live") == 200
        return running.probe("ready") == status

    eventually(flipped, f"readiness = {status}", FLIP_SECONDS)


def test_all_probes_are_green_when_all_is_well(running: Running) -> None:
    for path in ("live", "ready", "startup"):
        assert running.probe(path) == 200
    summary = running.ops.get("/health").json()
    assert summary["status"] == "ready"
    assert summary["memory_bytes"] > 0
    assert {"service", "version", "uptime_seconds", "dependencies", "cpu_percent", "disk_free_bytes"} <= summary.keys()


@each_fault
def test_readiness_follows_a_dependency_into_a_fault_and_out_of_it(
    dependent: tuple[Running, FaultProxy], fault: Fault, error: str
) -> None:
    running, proxy = dependent
    asked = proxy.requests
    eventually(lambda: proxy.requests > asked, "a check on the connection that is open")
    fault(proxy)
    flips(running, 503)
    assert running.metric("dependency_up", dependency="warehouse") == 0
    running.logged(message="dependency is down", dependency="warehouse")
    eventually(lambda: running.ops.get("/health").json()["dependencies"]["warehouse"]["error"] == error)
    proxy.passing()
    flips(running, 200)
    assert running.metric("dependency_up", dependency="warehouse") == 1


@each_fault
def test_a_service_that_starts_amid_a_fault_comes_up_unready_and_recovers(
    start: Start, warehouse: FaultProxy, fault: Fault, error: str
) -> None:
    fault(warehouse)
    with start(ready=False, WAREHOUSE_PORT=str(warehouse.port)) as running:
        running.wait_until("startup", 200)
        assert running.ops.get("/health/ready").json() == {"status": "unready", "failing": ["warehouse"]}
        assert running.ops.get("/health").json()["dependencies"]["warehouse"]["error"] == error
        warehouse.passing()
        flips(running, 200)


@pytest.mark.parametrize("probing", ["cancelled", "stubborn"])
def test_an_odd_probe_counts_as_down_and_hides_nothing_else(
    start: Start, warehouse: FaultProxy, probing: str
) -> None:
    def failing() -> list[str]:
        return running.ops.get("/health/ready").json()["failing"]

    with start(ready=False, PROBING=probing, WAREHOUSE_PORT=str(warehouse.port)) as running:
        running.wait_until("startup", 200)
        assert failing() == ["odd"]
        warehouse.down()
        eventually(lambda: failing() == ["odd", "warehouse"])


def test_an_optional_dependency_degrades(start: Start) -> None:
    with start(STOCK_PORT=str(free_port())) as running:
        assert running.ops.get("/health/ready").json() == {"status": "degraded", "failing": ["stock"]}


def test_resources_that_cannot_be_opened_are_tried_again(start: Start) -> None:
    with start(ready=False, RELUCTANT_OPENINGS="3", WAREHOUSE_PORT=str(free_port())) as running:
        running.logged(message="resources could not be opened; trying again")
        assert running.probe("live") == 200
        running.wait_until("startup", 200)
        assert len(running.lines(message="resources could not be opened; trying again")) == 3
        running.api.get(f"{TRIALS}/background/0", params={"grace": 0})
        assert running.metric("trials_total") == 1
        assert running.ops.get("/metrics").text.count("# HELP trials_total") == 1  # although opened four times
        eventually(lambda: running.metric("background_tasks_active") == 1)  # and the tasks of each attempt have ended


def test_probes_and_metrics_answer_while_the_main_loop_hangs_and_liveness_finds_it(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(f"GET {TRIALS}/block/13 HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        eventually(lambda: running.metric("http_server_requests_in_flight") == 1)
        running.wait_until("live", 503)
        assert running.ops.get("/health/ready").json()["status"] == "hung"
        running.wait_until("live", 200)
    running.wait_until("ready", 200)
    slow = running.metric("event_loop_lag_seconds_count") - running.metric("event_loop_lag_seconds_bucket", le="10.0")
    assert slow >= 1


def test_the_log_level_changes_at_run_time(running: Running) -> None:
    assert running.ops.put("/log-level", content=b"loud").status_code == 422
    assert running.ops.put("/log-level", content=b"x" * 2000).status_code == 413
    assert running.ops.put("/log-level", content=b"warning").status_code == 204
    running.api.get("/nothing", headers={"x-request-id": "unheard"})
    assert running.ops.put("/log-level", content=b"info").status_code == 204
    running.api.get("/nothing", headers={"x-request-id": "heard"})
    running.logged(request_id="heard")
    assert not running.lines(request_id="unheard")


@pytest.mark.parametrize("taken", ["HTTP_PORT", "OPS_PORT"])
def test_a_taken_port_is_named_and_the_service_ends(start: Start, taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with start(ready=False, **{taken: str(port)}) as running:
            assert running.process.wait(20) == 1
            assert str(port) in running.output.read_text()
