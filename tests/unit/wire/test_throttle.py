"""How many calls a host gets, before and after it has complained; by a clock that the test winds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.wire.throttle import LONGEST_PAUSE, Throttle


class Clock:
    """Seconds, as the test sets them."""

    now = 100.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


def test_nothing_is_limited_before_a_host_complains() -> None:
    """However many there are."""
    throttle = Throttle(Clock())
    assert {throttle.admit() for _ in range(500)} == {0.0}
    assert throttle.in_flight == 500


def test_a_complaint_halves_what_is_in_flight() -> None:
    """At once: nobody is admitted until enough have ended."""
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(10):
        throttle.admit()
    throttle.refused(clock.now, 0)
    assert throttle.limit == 5
    ended = 0
    while throttle.admit():
        throttle.release()
        ended += 1
    assert ended == 6


def test_a_burst_of_complaints_is_one() -> None:
    """Calls that had begun before the limit was lowered tell nothing new; later ones do."""
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(16):
        throttle.admit()
    clock.now = 101.0
    for _ in range(16):
        throttle.refused(100.0, 0)
    assert throttle.limit == 8
    throttle.refused(101.0, 0)
    assert throttle.limit == 4


def test_it_is_raised_again_slowly() -> None:
    """By about one for as many calls as are allowed."""
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(20):
        throttle.admit()
    throttle.refused(clock.now, 0)
    for _ in range(10):
        throttle.accepted()
    assert 10.5 < throttle.limit < 11.1


def test_the_pause_that_a_host_wants() -> None:
    """Is kept by all, to the end and no longer; never more than the longest."""
    clock = Clock()
    throttle = Throttle(clock)
    throttle.refused(clock.now, 2.0)
    assert throttle.admit() == pytest.approx(2.0)
    assert throttle.admit(holds_one=True) == pytest.approx(2.0)
    clock.now = 102.0
    assert throttle.admit() == 0.0
    throttle.refused(clock.now, math.inf)
    assert throttle.admit() == pytest.approx(LONGEST_PAUSE)


def test_never_less_than_one() -> None:
    """A host that always complains is asked one at a time."""
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(20):
        clock.now += 1
        throttle.refused(clock.now, 0)
    assert throttle.limit == 1
    assert throttle.admit() == 0.0
    assert throttle.admit() > 0
    assert throttle.admit(holds_one=True) == 0.0


@given(st.lists(st.sampled_from(["ask", "end", "fine", "busy"]), max_size=200))
def test_laws(events: list[str]) -> None:
    """Nobody is admitted beyond the limit, the limit is at least one, and what is in flight is counted exactly."""
    clock = Clock()
    throttle, in_flight = Throttle(clock), 0
    for event in events:
        clock.now += 1
        if event == "ask":
            before, limit = in_flight, throttle.limit
            admitted = throttle.admit() == 0.0
            assert admitted == (before + 1 <= limit)
            in_flight += admitted
        elif event == "end" and in_flight:
            throttle.release()
            in_flight -= 1
        elif event == "fine":
            throttle.accepted()
        elif event == "busy":
            throttle.refused(clock.now, 0)
        assert throttle.in_flight == in_flight
        assert throttle.limit >= 1
