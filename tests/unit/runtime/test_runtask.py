"""One task per run: its coroutines see each other's context, and a time-out ends the run, not the loop."""

import asyncio
import contextvars
import traceback
from collections.abc import Coroutine
from time import monotonic, sleep
from typing import Any

import pytest

from pytest_llmrel.errors import RunTimeout
from pytest_llmrel.runtime import runtask
from pytest_llmrel.runtime.loops import InlineLoop
from pytest_llmrel.runtime.runtask import Reply, RunTask, carry, within

COLOUR: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


async def current() -> Any:
    """The task that executes this."""
    return asyncio.current_task()


async def set_colour(value: str) -> None:
    """What an async fixture might do before its ``yield``."""
    COLOUR.set(value)


async def get_colour() -> str:
    """What a test might read."""
    return COLOUR.get()


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Execute on a loop of its own; a task that a failed test leaves behind hangs nobody, unlike ``asyncio.run``."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        for _ in range(2):
            for left in asyncio.all_tasks(loop):
                left.cancel()
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def perform(task: RunTask, coroutine: Coroutine[Any, Any, Any], seconds: float = 5.0) -> Reply:
    """Execute in the task, in the present context."""
    return await task.perform(coroutine, contextvars.copy_context(), seconds)


def test_all_coroutines_of_a_run_share_a_task() -> None:
    """What a fixture enters before its ``yield`` is left in the same task; two runs have two."""

    async def main() -> None:
        one, two = RunTask(), RunTask()
        found = [(await perform(task, current())).value for task in (one, one, two)]
        assert found[0] is found[1] is not found[2]
        assert asyncio.current_task() not in found
        await one.end()
        await two.end()
        assert all(task.done() for task in found)

    run(main())


def test_cancel_scopes_may_span_coroutines() -> None:
    """``asyncio.timeout`` entered in one and left in another, which only works in one task."""

    async def main() -> None:
        task, scope = RunTask(), asyncio.timeout(5)
        entered = await perform(task, scope.__aenter__())
        left = await perform(task, scope.__aexit__(None, None, None))
        assert (entered.error, left.error, scope.expired()) == (None, None, False)
        await task.end()

    run(main())


def test_the_context_goes_in_and_comes_out() -> None:
    """A variable that a fixture set is there for the next coroutine and for synchronous code after it."""

    async def main() -> None:
        task = RunTask()
        COLOUR.set("outer")
        assert (await perform(task, get_colour())).value == "outer"
        left = (await perform(task, set_colour("inner"))).context
        assert left is not None
        assert left[COLOUR] == "inner"
        assert COLOUR.get() == "outer"
        carry(left)
        assert COLOUR.get() == "inner"
        assert (await perform(task, get_colour())).value == "inner"
        await task.end()

    run(main())


def test_what_synchronous_code_sets_in_between_is_seen() -> None:
    """A synchronous fixture between two asynchronous ones has its say."""

    async def main() -> None:
        task = RunTask()
        await perform(task, set_colour("first"))
        COLOUR.set("second")
        assert (await perform(task, get_colour())).value == "second"
        await task.end()

    run(main())


def test_runs_do_not_see_each_others_context() -> None:
    """Three at once: each sets its own value, waits, and still finds it."""

    async def execute(value: str) -> object:
        task = RunTask()
        carry((await perform(task, set_colour(value))).context or contextvars.Context())
        await asyncio.sleep(0.01)
        found = (await perform(task, get_colour())).value
        await task.end()
        return found

    async def main() -> list[object]:
        return await asyncio.gather(*map(execute, "abc"))

    assert run(main()) == ["a", "b", "c"]


