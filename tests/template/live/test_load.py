"""Under load: a stop loses no request that a load balancer still sends, and memory does not grow."""

import asyncio
import signal
from uuid import uuid4

import httpx2
import pytest

from .conftest import Start
from .load import Ask, Outcomes, asynchronous, reached, under_load
from .runner import DEADLINE_SECONDS, Running

NOTES = "/api/v1/notes"
ENOUGH = 5000
MOST_NOTES = 10_000  # that the store keeps; until then it has to grow
MANY = 100_000


async def read_or_write(client: httpx2.AsyncClient, number: int) -> httpx2.Response:
    return await (client.get(NOTES) if number % 2 else client.post(NOTES, json={"title": "milk"}))


async def stop_under_load(running: Running) -> Outcomes:
    """Stop it amid requests, which go on until a load balancer would have looked away; return what became of them."""
    async with under_load(running, read_or_write) as outcomes:
        await reached(outcomes, ENOUGH)
        running.process.send_signal(signal.SIGTERM)
        await red_three_times(running)
    return outcomes


async def red_three_times(running: Running) -> None:
    """Ask for readiness as a load balancer does, until it has looked away."""
    red = 0
    async with asynchronous(running.ops) as ops:
        while red < 3:
            red = 0 if (await ops.get("/health/ready")).status_code == 200 else red + 1
            await asyncio.sleep(0.1)


def test_no_request_is_lost(start: Start) -> None:
    with start(SHUTDOWN_DRAIN_SECONDS="3") as running:
        outcomes = asyncio.run(stop_under_load(running))
        assert set(outcomes) == {"200", "201"}, outcomes
        assert outcomes.total() > ENOUGH
        assert running.process.wait(DEADLINE_SECONDS) == 0


async def write(client: httpx2.AsyncClient, _: int) -> httpx2.Response:
    return await client.post(NOTES, json={"title": "milk", "text": "x" * 100})


async def mixed(client: httpx2.AsyncClient, number: int) -> httpx2.Response:
    """Read, write, miss a note, miss a route, send what is not valid: in turn."""
    match number % 5:
        case 0:
            return await client.get(NOTES)
        case 1:
            return await write(client, number)
        case 2:
            return await client.get(f"{NOTES}/{uuid4()}")
        case 3:
            return await client.get(f"/{uuid4()}")
        case _:
            return await client.post(NOTES, json={"title": number})


async def ask_times(running: Running, ask: Ask, total: int) -> Outcomes:
    async with under_load(running, ask) as outcomes:
        await reached(outcomes, total)
    return outcomes


@pytest.mark.slow
def test_memory_stays_as_it_is_over_a_hundred_thousand_requests(start: Start) -> None:
    with start() as running:
        asyncio.run(ask_times(running, write, MOST_NOTES))
        asyncio.run(ask_times(running, mixed, MOST_NOTES))
        before = running.metric("process_resident_memory_bytes")
        outcomes = asyncio.run(ask_times(running, mixed, MANY))
        assert outcomes.keys() == {"200", "201", "404", "422"}
        after = running.metric("process_resident_memory_bytes")
        assert after < before * 1.1, f"{before / 2**20:.1f} MiB became {after / 2**20:.1f} MiB"
        print(f"{before / 2**20:.1f} MiB became {after / 2**20:.1f} MiB")
