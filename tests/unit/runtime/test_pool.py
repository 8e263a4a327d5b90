"""The pool with crews that pass, fail, hang, deliver late, raise and get stuck."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureKey, Outcome, Sample
from pytest_llmrel.runtime.pool import Lane, Pool
from pytest_llmrel.runtime.schedule import Schedule

Attempts = Callable[[int], list[Attempt]]
MakeCrew = Callable[..., Any]


def passed(attempt: Attempt) -> Sample:
    """A sample of it."""
    return Sample(attempt, Outcome.PASSED)


def drive(schedule: Schedule, crew: Any, record: Callable[[Sample], None]) -> None:
    """Run a single lane to its end."""
    pool = Pool()
    crew.inbox = pool.inbox()
    pool.enter(crew.inbox, Lane(schedule, crew, record))
    pool.drive(crew.inbox, most=lambda: 1_000)


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
    drive(Schedule(todo, concurrency), crew, recorded.append)
    assert crew.started == todo
    assert sorted(sample.attempt.run for sample in recorded) == list(range(10))
    assert crew.closed == [True]


def test_nothing_to_do(make_crew: MakeCrew) -> None:
    """No attempt: nothing is started, the crew is closed."""
    crew = make_crew()
    drive(Schedule([], 3), crew, pytest.fail)
    assert (crew.started, crew.closed) == ([], [True])


def test_a_hung_run_is_given_up_and_the_others_go_on(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """After the limit, not before, and as a sample of its own."""
    todo, recorded = make_attempts(4), []
    crew = make_crew(lambda attempt: None if attempt.run == 1 else passed(attempt), limit=0.1)
    began = monotonic()
    drive(Schedule(todo, 2), crew, recorded.append)
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
    drive(Schedule(make_attempts(4), 2), crew, recorded.append)
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
    drive(Schedule(todo, 1), crew, recorded.append)
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
    drive(Schedule(make_attempts(2), 1), crew, recorded.append)
    assert [sample.outcome for sample in recorded] == [Outcome.PASSED] * 2


def test_a_fatal_run_stops_the_item(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """What is in flight lands; nothing else is started; the reason names the error."""
    schedule, recorded = Schedule(make_attempts(100), 2), []
    crew = make_crew(fatal)
    drive(schedule, crew, recorded.append)
    assert len(crew.started) == len(recorded) == 2
    assert schedule.stop_reason.endswith("(AuthenticationError: invalid key 17)")
    assert crew.closed == [True]


def test_a_stuck_crew_stops_the_item(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """After a time-out the crew is asked whether it can go on."""
    schedule, recorded = Schedule(make_attempts(100), 1), []
    crew = make_crew(lambda _: None, limit=0.01)
    crew.blocked = "the loop is blocked"
    drive(schedule, crew, recorded.append)
    assert (len(recorded), schedule.stop_reason) == (1, "the loop is blocked")


def test_a_crew_is_not_asked_without_a_time_out(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """The question may take time."""
    crew = make_crew()
    crew.stuck = lambda: pytest.fail("asked")
    drive(Schedule(make_attempts(3), 1), crew, list[Sample]().append)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), RuntimeError("pytest.exit")])
def test_what_a_run_raises_to_end_the_session_ends_it(
    make_attempts: Attempts, make_crew: MakeCrew, error: BaseException
) -> None:
    """The finished runs are recorded, the crew is closed without patience, the exception goes up."""
    recorded: list[Sample] = []
    crew = make_crew(lambda attempt: error if attempt.run == 2 else passed(attempt))
    with pytest.raises(type(error)) as caught:
        drive(Schedule(make_attempts(10), 1), crew, recorded.append)
    assert caught.value is error
    assert ([sample.attempt.run for sample in recorded], crew.closed) == ([0, 1], [False])


@pytest.mark.parametrize("place", ["start", "record"])
def test_whatever_raises_the_crew_is_closed(make_attempts: Attempts, make_crew: MakeCrew, place: str) -> None:
    """A crew that cannot start a thread, a record that fails: no thread is left at work."""

    def fail(_: Any) -> None:
        raise MemoryError

    crew = make_crew(fail if place == "start" else None)
    with pytest.raises(MemoryError):
        drive(Schedule(make_attempts(3), 2), crew, fail if place == "record" else [].append)
    assert crew.closed == [False]


def test_ten_thousand_runs_cost_little(make_attempts: Attempts, make_crew: MakeCrew) -> None:
    """The loop is linear: no search through what is in flight."""
    crew, recorded = make_crew(), []
    began = monotonic()
    drive(Schedule(make_attempts(10_000), 64), crew, recorded.append)
    assert len(recorded) == 10_000
    assert monotonic() - began < 5


class Lanes:
    """Several lanes in one pool, whose runs end when a test says so."""

    def __init__(self, make_crew: MakeCrew, make_attempts: Attempts) -> None:
        self.pool = Pool()
        self.make_crew, self.make_attempts = make_crew, make_attempts
        self.crews: list[Any] = []
        self.lanes: list[Lane] = []
        self.recorded: list[tuple[int, int]] = []

    def enter(self, runs: int, concurrency: int, script: Callable[[Attempt], Any] = passed) -> bool:
        """One more lane at the end."""
        number = len(self.crews)
        crew = self.make_crew(script, limit=5.0)
        crew.inbox = self.pool.inbox()
        self.crews.append(crew)
        record = self.recorded
        schedule = Schedule(self.make_attempts(runs), concurrency)
        lane = Lane(schedule, crew, lambda sample: record.append((number, sample.attempt.run)))
        self.lanes.append(lane)
        self.pool.enter(crew.inbox, lane)
        return True

    def drive(self, number: int, open_next: Callable[[], bool] = lambda: False, most: int = 4) -> None:
        """Drive one of them."""
        self.pool.drive(self.crews[number].inbox, open_next, most=lambda: most)


@pytest.fixture
def lanes(make_crew: MakeCrew, make_attempts: Attempts) -> Lanes:
    """None yet."""
    return Lanes(make_crew, make_attempts)


def test_the_next_lanes_get_what_room_is_left(lanes: Lanes) -> None:
    """Three runs where four may be in flight: the fourth is one of the next lane, opened as needed."""
    lanes.enter(3, 3)
    lanes.drive(0, lambda: len(lanes.crews) < 2 and lanes.enter(2, 2))
    assert [run for lane, run in lanes.recorded if lane == 0] == [0, 1, 2]
    assert lanes.crews[1].started
    for number in range(1, len(lanes.crews)):
        lanes.drive(number)
    assert sorted(lanes.recorded) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    assert [crew.closed for crew in lanes.crews] == [[True]] * 2


def test_no_lane_is_opened_without_room(lanes: Lanes) -> None:
    """A lane that fills the pool to its end leaves nothing to the others."""

    def open_next() -> bool:
        assert sum(lane.in_flight for lane in lanes.lanes) < 2
        return len(lanes.crews) < 2 and lanes.enter(4, 4)

    lanes.enter(6, 6)
    lanes.drive(0, open_next, most=2)
    assert max(crew.most_in_flight for crew in lanes.crews) <= 6
    assert [run for lane, run in lanes.recorded if lane == 0] == list(range(6))


def test_what_ends_the_session_waits_for_its_turn(lanes: Lanes) -> None:
    """A run started ahead that raises: the tests before it are judged first."""
    stop = KeyboardInterrupt()
    lanes.enter(1, 1)
    lanes.enter(5, 1, lambda attempt: stop if attempt.run == 1 else passed(attempt))
    lanes.drive(0)
    with pytest.raises(KeyboardInterrupt) as caught:
        lanes.drive(1)
    assert caught.value is stop
    assert lanes.recorded.count((1, 2)) == 0
    assert lanes.crews[1].closed == [False]


def test_nobody_listens_to_a_lane_that_was_left(lanes: Lanes) -> None:
    """Its runs may end whenever they like."""
    lanes.enter(2, 2)
    lanes.enter(2, 2, lambda _: None)
    lanes.drive(0)
    lanes.pool.leave(lanes.crews[1].inbox)
    lanes.crews[1].inbox.put(passed(lanes.crews[1].started[0]))
    lanes.enter(1, 1)
    lanes.drive(2)
    assert lanes.recorded == [(0, 0), (0, 1), (2, 0)]
    assert lanes.crews[1].closed == [False]


def test_the_eldest_run_of_all_lanes_is_given_up(lanes: Lanes) -> None:
    """Also one of a lane that is not driven yet."""
    lanes.enter(1, 1, lambda _: None)
    lanes.enter(1, 1, lambda _: None)
    lanes.crews[0].limit, lanes.crews[1].limit = 0.2, 0.05
    lanes.drive(0)
    assert lanes.recorded == [(1, 0), (0, 0)]
