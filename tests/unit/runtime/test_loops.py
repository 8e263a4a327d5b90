"""Event loops for runs: in a thread of their own, or in the calling one; they end whatever runs leave."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import pytest

from pytest_llmrel.runtime.loops import InlineLoop, ThreadLoop

MakeLoop = Callable[[], asyncio.AbstractEventLoop]
both = pytest.mark.parametrize("host_type", [InlineLoop, ThreadLoop])


async def name_of_thread() -> str:
    """Where this coroutine is executed."""
    return threading.current_thread().name


def spawn(host: Any, coroutine: Any) -> Any:
    """Start a task on the loop of a host, and let it begin."""
    tasks: list[Any] = []

    async def start() -> None:
        tasks.append(asyncio.ensure_future(coroutine))
        await asyncio.sleep(0)

    host.run(start())
    return tasks[0]


@contextmanager
def stubborn(host: Any) -> Iterator[Any]:
    """A task that ignores its cancellation, until the block is left."""
    release = False

    async def ignore() -> None:
        while not release:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    task = spawn(host, ignore())
    try:
        yield task
    finally:
        release = True
        end_with = time.monotonic() + 5
        while not task.done() and time.monotonic() < end_with:
            time.sleep(0.01)
        host.loop.call_soon_threadsafe(host.loop.stop)
        while host.loop.is_running() and time.monotonic() < end_with:
            time.sleep(0.01)


@both
def test_it_runs_coroutines_to_their_value(host_type: Any, make_loop: MakeLoop) -> None:
    """One after the other, as often as wanted."""
    host = host_type(make_loop(), owned=True)
    assert [host.run(asyncio.sleep(0, number)) for number in range(3)] == [0, 1, 2]
    host.close()


@both
def test_what_a_coroutine_raises_is_raised(host_type: Any, make_loop: MakeLoop) -> None:
    """The same object, and the loop goes on."""
    error = LookupError("x")

    async def fail() -> None:
        raise error

    host = host_type(make_loop(), owned=True)
    with pytest.raises(LookupError) as caught:
        host.run(fail())
    assert caught.value is error
    assert host.run(asyncio.sleep(0, "alive")) == "alive"
    host.close()


def test_threads(make_loop: MakeLoop) -> None:
    """One host works in the calling thread, the other in a daemon of its own."""
    before = threading.enumerate()  # a test before may have left a blocked loop behind
    inline, own = InlineLoop(make_loop(), owned=True), ThreadLoop(make_loop(), owned=True)
    here = threading.current_thread().name
    assert inline.run(name_of_thread()) == here
    assert own.run(name_of_thread()) == "llmrel-loop" != here
    (thread,) = set(threading.enumerate()) - set(before)
    assert thread.daemon
    inline.close()
    own.close()
    assert not thread.is_alive()


def test_waiting_for_another_thread_ends_all_the_same(make_loop: MakeLoop) -> None:
    """When patience does, and when the coroutine is cancelled; context variables of who waits are seen."""
    own, asked = ThreadLoop(make_loop(), owned=True), ContextVar("asked", default="")

    async def cancelled() -> None:
        asyncio.current_task().cancel()  # type: ignore[union-attr]
        await asyncio.sleep(60)

    async def seen() -> str:
        return asked.get()

    asked.set("from here")
    assert own.run(seen()) == "from here"
    with pytest.raises(TimeoutError):
        own.run(asyncio.sleep(60), patience=0.01)
    with pytest.raises(CancelledError):
        own.run(cancelled(), patience=5)
    own.close()


@both
@pytest.mark.parametrize("owned", [True, False])
def test_a_loop_is_closed_by_its_owner(host_type: Any, make_loop: MakeLoop, owned: bool) -> None:
    """A borrowed one is given back: open, and not running."""
    loop = make_loop()
    host_type(loop, owned=owned).close()
    assert (loop.is_closed(), loop.is_running()) == (owned, False)


@both
def test_what_runs_left_is_cancelled(host_type: Any, make_loop: MakeLoop) -> None:
    """Their clean-up is executed."""
    ended: list[str] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cleaned up")

    host = host_type(make_loop(), owned=True)
    task = spawn(host, linger())
    host.close()
    assert (task.cancelled(), ended) == (True, ["cleaned up"])


@both
def test_tasks_that_were_there_before_are_not_ours(host_type: Any, make_loop: MakeLoop) -> None:
    """Another plugin's session-scoped server on a borrowed loop lives on."""
    loop = make_loop()
    theirs = loop.create_task(asyncio.sleep(60))
    host = host_type(loop, owned=False)
    ours = spawn(host, asyncio.sleep(60))
    host.close()
    assert (ours.cancelled(), theirs.done()) == (True, False)
    theirs.cancel()
    loop.run_until_complete(asyncio.wait([theirs]))


