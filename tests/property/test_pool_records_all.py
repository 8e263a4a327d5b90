"""Whatever order runs end in, the pool records each once and never exceeds the concurrency."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.model import Attempt, Outcome, Sample, Variant
from pytest_llmrel.runtime.pool import Inbox, Lane, Pool
from pytest_llmrel.runtime.schedule import Schedule


class ShufflingCrew:
    """Delivers runs in an order chosen by the search: one whenever something was started or recorded."""

    limit = None

    def __init__(self, inbox: Inbox, choices: list[int]) -> None:
        self.inbox = inbox
        self.choices = choices
        self.waiting: list[Attempt] = []
        self.most = 0
        self.closed = 0
        self.delivered = False

    def start(self, attempts: list[Attempt]) -> None:
        """Hold them back."""
        self.waiting += attempts
        self.most = max(self.most, len(self.waiting))
        if not self.delivered:
            self.deliver()

    def deliver(self) -> None:
        """Let one of those in flight end."""
        self.delivered = bool(self.waiting)
        if self.waiting:
            choice = self.choices.pop() if self.choices else 0
            self.inbox.put(Sample(self.waiting.pop(choice % len(self.waiting)), Outcome.PASSED))

    def abandon(self, _attempt: Attempt) -> None:
        """Nothing hangs here."""
        raise AssertionError

    def stuck(self) -> str:
        """Never."""
        return ""

    def close(self, *, patient: bool) -> None:
        """Count."""
        assert patient
        self.closed += 1


@given(st.integers(0, 40), st.integers(1, 12), st.lists(st.integers(0, 100), max_size=40))
def test_each_once(count: int, concurrency: int, choices: list[int]) -> None:
    """No run is lost, none recorded twice, none too many at once; the crew is closed once."""
    pool = Pool()
    inbox = pool.inbox()
    crew, recorded = ShufflingCrew(inbox, choices), []

    def record(sample: Sample) -> None:
        recorded.append(sample.attempt.run)
        crew.deliver()

    todo = [Attempt("", Variant(), run, run) for run in range(count)]
    pool.enter(inbox, Lane(Schedule(todo, concurrency), crew, record))
    pool.drive(inbox, most=lambda: 99)
    assert sorted(recorded) == list(range(count))
    assert crew.most <= concurrency
    assert crew.closed == 1
