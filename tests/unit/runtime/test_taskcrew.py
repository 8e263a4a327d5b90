"""Runs as tasks on one loop: all at once, no thread each, and every end is delivered."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from pytest_llmrel.core.model import Attempt, Outcome, Sample
from pytest_llmrel.runtime.crews import Stack
from pytest_llmrel.runtime.loops import ThreadLoop
from pytest_llmrel.runtime.pool import Lane, Pool
from pytest_llmrel.runtime.schedule import Schedule
from pytest_llmrel.runtime.taskcrew import TaskCrew

Attempts = Callable[[int], list[Attempt]]


def given_up(attempt: Attempt, stack: Stack) -> Sample:
    """A sample of a run that was left behind; the number of its own frames is in the duration."""
    names = [frame.f_code.co_name for frame, _ in stack]
    return Sample(attempt, Outcome.ERROR, duration=float(names.count("hang")), timed_out=True)


@pytest.fixture
def host(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[ThreadLoop]:
    """A loop in a thread."""
    loop = ThreadLoop(make_loop(), owned=True)
    yield loop
    loop.close()


@pytest.fixture
def crew_of(host: ThreadLoop) -> Callable[..., Any]:
    """Makes a crew for a coroutine function, and its inbox."""

    def make(execute: Any, limit: float = 5.0) -> Any:
        inbox: Any = SimpleQueue()
        return TaskCrew(host, execute, given_up, inbox, limit), inbox

    return make


@pytest.fixture
def drive(host: ThreadLoop) -> Callable[..., None]:
    """Makes so many runs of a coroutine function at once."""

    def run(execute: Any, todo: list[Attempt], record: Callable[[Sample], None], limit: float = 5.0) -> None:
        pool = Pool()
        inbox = pool.inbox()
        crew = TaskCrew(host, execute, given_up, inbox, limit)
        pool.enter(inbox, Lane(Schedule(todo, len(todo)), crew, record))
        pool.drive(inbox, most=lambda: len(todo))

    return run


async def passing(attempt: Attempt) -> Sample:
    """A run that waits a little and passes."""
    await asyncio.sleep(0.001)
    return Sample(attempt, Outcome.PASSED)


def test_a_thousand_runs_at_once_need_one_thread(drive: Any, make_attempts: Attempts) -> None:
    """All wait at the same time, in the loop's own thread."""
    names: set[str] = set()

    async def execute(attempt: Attempt) -> Sample:
        names.add(threading.current_thread().name)
        return await passing(attempt)

    recorded: list[Sample] = []
    drive(execute, make_attempts(1_000), recorded.append)
    assert sorted(sample.attempt.run for sample in recorded) == list(range(1_000))
    assert names == {"llmrel-loop"}


def test_a_run_that_ignores_its_limit_is_given_up(drive: Any, make_attempts: Attempts) -> None:
    """Its stack is that of its coroutine; the others are recorded; the host cancels it in the end."""

    async def hang() -> None:
        await asyncio.sleep(60)

    async def execute(attempt: Attempt) -> Sample:
        if attempt.run == 0:
            await hang()
        return await passing(attempt)

    recorded: list[Sample] = []
    drive(execute, make_attempts(3), recorded.append, 0.1)
    assert {sample.attempt.run: sample.timed_out for sample in recorded} == {0: True, 1: False, 2: False}
    assert [sample.duration for sample in recorded if sample.timed_out] == [1.0]


@pytest.mark.parametrize("error", [SystemError("x"), RuntimeError("x"), MemoryError()])
def test_what_the_coroutine_raises_is_delivered(crew_of: Any, attempt: Attempt, error: BaseException) -> None:
    """It is for the pool to raise it."""

    async def execute(_: Attempt) -> Sample:
        raise error

    crew, inbox = crew_of(execute)
    crew.start([attempt])
    assert inbox.get(timeout=5) is error


def test_a_cancelled_run_delivers_nothing(
    make_loop: Callable[[], asyncio.AbstractEventLoop], attempt: Attempt
) -> None:
    """Nobody is left to take it."""
    inbox: Any = SimpleQueue()
    host = ThreadLoop(make_loop(), owned=True)

    async def execute(_: Attempt) -> Sample:
        await asyncio.sleep(60)
        raise AssertionError

    TaskCrew(host, execute, given_up, inbox, 5.0).start([attempt])
    host.run(asyncio.sleep(0.01))
    host.close()
    with pytest.raises(Empty):
        inbox.get(timeout=0.1)


@pytest.mark.parametrize("patient", [True, False])
def test_what_is_left_is_cancelled(host: ThreadLoop, make_attempts: Attempts, patient: bool) -> None:
    """A loop that other tests go on using must not keep the runs of a test that is over."""
    inbox: Any = SimpleQueue()
    begun, cancelled = threading.Semaphore(0), threading.Semaphore(0)

    async def execute(_: Attempt) -> Sample:
        begun.release()
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.release()
        raise AssertionError

    crew = TaskCrew(host, execute, given_up, inbox, 5.0)
    crew.start(make_attempts(2))
    assert all(begun.acquire(timeout=5) for _ in range(2))
    crew.close(patient=patient)
    assert all(cancelled.acquire(timeout=5) for _ in range(2))
    host.run(asyncio.sleep(0))
    assert inbox.empty()


def test_whether_it_is_stuck_is_asked_of_the_host(crew_of: Any, host: ThreadLoop) -> None:
    """A loop that answers is not; one that is blocked is, with the place."""
    crew, _ = crew_of(passing)
    assert crew.stuck() == ""
    release, began = threading.Event(), threading.Event()

    def block() -> None:
        began.set()
        release.wait(5)

    host.loop.call_soon_threadsafe(block)
    assert began.wait(5)
    assert "blocks the event loop" in crew.stuck()
    release.set()