@both
def test_asynchronous_generators_are_finished(host_type: Any, make_loop: MakeLoop) -> None:
    """What stands behind a ``yield`` that nobody came back to is executed before the loop closes."""
    ended: list[str] = []

    async def numbers() -> Any:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            ended.append("finished")

    host = host_type(make_loop(), owned=True)
    generator = numbers()

    async def first() -> int:
        return await anext(generator)

    assert host.run(first()) == 1
    host.close()
    assert ended == ["finished"]


@both
def test_a_task_that_ignores_its_cancellation_hangs_nobody(host_type: Any, make_loop: MakeLoop) -> None:
    """The loop is left to it, and closing is over in less than a second."""
    host = host_type(make_loop(), owned=True)
    with stubborn(host) as task:
        began = time.monotonic()
        host.close()
        assert time.monotonic() - began < 1
        assert not task.done()
        assert not host.loop.is_closed()


def test_a_blocked_loop_says_where(make_loop: MakeLoop) -> None:
    """A synchronous call in async code is the usual reason, and the line is named."""
    release, began = threading.Event(), threading.Event()

    async def block() -> None:
        began.set()
        release.wait(5)

    host = ThreadLoop(make_loop(), owned=True)
    assert host.stuck() == ""
    waiting = asyncio.run_coroutine_threadsafe(block(), host.loop)
    assert began.wait(5)
    said = host.stuck()
    release.set()
    waiting.result(5)
    assert "blocks the event loop" in said
    assert "wait" in said
    assert host.stuck() == ""
    host.close()


def test_closing_a_blocked_loop_hangs_nobody(make_loop: MakeLoop) -> None:
    """Its thread is a daemon and is left behind."""
    release, began = threading.Event(), threading.Event()

    async def block() -> None:
        began.set()
        release.wait(5)

    host = ThreadLoop(make_loop(), owned=True)
    waiting = asyncio.run_coroutine_threadsafe(block(), host.loop)
    assert began.wait(5)
    start = time.monotonic()
    host.close()
    assert time.monotonic() - start < 1
    release.set()
    with suppress(CancelledError):  # cancelled by then, or not
        waiting.result(5)
    host.loop.call_soon_threadsafe(host.loop.stop)
    while host.loop.is_running():
        time.sleep(0.01)


@both
def test_waiting_for_the_loop_in_its_own_thread_is_refused(host_type: Any, make_loop: MakeLoop) -> None:
    """It would wait for ever; the message says what to do instead."""
    host = host_type(make_loop(), owned=True)

    async def inside() -> None:
        host.run(asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="name it in the signature"):
        host.run(inside())
    host.close()


def test_an_inline_loop_is_never_stuck(make_loop: MakeLoop) -> None:
    """A blocking call there blocks its own run only."""
    host = InlineLoop(make_loop(), owned=True)
    assert host.stuck() == ""
    host.close()


def test_an_interrupted_coroutine_is_cancelled(make_loop: MakeLoop) -> None:
    """After Ctrl-C its clean-up is executed with the next thing the loop does."""
    ended: list[str] = []

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cleaned up")

    def interrupt() -> None:
        raise KeyboardInterrupt

    host = InlineLoop(make_loop(), owned=True)
    host.loop.call_later(0.02, interrupt)
    with pytest.raises(KeyboardInterrupt):
        host.run(long())
    host.close()
    assert ended == ["cleaned up"]
