"""Under load: a stop loses no request that a load balancer still sends."""

import asyncio
import signal

import httpx2

from .conftest import Start
from .load import Outcomes, asynchronous, reached, under_load
from .runner import DEADLINE_SECONDS, Running

NOTES = "/api/v1/notes"
ENOUGH = 5000


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