class _Raising:
    """An awaitable that raises what it was given: not even a StopIteration is changed on the way."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __await__(self) -> Any:
        raise self.error
        yield


@pytest.mark.parametrize(
    "error",
    [ValueError(), KeyboardInterrupt(), SystemExit(), RunTimeout(), asyncio.CancelledError(), TimeoutError()],
)
def test_what_a_coroutine_raises_is_a_value_and_the_task_lives_on(error: BaseException) -> None:
    """Tear-downs follow a failed body, in the same task; no exception ends the loop."""

    async def fail() -> None:
        await _Raising(error)

    async def main() -> None:
        task = RunTask()
        assert (await perform(task, fail())).error is error
        assert (await perform(task, asyncio.sleep(0, "alive"))).value == "alive"
        await task.end()

    run(main())


def test_a_stop_iteration_is_a_failure_like_any_other() -> None:
    """Futures refuse to carry it; a run that raises one must end all the same."""

    async def fail() -> None:
        raise StopIteration

    async def main() -> None:
        task = RunTask()
        assert isinstance((await perform(task, fail())).error, RuntimeError)
        await task.end()

    run(main())


def test_a_coroutine_over_its_time_is_cancelled() -> None:
    """Its clean-up is executed, the traceback shows where it waited, and the next one has its turn."""
    ended: list[str] = []

    async def the_slow_one() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cleaned up")

    async def main() -> None:
        task = RunTask()
        error = (await perform(task, the_slow_one(), 0.05)).error
        assert isinstance(error, RunTimeout)
        assert "longer than 0.05 s" in str(error)
        assert "the_slow_one" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        assert (await perform(task, asyncio.sleep(0, "alive"))).value == "alive"
        await task.end()

    run(main())
    assert ended == ["cleaned up"]


def test_a_coroutine_that_ignores_its_cancellation_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a grace, without waiting for it."""
    monkeypatch.setattr(runtask, "GRACE", 0.05)
    release = False

    async def ignore() -> None:
        while not release:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        nonlocal release
        task, began = RunTask(), monotonic()
        assert isinstance((await perform(task, ignore(), 0.05)).error, RunTimeout)
        assert monotonic() - began < 1
        release = True
        await task.end()

    run(main())


def test_an_interrupted_coroutine_makes_room_for_the_next() -> None:
    """After Ctrl-C the tear-downs still have their turn."""

    async def main() -> None:
        task = RunTask()
        asyncio.get_running_loop().call_later(0.02, task.interrupt)
        assert isinstance((await perform(task, asyncio.sleep(60))).error, asyncio.CancelledError)
        assert (await perform(task, asyncio.sleep(0, "tear-down"))).value == "tear-down"
        await task.end()

    run(main())


def test_a_cancellation_between_two_coroutines_is_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task group in a fixture whose child failed cancels the run: the test is to feel it, not the queue."""
    monkeypatch.setattr(runtask, "GRACE", 0.2)

    async def main() -> None:
        task = RunTask()
        await perform(task, asyncio.sleep(0))
        await asyncio.sleep(0)  # it waits for its next coroutine now
        task.interrupt()
        await asyncio.sleep(0)
        assert isinstance((await perform(task, asyncio.sleep(5))).error, asyncio.CancelledError)
        assert (await perform(task, asyncio.sleep(0, "tear-down"))).value == "tear-down"
        await task.end()

    run(main())


def test_a_task_that_was_cancelled_for_good_answers_all_the_same() -> None:
    """Whoever asks it for a coroutine after the loop was wound up gets an error, and does not wait."""

    async def main() -> None:
        task = RunTask()
        await perform(task, asyncio.sleep(0))
        for _ in range(2):
            await asyncio.sleep(0)
            task.interrupt()
        await asyncio.sleep(0)
        unused = asyncio.sleep(0)
        assert isinstance((await perform(task, unused)).error, RuntimeError)
        unused.close()

    run(main())


def test_a_task_that_never_began_can_be_ended() -> None:
    """A run without coroutines has none."""

    async def main() -> None:
        task = RunTask()
        task.interrupt()
        await task.end()

    run(main())


def test_a_task_that_waits_for_its_next_coroutine_does_not_outlive_the_loop() -> None:
    """After Ctrl-C nobody ends the tasks of the runs one by one: cancelling them has to be enough."""
    loop = asyncio.new_event_loop()
    host, task = InlineLoop(loop, owned=True), RunTask()
    host.run(perform(task, asyncio.sleep(0)))
    host.close()
    closed = loop.is_closed()
    while not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
        sleep(0.05)
        if not loop.is_running():
            loop.close()
    assert closed


def test_within_the_time_the_value_is_returned() -> None:
    """And after it the coroutine is cancelled."""
    assert run(within(5, asyncio.sleep(0, "value"))) == "value"
    began = monotonic()
    with pytest.raises(RunTimeout, match=r"longer than 0\.05 s"):
        run(within(0.05, asyncio.sleep(60)))
    assert monotonic() - began < 2


def test_a_time_out_of_the_code_under_test_is_its_own() -> None:
    """``TimeoutError`` raised inside is not our limit."""

    async def fail() -> None:
        raise TimeoutError("theirs")

    with pytest.raises(TimeoutError, match="theirs"):
        run(within(5, fail()))
