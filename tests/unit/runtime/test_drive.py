"""The main loop with crews that pass, fail, hang, deliver late, raise and get stuck."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureKey, Outcome, Sample
from pytest_llmrel.runtime.drive import drive
from pytest_llmrel.runtime.schedule import Schedule

Attempts = Callable[[int], list[Attempt]]
MakeCrew = Callable[..., Any]


def passed(attempt: Attempt) -> Sample:
    """A sample of it."""
    return Sample(attempt, Outcome.PASSED)


def fatal(attempt: Attempt) -> Sample:
    """A sample that says that all others would end alike."""
    key = FailureKey(Outcome.ERROR, "AuthenticationError", "", "invalid key <number>")
    evidence = Evidence(attempt, "invalid key 17\nand more")
    return Sample(attempt, Outcome.ERROR, failure=Failure(key, lambda: evidence), fatal=True)


@pytest.mark.parametrize("concurrency", [1, 2, 7, 100])
def test_every_attempt_is_started_and_recorded_once(
    make_attempts: Attempts, make_crew: MakeCrew, concurrency: int
) -> None:
    """And the crew is closed with patience."""
    todo, crew, recorded = make_attempts(10), make_crew(), []
    drive(Schedule(todo, concurrency), crew, crew.inbox, recorded.append)
    assert crew.started == todo
    assert sorted(sample.attempt.run for sample in recorded) == list(range(10))
    assert crew.closed == [True]


def test_nothing_to_do(make_crew: MakeCrew) -> None:
    """No attempt: nothing is started, the crew is closed."""
    crew = make_crew()
    drive(Schedule([], 3), crew, crew.inbox, pytest.fail)
    assert (crew.started, crew.closed) == ([], [True])


def test_a_hung_run_is_given_up_and_the_others_go_on(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """After the limit, not before, and as a sample of its own."""
    todo, recorded = make_attempts(4), []
    crew = make_crew(lambda attempt: None if attempt.run == 1 else passed(attempt), limit=0.1)
    began = monotonic()
    drive(Schedule(todo, 2), crew, crew.inbox, recorded.append)
    assert 0.1 <= monotonic() - began < 2
    assert crew.abandoned == [todo[1]]
    assert {sample.attempt.run: sample.timed_out for sample in recorded} == {
        0: False,
        1: True,
        2: False,
        3: False,
    }


def test_all_runs_hang(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """Each is given up in its turn; the session ends all the same."""
    recorded: list[Sample] = []
    crew = make_crew(lambda _: None, limit=0.05)
    drive(Schedule(make_attempts(4), 2), crew, crew.inbox, recorded.append)
    assert len(crew.abandoned) == len(recorded) == 4


def test_a_run_that_was_given_up_and_ends_after_all_is_not_recorded_twice(
    make_attempts: Attempts, make_crew: MakeCrew
) -> None:
    """Its late sample is thrown away."""
    todo, recorded = make_attempts(3), []

    def script(attempt: Attempt) -> Sample | None:
        if attempt.run == 0:
            return None
        if attempt.run == 1:
            crew.inbox.put(passed(todo[0]))  # the late one
        return passed(attempt)

    crew = make_crew(script, limit=0.05)
    drive(Schedule(todo, 1), crew, crew.inbox, recorded.append)
    assert [(sample.attempt.run, sample.timed_out) for sample in recorded] == [
        (0, True),
        (1, False),
        (2, False),
    ]


def test_a_sample_that_arrives_while_its_run_is_given_up_counts(
    make_attempts: Attempts, make_crew: MakeCrew
) -> None:
    """The crew answers that it is there already; nothing is lost, nothing invented."""
    recorded: list[Sample] = []
    crew = make_crew(lambda _: None, limit=0.05)

    def abandon(attempt: Attempt) -> None:
        crew.inbox.put(passed(attempt))

    crew.abandon = abandon
    drive(Schedule(make_attempts(2), 1), crew, crew.inbox, recorded.append)
    assert [sample.outcome for sample in recorded] == [Outcome.PASSED] * 2


def test_a_fatal_run_stops_the_item(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """What is in flight lands; nothing else is started; the reason names the error."""
    schedule, recorded = Schedule(make_attempts(100), 2), []
    crew = make_crew(fatal)
    drive(schedule, crew, crew.inbox, recorded.append)
    assert len(crew.started) == len(recorded) == 2
    assert schedule.stop_reason.endswith("(AuthenticationError: invalid key 17)")
    assert crew.closed == [True]


def test_a_stuck_crew_stops_the_item(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """After a time-out the crew is asked whether it can go on."""
    schedule, recorded = Schedule(make_attempts(100), 1), []
    crew = make_crew(lambda _: None, limit=0.01)
    crew.blocked = "the loop is blocked"
    drive(schedule, crew, crew.inbox, recorded.append)
    assert (len(recorded), schedule.stop_reason) == (1, "the loop is blocked")


def test_a_crew_is_not_asked_without_a_time_out(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """The question may take time."""
    crew = make_crew()
    crew.stuck = lambda: pytest.fail("asked")
    drive(Schedule(make_attempts(3), 1), crew, crew.inbox, list[Sample]().append)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), RuntimeError("pytest.exit")])
def test_what_a_run_raises_to_end_the_session_ends_it(
    make_attempts: Attempts, make_crew: MakeCrew, error: BaseException
) -> None:
    """The finished runs are recorded, the crew is closed without patience, the exception goes up."""
    recorded: list[Sample] = []
    crew = make_crew(lambda attempt: error if attempt.run == 2 else passed(attempt))
    with pytest.raises(type(error)) as caught:
        drive(Schedule(make_attempts(10), 1), crew, crew.inbox, recorded.append)
    assert caught.value is error
    assert ([sample.attempt.run for sample in recorded], crew.closed) == ([0, 1], [False])


@pytest.mark.parametrize("place", ["start", "record"])
def test_whatever_raises_the_crew_is_closed(make_attempts: Attempts, make_crew: MakeCrew, place: str) -> None:
    """A crew that cannot start a thread, a record that fails: no thread is left at work."""

    def fail(_: Any) -> None:
        raise MemoryError

    crew = make_crew(fail if place == "start" else None)
    with pytest.raises(MemoryError):
        drive(Schedule(make_attempts(3), 2), crew, crew.inbox, fail if place == "record" else [].append)
    assert crew.closed == [False]


def test_ten_thousand_runs_cost_little(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """The loop is linear: no search through what is in flight."""
    crew, recorded = make_crew(), []
    began = monotonic()
    drive(Schedule(make_attempts(10_000), 64), crew, crew.inbox, recorded.append)
    assert len(recorded) == 10_000
    assert monotonic() - began < 5
