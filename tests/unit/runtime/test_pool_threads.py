"""What has passed is recorded by the thread that made it, and replaced at once; the rest is left to the driver."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from time import sleep
from typing import Any

import pytest

from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureKey, Outcome, Sample
from pytest_llmrel.runtime.crews import ThreadCrew
from pytest_llmrel.runtime.loops import SharedLoop, common_loop
from pytest_llmrel.runtime.pool import Lane, Pool
from pytest_llmrel.runtime.schedule import Schedule
from pytest_llmrel.runtime.taskcrew import TaskCrew
from pytest_llmrel.runtime.threads import ThreadTeam

Attempts = Callable[[int], list[Attempt]]
MakeCrew = Callable[..., Any]


def passed(attempt: Attempt) -> Sample:
    """A sample of it."""
    return Sample(attempt, Outcome.PASSED)


def failed(attempt: Attempt) -> Sample:
    """Another one."""
    failure = Failure(FailureKey(Outcome.FAILED, "AssertionError", "", ""), lambda: Evidence(attempt, ""))
    return Sample(attempt, Outcome.FAILED, failure=failure)


def given_up(attempt: Attempt, _stack: object) -> Sample:
    """A sample of a run that was left behind."""
    return Sample(attempt, Outcome.ERROR, timed_out=True)


@pytest.fixture
def team() -> Iterator[ThreadTeam]:
    """Threads that go home in the end."""
    made = ThreadTeam()
    yield made
    made.close()


class Lanes:
    """A pool whose lanes note what they record, and in which thread."""

    def __init__(self, team: ThreadTeam, make_attempts: Attempts) -> None:
        self.pool = Pool()
        self.team, self.make_attempts = team, make_attempts
        self.recorded: list[tuple[Attempt, str]] = []
        self.inboxes: list[Any] = []

    def enter(
        self,
        execute: Callable[[Attempt], Sample],
        runs: int,
        concurrency: int,
        limit: float = 5.0,
        record: Callable[[Sample], None] | None = None,
    ) -> None:
        """One more lane, of runs in threads."""
        inbox = self.pool.inbox()
        crew = ThreadCrew(self.team, execute, given_up, inbox, limit)
        schedule = Schedule(self.make_attempts(runs), concurrency)
        self.pool.enter(inbox, Lane(schedule, crew, record or self.note))
        self.inboxes.append(inbox)

    def note(self, sample: Sample) -> None:
        """Record it."""
        self.recorded.append((sample.attempt, threading.current_thread().name))

    def drive(self, number: int = 0, most: int = 4, open_next: Callable[[], bool] = lambda: False) -> None:
        """Drive one of them."""
        self.pool.drive(self.inboxes[number], open_next, most=lambda: most)


@pytest.fixture
def lanes(team: ThreadTeam, make_attempts: Attempts) -> Lanes:
    """None yet."""
    return Lanes(team, make_attempts)


def test_what_passed_is_recorded_where_it_ended(lanes: Lanes) -> None:
    """And what failed, which takes time to describe, by the thread that drives."""
    lanes.enter(lambda attempt: passed(attempt) if attempt.run % 2 else failed(attempt), 6, 1)
    lanes.drive()
    names = [name for _, name in lanes.recorded]
    assert [name.startswith("llmrel-run") for name in names] == [False, True] * 3
    assert set(names[::2]) == {threading.current_thread().name}


def test_a_thread_that_made_room_has_the_next_run(lanes: Lanes) -> None:
    """One run after the other needs one thread."""
    lanes.enter(passed, 50, 1)
    lanes.drive()
    assert {name for _, name in lanes.recorded} == {"llmrel-run-0"}


def test_runs_go_on_while_the_driver_is_busy(lanes: Lanes) -> None:
    """With opening a test, or with judging one: nobody drives the pool then."""
    ended = threading.Semaphore(0)

    def execute(attempt: Attempt) -> Sample:
        ended.release()
        return passed(attempt)

    def open_next() -> bool:
        if len(lanes.inboxes) > 1:
            return False
        lanes.enter(execute, 20, 2)
        return True

    lanes.enter(execute, 4, 2)
    lanes.drive(0, 2, open_next)
    assert all(ended.acquire(timeout=5) for _ in range(24)), "all of the second lane, though it is not driven"
    lanes.drive(1, 2)
    assert len(lanes.recorded) == 24


def test_what_cannot_be_recorded_is_raised_when_its_test_is_driven(lanes: Lanes) -> None:
    """Not in the thread that made the run, where nobody would hear of it, nor in another test."""

    def fail(_: Sample) -> None:
        raise MemoryError

    lanes.enter(passed, 3, 1)
    lanes.enter(passed, 3, 1, record=fail)
    lanes.drive(0)
    with pytest.raises(MemoryError):
        lanes.drive(1)
    assert len(lanes.recorded) == 3


def test_the_driver_learns_of_an_earlier_deadline(lanes: Lanes) -> None:
    """A run that another thread started, and that has less time than all that were known."""
    release, hung = threading.Event(), threading.Event()

    def first(attempt: Attempt) -> Sample:
        sleep(0.1)
        assert not attempt.run or release.wait(20), "nobody has given up the other"
        return passed(attempt)

    def hang(attempt: Attempt) -> Sample:
        hung.wait(20)
        return passed(attempt)

    lanes.enter(first, 2, 2, limit=30)
    lanes.enter(hang, 1, 1, limit=0.1, record=lambda _: release.set())
    lanes.enter(passed, 1, 1)
    lanes.drive(0, 2)
    hung.set()
    lanes.drive(2, 2)


def test_a_crew_that_drops_other_lanes_when_it_is_stuck(
    lanes: Lanes, make_crew: MakeCrew, make_attempts: Attempts
) -> None:
    """As a test does whose run blocks the loop that those started ahead have in common with it."""
    lanes.enter(passed, 5, 1)
    crew = make_crew(lambda _: None, limit=0.05)
    crew.inbox = lanes.pool.inbox()

    def stuck() -> str:
        lanes.pool.leave(lanes.inboxes[0])
        return "the loop is blocked"

    crew.stuck = stuck
    lanes.inboxes.append(crew.inbox)
    lanes.pool.enter(crew.inbox, Lane(Schedule(make_attempts(9), 1), crew, lanes.note))
    lanes.drive(1, 1)
    assert len(crew.started) == 1


@pytest.mark.parametrize("most", [1, 3, 64])
def test_many_threads_at_once(lanes: Lanes, most: int) -> None:
    """Every run is recorded once, one at a time, and never are more in flight than may be."""
    flying, recording = [0, 0], threading.Lock()
    lock = threading.Lock()

    def execute(attempt: Attempt) -> Sample:
        with lock:
            flying[0] += 1
            flying[1] = max(flying)
        sleep(0.0003 * (attempt.run % 3))
        with lock:
            flying[0] -= 1
        return failed(attempt) if attempt.run % 7 == 0 else passed(attempt)

    def record(sample: Sample) -> None:
        assert recording.acquire(blocking=False), "two at once"
        sleep(0.0001)
        lanes.note(sample)
        recording.release()

    todo = iter(range(20))

    def open_next() -> bool:
        if next(todo, None) is None:
            return False
        lanes.enter(execute, 30, 7, record=record)
        return True

    open_next()
    for number in range(20):
        lanes.drive(number, most, open_next)
    assert sorted(attempt.run for attempt, _ in lanes.recorded) == sorted(list(range(30)) * 20)
    assert flying[1] <= most


def test_a_task_sees_nothing_of_the_run_whose_place_it_takes(make_attempts: Attempts) -> None:
    """It is started in that one's task, but in the context of the test; and belongs to its own test only."""
    seen, mark = [], ContextVar("mark", default="nothing")
    shared = common_loop()
    hosts = [SharedLoop(shared, lambda: None) for _ in range(2)]
    pool = Pool()
    mark.set("of the test")

    def enter(host: SharedLoop) -> Any:
        async def execute(attempt: Attempt) -> Sample:
            seen.append((mark.get(), len(host._tasks)))
            mark.set(f"of run {attempt.run}")
            host.enter()
            await asyncio.sleep(0)
            return passed(attempt)

        inbox = pool.inbox()
        crew = TaskCrew(host, execute, given_up, inbox, 5.0)
        pool.enter(inbox, Lane(Schedule(make_attempts(3), 1), crew, lambda _: None))
        return inbox

    try:
        first, second = map(enter, hosts)
        pool.drive(first, most=lambda: 1)
        pool.drive(second, most=lambda: 1)
        assert seen == [("of the test", 0)] * 6
    finally:
        shared.close()
