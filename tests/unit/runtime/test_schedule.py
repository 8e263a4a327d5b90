"""The schedule decides what to start and when it is over; its laws are in tests/property."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pytest_llmrel.core.model import Attempt, Variant
from pytest_llmrel.runtime.schedule import Schedule

Attempts = Callable[[int], list[Attempt]]


def test_it_hands_out_in_order_up_to_the_concurrency(make_attempts: Attempts) -> None:
    """Two at a time, and one more for each that ended."""
    todo = make_attempts(4)
    schedule = Schedule(todo, 2)
    assert schedule.start(99) == todo[:2]
    assert schedule.start(99) == []
    schedule.finish()
    assert schedule.start(99) == todo[2:3]
    schedule.finish()
    schedule.finish()
    assert schedule.start(99) == todo[3:]
    assert not schedule.finished
    schedule.finish()
    assert schedule.finished


def test_more_room_than_attempts(make_attempts: Attempts) -> None:
    """All are handed out at once, and then none."""
    schedule = Schedule(make_attempts(3), 100)
    assert len(schedule.start(99)) == 3
    assert schedule.start(99) == []


def test_nothing_to_do_is_finished() -> None:
    """From the start, without having been stopped."""
    schedule = Schedule([], 4)
    assert (schedule.start(99), schedule.finished, schedule.stop_reason) == ([], True, "")


def test_attempts_are_made_when_they_are_started() -> None:
    """Not before: a test may have a million of them."""
    asked: list[int] = []

    class Lazy(Sequence[Attempt]):
        def __len__(self) -> int:
            return 10**6

        def __getitem__(self, place: Any) -> Any:
            asked.append(place)
            return Attempt("", Variant(), place, 0)

    schedule = Schedule(Lazy(), 2)
    assert [attempt.run for attempt in schedule.start(9)] == [0, 1] == asked
    schedule.finish()
    assert [attempt.run for attempt in schedule.start(9)] == [2] == asked[2:]


def test_after_a_stop_nothing_more_is_started(make_attempts: Attempts) -> None:
    """What is in flight may land; then it is over."""
    schedule = Schedule(make_attempts(10), 2)
    schedule.start(99)
    schedule.stop("HTTP 401")
    assert not schedule.finished
    schedule.finish()
    assert schedule.start(99) == []
    schedule.finish()
    assert (schedule.finished, schedule.stop_reason) == (True, "HTTP 401")


def test_the_first_reason_is_kept(make_attempts: Attempts) -> None:
    """Those after it are consequences."""
    schedule = Schedule(make_attempts(1), 1)
    schedule.stop("cause")
    schedule.stop("consequence")
    assert schedule.stop_reason == "cause"


@pytest.mark.parametrize("started", [0, 1, 3])
def test_stopping_before_during_and_after(make_attempts: Attempts, started: int) -> None:
    """At any time: over as soon as nothing is in flight."""
    schedule = Schedule(make_attempts(3), 1)
    for _ in range(started):
        schedule.start(99)
        schedule.finish()
    schedule.stop("enough")
    assert schedule.finished


def test_attempts_can_be_held_back(make_attempts: Attempts) -> None:
    """Two of five for now, whatever room there is; then two more; it is not over in between."""
    todo = make_attempts(5)
    schedule = Schedule(todo, 4)
    schedule.allow(2)
    assert schedule.start(99) == todo[:2]
    assert schedule.start(99) == []
    schedule.finish()
    schedule.finish()
    assert (schedule.start(99), schedule.finished) == ([], False)
    schedule.allow(4)
    assert schedule.start(99) == todo[2:4]


def test_allowing_fewer_than_were_started(make_attempts: Attempts) -> None:
    """What is under way stays under way, and nothing is started for it."""
    schedule = Schedule(make_attempts(5), 3)
    schedule.start(99)
    schedule.allow(1)
    schedule.finish()
    assert schedule.start(99) == []
    schedule.allow(4)
    assert len(schedule.start(99)) == 1


def test_allowing_more_than_there_are(make_attempts: Attempts) -> None:
    """The concurrency and the attempts are limits of their own."""
    schedule = Schedule(make_attempts(3), 2)
    schedule.allow(100)
    assert len(schedule.start(99)) == 2
    schedule.finish()
    assert len(schedule.start(99)) == 1


def test_a_stop_overrides_what_was_allowed(make_attempts: Attempts) -> None:
    """Nothing more is started, and with nothing in flight it is over."""
    schedule = Schedule(make_attempts(3), 2)
    schedule.allow(1)
    schedule.start(99)
    schedule.finish()
    schedule.stop("every gate is decided")
    schedule.allow(3)
    assert (schedule.start(99), schedule.finished) == ([], True)


def test_what_has_ended_before_is_left_out(make_attempts: Attempts) -> None:
    """It counts as started, is never handed out, and the last one left out does not keep it open."""
    todo = make_attempts(5)
    schedule = Schedule(todo, 5)
    schedule.skip({todo[0], todo[2], todo[4]})
    schedule.allow(2)
    assert schedule.start(9) == [todo[1]]
    schedule.finish()
    assert not schedule.finished
    schedule.allow(5)
    assert schedule.start(9) == [todo[3]]
    assert not schedule.finished
    schedule.finish()
    assert schedule.finished


def test_nothing_is_left_where_all_have_ended_before(make_attempts: Attempts) -> None:
    """Over at once; and so is a schedule that is stopped with some of them waiting."""
    todo = make_attempts(3)
    schedule = Schedule(todo, 2)
    schedule.skip(todo)
    assert schedule.finished
    schedule = Schedule(todo, 2)
    schedule.skip(todo[1:])
    schedule.stop("enough")
    assert schedule.finished
