"""Calls that are given up at any moment: their places are free again, whatever the event loop is."""

import asyncio
from typing import Any

import anyio
import pytest

from .hosting import LIBRARIES, Host, hosting, made

pytestmark = pytest.mark.parametrize("library", LIBRARIES)


async def still_serves(client: Any, host: Host, places: int) -> None:
    """As many calls at the same time as there are places."""

    async def get() -> None:
        response = await client.get(f"{host.url}/slow")
        assert response.text == "/slow"

    host.gate.clear()
    while host.waiting.acquire(blocking=False):
        pass
    async with anyio.create_task_group() as group:
        for _ in range(places):
            group.start_soon(get)
        for _ in range(places):
            assert await anyio.to_thread.run_sync(host.waiting.acquire, True, 5)
        host.gate.set()


@pytest.mark.parametrize("path", ["/x", "/slow"])
def test_a_call_cancelled_at_any_step(library: Any, path: str) -> None:
    """Before it has a connection, while it connects, sends, waits or reads: the only place is not lost."""

    async def story() -> None:
        limits = library.Limits(max_connections=1)
        async with made(library, "async", limits=limits, timeout=5) as client:
            for steps in range(25):
                task = asyncio.ensure_future(client.get(f"{host.url}{path}"))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await still_serves(client, host, 1)

    with hosting() as host:
        asyncio.run(story())
        assert host.all_closed.wait(5)


def test_those_who_wait_are_cancelled_too(library: Any) -> None:
    """The place goes to who still wants it."""

    async def story() -> None:
        limits = library.Limits(max_connections=2)
        async with made(library, "async", limits=limits, timeout=5) as client:
            tasks = [asyncio.ensure_future(client.get(f"{host.url}/slow")) for _ in range(10)]
            for _ in range(2):
                assert await asyncio.to_thread(host.waiting.acquire, True, 5)
            for task in tasks[1:]:
                task.cancel()
            host.gate.set()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(one) for one in found[1:]] == [asyncio.CancelledError] * 9
            assert found[0].text == "/slow"
            await still_serves(client, host, 2)

    with hosting() as host:
        asyncio.run(story())


def test_an_answer_that_is_left_halfway(library: Any) -> None:
    """Its connection cannot be used again, its place can."""

    async def story() -> None:
        limits = library.Limits(max_connections=1)
        async with made(library, "async", limits=limits, timeout=5) as client:
            for _ in range(3):
                async with client.stream("GET", f"{host.url}/cut"):
                    pass
            await still_serves(client, host, 1)

    with hosting() as host:
        asyncio.run(story())


def test_on_trio(library: Any) -> None:
    """Waiting, time limits and cancelled scopes are those of its loop."""

    async def story() -> None:
        limits, timeout = library.Limits(max_connections=1), library.Timeout(5, pool=0.05)
        async with made(library, "async", limits=limits, timeout=timeout) as client:
            async with client.stream("GET", f"{host.url}/x"):
                with pytest.raises(library.PoolTimeout):
                    await client.get(f"{host.url}/x")
            with anyio.move_on_after(0.05):
                await client.get(f"{host.url}/slow")
            await still_serves(client, host, 1)

    with hosting() as host:
        anyio.run(story, backend="trio")
