"""The client that requests to judges share while they are under way at the same time."""

import asyncio
import gc
import threading
import weakref

import httpx
import pytest

from pytest_llmrel.faithfulness.judge_client import _clients, _users, async_judge_client, judge_client


@pytest.fixture(autouse=True)
def nothing_is_left() -> object:
    """Whatever happens, nobody's client stays open."""
    yield
    assert (_clients, dict(_users)) == ({}, {})


def test_the_last_closes_it() -> None:
    """Not the first, and not the one that made it."""
    first, second = judge_client(), judge_client()
    client = first.__enter__()
    assert second.__enter__() is client
    first.__exit__(None, None, None)
    assert not client.is_closed
    second.__exit__(None, None, None)
    assert client.is_closed


def test_who_comes_after_the_last_has_another() -> None:
    """A closed one is of no use."""
    with judge_client() as client:
        pass
    with judge_client() as other:
        assert other is not client
        assert not other.is_closed


def test_an_error_is_no_reason_to_keep_it() -> None:
    """Nor is it swallowed."""
    with pytest.raises(httpx.ConnectError), judge_client() as client:
        client.get("http://127.0.0.1:9/")
    assert client.is_closed


def test_threads_share_one() -> None:
    """All of those that are at it at the same time."""
    found, barrier = set(), threading.Barrier(16)

    def ask() -> None:
        with judge_client() as client:
            found.add(client)
            barrier.wait(10)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (client,) = found
    assert client.is_closed


def test_each_event_loop_has_its_own() -> None:
    """One for its tasks, cancelled ones included; threads have another, and nothing holds a loop afterwards."""

    async def hold(found: list[httpx.AsyncClient]) -> None:
        async with async_judge_client() as client:
            found.append(client)
            await asyncio.sleep(10)

    async def story() -> tuple[set[httpx.AsyncClient], "weakref.ref[asyncio.AbstractEventLoop]"]:
        found: list[httpx.AsyncClient] = []
        tasks = [asyncio.ensure_future(hold(found)) for _ in range(3)]
        await asyncio.sleep(0)
        with judge_client() as client:
            assert client not in found
        for task in tasks:
            assert not found[0].is_closed
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert found[0].is_closed
        return set(found), weakref.ref(asyncio.get_running_loop())

    ((one,), loop), ((other,), _) = asyncio.run(story()), asyncio.run(story())
    assert one is not other
    gc.collect()
    assert loop() is None
