"""Laws of the schedule, as a machine that starts, ends and stops in any order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pytest_llmrel.core.model import Attempt, Variant
from pytest_llmrel.runtime.schedule import Schedule


class Machine(RuleBasedStateMachine):
    """Never more in flight or in all than allowed, nothing lost, nothing handed out twice, a stop is final."""

    @initialize(count=st.integers(0, 12), concurrency=st.integers(1, 5))
    def begin(self, count: int, concurrency: int) -> None:
        """A schedule of some attempts."""
        self.todo = [Attempt("", Variant(), run, run) for run in range(count)]
        self.concurrency = concurrency
        self.schedule = Schedule(self.todo, concurrency)
        self.handed_out: list[Attempt] = []
        self.ended = 0
        self.allowed = count
        self.reasons: list[str] = []

    @property
    def in_flight(self) -> int:
        """As this machine counts them."""
        return len(self.handed_out) - self.ended

    @rule(most=st.integers(0, 15))
    def start(self, most: int) -> None:
        """Whatever there is room for is handed out at once, in order."""
        left = min(len(self.todo), self.allowed) - len(self.handed_out)
        room = 0 if self.reasons else max(0, min(self.concurrency - self.in_flight, left))
        started = self.schedule.start(most)
        assert len(started) == min(room, most)
        self.handed_out += started

    @precondition(lambda self: self.in_flight)
    @rule()
    def finish(self) -> None:
        """One of them ends."""
        self.schedule.finish()
        self.ended += 1

    @rule(total=st.integers(0, 15))
    def allow(self, total: int) -> None:
        """More, fewer than are under way already, or more than there are."""
        self.schedule.allow(total)
        self.allowed = total

    @rule(reason=st.sampled_from(["401", "blocked"]))
    def stop(self, reason: str) -> None:
        """At any time, also more than once."""
        self.schedule.stop(reason)
        self.reasons.append(reason)

    @invariant()
    def never_too_many(self) -> None:
        """No more in flight than allowed."""
        if hasattr(self, "schedule"):
            assert 0 <= self.in_flight <= self.concurrency

    @invariant()
    def nothing_lost_and_nothing_twice(self) -> None:
        """What was handed out is a beginning of what there was to do."""
        if hasattr(self, "schedule"):
            assert self.handed_out == self.todo[: len(self.handed_out)]

    @invariant()
    def what_is_held_back_is_not_over(self) -> None:
        """A schedule that may start nothing for now, and has something left, is not finished."""
        if hasattr(self, "schedule") and not self.reasons and len(self.handed_out) < len(self.todo):
            assert not self.schedule.finished

    @invariant()
    def finished_means_finished(self) -> None:
        """Nothing in flight and nothing left, or stopped."""
        if hasattr(self, "schedule"):
            nothing_left = bool(self.reasons) or len(self.handed_out) == len(self.todo)
            assert self.schedule.finished == (nothing_left and not self.in_flight)

    @invariant()
    def the_first_reason_stays(self) -> None:
        """The cause, not its consequences."""
        if hasattr(self, "schedule"):
            assert self.schedule.stop_reason == (self.reasons[0] if self.reasons else "")

    def teardown(self) -> None:
        """Let to itself, it ends, and without a stop every attempt was handed out."""
        if not hasattr(self, "schedule"):
            return
        self.allow(len(self.todo))
        while not self.schedule.finished:
            self.start(15)
            self.finish()
        if not self.reasons:
            assert self.handed_out == self.todo


TestSchedule = Machine.TestCase
TestSchedule.settings = settings(stateful_step_count=40)
TestSchedule.__doc__ = "The machine, searched."
