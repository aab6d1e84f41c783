"""A load client: workers that send one request after the other, and the count of what became of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2

from .runner import DEADLINE_SECONDS, Running

WORKERS = 16

Outcomes = Counter[str]  # by status, or by the name of the error of a request without an answer
Ask = Callable[[httpx2.AsyncClient, int], Awaitable[httpx2.Response]]  # of a client and the number of the request


@asynccontextmanager
async def under_load(running: Running, ask: Ask, workers: int = WORKERS) -> AsyncGenerator[Outcomes]:
    """Send requests as long as the block lasts; each worker ends the one that it has begun."""
    outcomes: Outcomes = Counter()
    enough = asyncio.Event()

    async def work(number: int) -> None:
        while not enough.is_set():
            try:
                answer = await ask(client, number)
                outcomes[str(answer.status_code)] += 1
            except httpx2.TransportError as error:
                outcomes[type(error).__name__] += 1
            number += workers

    async with asynchronous(running.api) as client, asyncio.TaskGroup() as group:
        for number in range(workers):
            group.create_task(work(number))
        try:
            yield outcomes
        finally:
            enough.set()


def asynchronous(client: httpx2.Client) -> httpx2.AsyncClient:
    """Return a client of the same address for asyncio."""
    return httpx2.AsyncClient(base_url=client.base_url, timeout=DEADLINE_SECONDS, trust_env=False)


async def reached(outcomes: Outcomes, total: int) -> None:
    """Wait until there are so many outcomes."""
    while outcomes.total() < total:
        await asyncio.sleep(0.01)
