"""Attempts in the calling thread, and in daemon threads that can be left behind."""

import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

import pytest

from pytest_llmrel.core.model import Attempt, Outcome, Sample
from pytest_llmrel.runtime.crews import InlineCrew, Stack, ThreadCrew
from pytest_llmrel.runtime.threads import ThreadTeam

Attempts = Callable[[int], list[Attempt]]


def passed(attempt: Attempt) -> Sample:
    """A sample of it."""
    return Sample(attempt, Outcome.PASSED)


def given_up(attempt: Attempt, stack: Stack) -> Sample:
    """A sample of a run that was left behind; whether its thread was seen at work is in the duration."""
    return Sample(attempt, Outcome.ERROR, duration=1.0 if stack else 0.0, timed_out=True)


@pytest.fixture
def inbox() -> Any:
    """Where crews deliver."""
    return SimpleQueue()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds runs until a test opens it; opened in the end, so that no thread is left."""
    event = threading.Event()
    yield event
    event.set()


def test_inline_runs_in_the_calling_thread_before_it_returns(inbox: Any, make_attempts: Attempts) -> None:
    """One after the other, no thread, no limit from outside."""
    where: list[int] = []

    def execute(attempt: Attempt) -> Sample:
        where.append(threading.get_ident())
        return passed(attempt)

    crew = InlineCrew(execute, inbox)
    for attempt in make_attempts(3):
        crew.start([attempt])
        assert inbox.get_nowait().attempt == attempt
    assert set(where) == {threading.get_ident()}
    assert (crew.limit, crew.stuck(), crew.abandon(attempt)) == (None, "", None)
    crew.close(patient=True)


def test_inline_lets_exceptions_through(inbox: Any, attempt: Attempt) -> None:
    """Ctrl-C in a run is Ctrl-C in the session."""

    def execute(_: Attempt) -> Sample:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        InlineCrew(execute, inbox).start([attempt])


def test_threads_run_at_the_same_time(inbox: Any, make_attempts: Attempts) -> None:
    """Eight runs meet at a barrier, which they can only do together."""
    barrier = threading.Barrier(8, timeout=5)

    def execute(attempt: Attempt) -> Sample:
        barrier.wait()
        return passed(attempt)

    crew = ThreadCrew(ThreadTeam(), execute, given_up, inbox, 5.0)
    for attempt in make_attempts(8):
        crew.start([attempt])
    assert {inbox.get(timeout=5).attempt.run for _ in range(8)} == set(range(8))
    crew.close(patient=True)


def test_threads_are_used_again(inbox: Any, make_attempts: Attempts) -> None:
    """A hundred runs, two at a time, need two threads."""
    names: set[str] = set()

    def execute(attempt: Attempt) -> Sample:
        names.add(threading.current_thread().name)
        return passed(attempt)

    crew = ThreadCrew(ThreadTeam(), execute, given_up, inbox, 5.0)
    for first, second in zip(*[iter(make_attempts(100))] * 2, strict=True):
        crew.start([first])
        crew.start([second])
        inbox.get(timeout=5)
        inbox.get(timeout=5)
    crew.close(patient=True)
    assert len(names) <= 2


def test_all_threads_are_daemons_and_go_home(
    inbox: Any, make_attempts: Attempts, gate: threading.Event
) -> None:
    """None can block the exit of the interpreter, and a patient close waits for them."""
    seen: list[threading.Thread] = []

    def execute(attempt: Attempt) -> Sample:
        seen.append(threading.current_thread())
        gate.wait(5)
        return passed(attempt)

    team = ThreadTeam()
    crew = ThreadCrew(team, execute, given_up, inbox, 5.0)
    for attempt in make_attempts(4):
        crew.start([attempt])
    gate.set()
    for _ in range(4):
        inbox.get(timeout=5)
    team.close()
    assert len(seen) == 4
    assert all(thread.daemon for thread in seen)
    assert not any(thread.is_alive() for thread in seen)


def test_a_hung_run_is_left_behind_and_another_thread_takes_over(
    inbox: Any, make_attempts: Attempts, gate: threading.Event
) -> None:
    """Its sample says where it hung; what it delivers later is thrown away."""
    hung, nxt = make_attempts(2)
    started = threading.Event()

    def execute(attempt: Attempt) -> Sample:
        if attempt == hung:
            started.set()
            gate.wait(5)
        return passed(attempt)

    crew = ThreadCrew(ThreadTeam(), execute, given_up, inbox, 5.0)
    crew.start([hung])
    assert started.wait(5)
    sample = crew.abandon(hung)
    assert sample == Sample(hung, Outcome.ERROR, duration=1.0, timed_out=True)
    crew.start([nxt])
    assert inbox.get(timeout=5) == passed(nxt)
    gate.set()
    began = monotonic()
    crew.close(patient=True)
    assert monotonic() - began < 1
    with pytest.raises(Empty):
        inbox.get(timeout=0.2)


def test_a_run_that_was_given_up_before_it_began_never_begins(inbox: Any, make_attempts: Attempts) -> None:
    """Its sample is out already; a thread that finds it in the queue passes it by."""
    first, second = make_attempts(2)
    jobs: list[Callable[[], Callable[[], None]]] = []
    began: list[int] = []

    def execute(attempt: Attempt) -> Sample:
        began.append(attempt.run)
        return passed(attempt)

    team = ThreadTeam()
    team.submit = jobs.append  # type: ignore[method-assign]
    crew = ThreadCrew(team, execute, given_up, inbox, 5.0)
    crew.start([first])
    crew.start([second])
    assert crew.abandon(first) == Sample(first, Outcome.ERROR, timed_out=True)
    for job in jobs:
        job()()
    assert began == [1]
    assert inbox.get(timeout=5) == passed(second)


def test_the_stack_of_a_hung_run_is_that_of_its_thread(
    inbox: Any, attempt: Attempt, gate: threading.Event
) -> None:
    """Outermost first, so that the report can show the line where it hangs."""
    functions: list[str] = []
    started = threading.Event()

    def the_hanging_function(_: Attempt) -> Sample:
        started.set()
        gate.wait(5)
        raise AssertionError

    def give_up(attempt: Attempt, stack: Stack) -> Sample:
        functions.extend(frame.f_code.co_name for frame, _ in stack)
        return passed(attempt)

    crew = ThreadCrew(ThreadTeam(), the_hanging_function, give_up, inbox, 5.0)
    crew.start([attempt])
    assert started.wait(5)
    crew.abandon(attempt)
    assert functions.index("_work") < functions.index("the_hanging_function") < functions.index("wait")
    crew.close(patient=False)


def test_a_run_that_has_ended_cannot_be_given_up(inbox: Any, attempt: Attempt) -> None:
    """Its sample is in the inbox, and stays the only one."""
    crew = ThreadCrew(ThreadTeam(), passed, given_up, inbox, 5.0)
    crew.start([attempt])
    assert inbox.get(timeout=5) == passed(attempt)
    assert crew.abandon(attempt) is None
    crew.close(patient=True)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), MemoryError()])
def test_what_a_run_raises_is_delivered(inbox: Any, attempt: Attempt, error: BaseException) -> None:
    """It is for the driver to raise it: a thread that dies silently would hang the session."""

    def execute(_: Attempt) -> Sample:
        raise error

    crew = ThreadCrew(ThreadTeam(), execute, given_up, inbox, 5.0)
    crew.start([attempt])
    assert inbox.get(timeout=5) is error
    crew.close(patient=True)


def test_closing_without_patience_waits_for_nobody(
    inbox: Any, attempt: Attempt, gate: threading.Event
) -> None:
    """Ctrl-C has to be over within a second, whatever the runs are doing."""
    started = threading.Event()

    def execute(attempt: Attempt) -> Sample:
        started.set()
        gate.wait(5)
        return passed(attempt)

    crew = ThreadCrew(ThreadTeam(), execute, given_up, inbox, 60.0)
    crew.start([attempt])
    assert started.wait(5)
    began = monotonic()
    crew.close(patient=False)
    assert monotonic() - began < 0.5


def test_whether_it_is_stuck_is_the_callers_business(inbox: Any) -> None:
    """Threads themselves never are."""
    assert ThreadCrew(ThreadTeam(), passed, given_up, inbox, 1.0).stuck() == ""
    assert (
        ThreadCrew(ThreadTeam(), passed, given_up, inbox, 1.0, stuck=lambda: "blocked").stuck() == "blocked"
    )
