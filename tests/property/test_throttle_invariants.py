"""Laws of the throttle: never more in flight than the limit, half after a refusal, more with time, no call lost."""

from collections import deque
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pytest_llmrel.wire.throttle import LONGEST_PAUSE, Throttle


class Host(RuleBasedStateMachine):
    """Calls that begin and end in any order, at any time, before a host that complains as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.throttle = Throttle(lambda: self.now)
        self.begun: list[float] = []
        self.open_until = 0.0
        self.lowered = -1.0

    @rule(seconds=st.floats(0, 100))
    def time_passes(self, seconds: float) -> None:
        """On a clock that never goes back."""
        self.now += seconds

    @rule()
    def ask(self) -> None:
        """Who is admitted is in flight; who is not is told a time that is worth waiting."""
        room = len(self.begun) + 1 <= self.throttle.limit and self.now >= self.open_until
        pause = self.throttle.admit()
        assert (pause == 0) == room
        assert 0 <= pause <= LONGEST_PAUSE + 1e-9
        if self.now < self.open_until:
            assert pause == pytest.approx(self.open_until - self.now)
        if not pause:
            self.begun.append(self.now)

    @precondition(lambda self: self.begun)
    @rule(data=st.data(), how=st.sampled_from(["accepted", "broken"]))
    def end(self, data: st.DataObject, how: str) -> None:
        """Any of those in flight; only a host that did not complain gets more, by one over the limit."""
        limit = self.throttle.limit
        self.begun.pop(data.draw(st.integers(0, len(self.begun) - 1)))
        if how == "accepted":
            self.throttle.accepted()
            assert self.throttle.limit == limit + 1 / limit
        else:
            assert self.throttle.limit == limit
        self.throttle.release()

    @precondition(lambda self: self.begun)
    @rule(data=st.data(), pause=st.floats(0, 1000))
    def refuse(self, data: st.DataObject, pause: float) -> None:
        """Halves what is in flight, or the limit, unless the call began before it was halved last."""
        limit, count = self.throttle.limit, len(self.begun)
        began = self.begun.pop(data.draw(st.integers(0, count - 1)))
        self.throttle.refused(began, pause)
        if began >= self.lowered:
            assert self.throttle.limit == max(1.0, min(limit, count) / 2)
            self.lowered = self.now
        else:
            assert self.throttle.limit == limit
        self.open_until = max(self.open_until, self.now + min(pause, LONGEST_PAUSE))
        self.throttle.release()

    @invariant()
    def counts(self) -> None:
        """What is in flight is counted exactly, and somebody may always be."""
        assert self.throttle.in_flight == len(self.begun)
        assert self.throttle.limit >= 1


TestHost = Host.TestCase


@given(st.integers(1, 60), st.integers(1, 12), st.floats(0, 0.9), st.integers(0, 2**32))
def test_no_call_is_lost(calls: int, room: int, busy: float, seed: int) -> None:
    """Before a host that refuses at random, and always beyond its room, all calls are answered in the end."""
    luck, now, waiting, flying, answered = (
        Random(seed),
        [0.0],
        deque(range(calls)),
        deque[tuple[int, float]](),
        set(),
    )
    throttle = Throttle(lambda: now[0])
    for _ in range(100_000):
        while waiting and not throttle.admit():
            flying.append((waiting.popleft(), now[0]))
            assert len(flying) <= throttle.limit
        if not flying and not waiting:
            break
        now[0] += 0.1
        if not flying:
            continue
        is_refused = len(flying) > room or luck.random() < busy
        call, began = flying.popleft()
        if is_refused:
            throttle.refused(began, luck.choice([0, 0.3]))
            waiting.append(call)
        else:
            throttle.accepted()
            answered.add(call)
        throttle.release()
    assert answered == set(range(calls))
    assert throttle.in_flight == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.integers(2, 200))
def test_a_burst_is_one_complaint(delays: Sequence[float], in_flight: int) -> None:
    """However many of the calls that were in flight together are refused, and in whatever order they began."""
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for _ in range(in_flight):
        throttle.admit()
    now[0] = 2.0
    for began in delays:
        throttle.refused(began, 0)
    assert throttle.limit == max(1.0, in_flight / 2)


@given(st.floats(1, 500), st.integers(1, 2000))
def test_it_grows_by_about_one_for_each_round(limit: float, calls: int) -> None:
    """After n accepted calls the limit is between sqrt(l² + 2n) and that and a little: additive increase."""
    throttle = Throttle(lambda: 0.0)
    throttle.limit = limit
    for _ in range(calls):
        throttle.accepted()
    least = (limit**2 + 2 * calls) ** 0.5
    assert least - 1e-6 <= throttle.limit <= least + 1
