"""Under load: a stop loses no request that a load balancer still sends."""

import asyncio
import signal
from collections import Counter

import httpx2

from .conftest import Start
from .runner import DEADLINE_SECONDS, Running

WORKERS = 16
ENOUGH = 2000


async def stop_under_load(running: Running) -> Counter[str]:
    """Send requests until readiness has been red three times in a row, as a load balancer would; count the outcomes."""
    outcomes: Counter[str] = Counter()
    looked_away = asyncio.Event()

    async def work(client: httpx2.AsyncClient, number: int) -> None:
        while not looked_away.is_set():
            try:
                if number % 2:
                    answer = await client.get("/api/v1/notes")
                else:
                    answer = await client.post("/api/v1/notes", json={"title": "milk"})
                outcomes[str(answer.status_code)] += 1
            except httpx2.TransportError as error:
                outcomes[type(error).__name__] += 1

    async def balance(ops: httpx2.AsyncClient) -> None:
        red = 0
        while red < 3:
            red = 0 if (await ops.get("/health/ready")).status_code == 200 else red + 1
            await asyncio.sleep(0.1)
        looked_away.set()

    async with (
        httpx2.AsyncClient(base_url=running.api.base_url, timeout=DEADLINE_SECONDS, trust_env=False) as client,
        httpx2.AsyncClient(base_url=running.ops.base_url, timeout=DEADLINE_SECONDS, trust_env=False) as ops,
        asyncio.TaskGroup() as group,
    ):
        for number in range(WORKERS):
            group.create_task(work(client, number))
        while outcomes.total() < ENOUGH:
            await asyncio.sleep(0.05)
        running.process.send_signal(signal.SIGTERM)
        group.create_task(balance(ops))
    return outcomes


def test_no_request_is_lost(start: Start) -> None:
    with start(SHUTDOWN_DRAIN_SECONDS="3") as running:
        outcomes = asyncio.run(stop_under_load(running))
        assert set(outcomes) == {"200", "201"}, outcomes
        assert outcomes.total() > ENOUGH
        assert running.process.wait(DEADLINE_SECONDS) == 0
