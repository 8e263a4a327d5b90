"""Which lane a call takes, without any call."""

import sys
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.clients import lanes as module
from pytest_llmrel.clients.lanes import Lanes

ONE, OTHER = "https://one", "https://other"


def lanes(most: int | None = None, most_kept: int | None = None, expiry: float | None = 5) -> Lanes[Any]:
    """Lanes that are numbered, with whether they are kept."""
    numbers = count()
    return Lanes(lambda keeps: (next(numbers), keeps), most, most_kept, expiry)


def idle(found: Lanes[Any], *origins: str) -> list[Any]:
    """A lane for each, taken at once and given back in this order."""
    taken = [found.take(origin) for origin in origins]
    for origin, lane in zip(origins, taken, strict=True):
        found.give(origin, lane)
    return taken


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass."""
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])

    def go(seconds: float) -> None:
        now[0] += seconds

    return go


def test_the_freshest_is_first() -> None:
    """A connection that has just been used is the least likely to have been closed by its host."""
    found = lanes()
    first, second, third = idle(found, ONE, ONE, ONE)
    assert [found.take(ONE) for _ in range(3)] == [third, second, first]
    assert found.take(ONE) == (3, True)


def test_another_origin_has_lanes_of_its_own() -> None:
    """As long as there may be more of them."""
    found = lanes()
    (lane,) = idle(found, ONE)
    assert found.take(OTHER) != lane
    assert found.take(ONE) == lane


def test_at_the_limit_the_longest_idle_changes_its_origin() -> None:
    """There is no other way to call another host."""
    found = lanes(most=3)
    first, second, _ = idle(found, ONE, OTHER, ONE)
    assert [found.take("https://third"), found.take("https://third")] == [first, second]
    assert found.take(ONE) == (2, True)


def test_a_lane_that_was_idle_for_too_long_is_used_before_another_is_made(
    pass_time: Callable[[float], None],
) -> None:
    """Or a client would hold a connection to every host that it ever called."""
    found = lanes(expiry=5)
    (lane,) = idle(found, ONE)
    pass_time(5)
    assert found.take(OTHER) == (1, True)
    pass_time(0.1)
    assert found.take(OTHER) == lane


def test_what_is_more_than_shall_be_kept_goes() -> None:
    """The lanes that may be kept are used first."""
    found = lanes(most_kept=1)
    kept, passing = idle(found, ONE, ONE)
    assert (kept, passing) == ((0, True), (1, False))
    assert [found.take(ONE), found.take(ONE)] == [kept, (2, False)]


def test_a_lane_that_may_be_kept_rather_changes_its_origin_than_idles() -> None:
    """A second one would not be kept."""
    found = lanes(most_kept=1)
    (kept,) = idle(found, ONE)
    assert found.take(OTHER) == kept


def test_nothing_is_kept_if_nothing_shall_be() -> None:
    """Every call has a lane of its own."""
    found = lanes(most_kept=0)
    assert idle(found, ONE) + idle(found, ONE) == [(0, False), (1, False)]
    assert found.clear() == []


def test_a_dropped_lane_is_never_seen_again() -> None:
    """And leaves its place to another."""
    found = lanes(most=1, most_kept=1)
    found.drop(found.take(ONE))
    assert found.take(ONE) == (1, True)


def test_all_of_them_are_cleared_busy_ones_included() -> None:
    """Whose calls end afterwards, and do not bring them back."""
    found = lanes(most_kept=2)
    busy = [found.take(ONE) for _ in range(3)]
    found.give(ONE, busy[0])
    assert sorted(found.clear()) == sorted(busy)
    found.give(ONE, busy[1])
    assert found.clear() == []
    assert found.take(ONE) == (3, True)


@given(
    most=st.integers(1, 4),
    most_kept=st.none() | st.integers(0, 4),
    steps=st.lists(st.tuples(st.sampled_from("take give drop".split()), st.integers(0, 5)), max_size=60),
)
def test_no_lane_is_busy_twice_and_none_is_lost(
    most: int, most_kept: int | None, steps: list[tuple[str, int]]
) -> None:
    """Whatever is called and ends in which order: never more lanes than may be, and never more kept."""
    found, busy = lanes(most, most_kept), list[tuple[str, Any]]()
    for step, number in steps:
        if step == "take" and len(busy) < most:
            origin = f"https://{number % 3}"
            lane = found.take(origin)
            assert lane not in [other for _, other in busy]
            busy.append((origin, lane))
        elif step != "take" and busy:
            origin, lane = busy.pop(number % len(busy))
            found.give(origin, lane) if step == "give" else found.drop(lane)
    there = found.clear()
    assert {lane for _, lane in busy} <= set(there)
    assert len(there) == len(set(there)) <= most
    assert most_kept is None or sum(keeps for _, keeps in there) <= most_kept


def test_threads_never_share_a_lane() -> None:
    """Sixteen of them, as fast as they can."""
    found, held, clashes = lanes(most=16), set(), []

    def work() -> None:
        for _ in range(300):
            lane = found.take(ONE)
            if lane in held:
                clashes.append(lane)
            held.add(lane)
            held.discard(lane)
            found.give(ONE, lane)

    threads = [threading.Thread(target=work) for _ in range(16)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert clashes == []
    assert len(found.clear()) <= 16
