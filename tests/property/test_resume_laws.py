"""Law: a session that was killed anywhere and resumed says what an undisturbed one says, early stops too."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.gate import Gate
from pytest_llmrel.core.model import Attempt, Decision, Outcome, Sample, Status
from pytest_llmrel.core.plan import attempts
from pytest_llmrel.runtime.schedule import Schedule
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.stopping import stopping_for
from pytest_llmrel.verdict.summary import Aggregate

from .test_stopping_laws import VALID, gates, plan_of


def session(
    mode: str,
    gate: Gate,
    outcomes: list[Outcome],
    data: st.DataObject,
    known: list[Attempt],
    killed_after: int,
) -> tuple[list[Attempt], dict[Gate, Decision], Status, int]:
    """Runs as a stage makes them: those that it knows first; which of those in flight ends next is drawn."""
    plan = plan_of(mode, gate, k=len(outcomes))
    todo = attempts(plan, "test_it.py::test_it")
    stopping = stopping_for(plan, len(todo), 1.0)
    schedule, aggregate = Schedule(todo, data.draw(st.integers(1, 4))), Aggregate(plan, len(todo))
    ended: list[Attempt] = []

    def count(attempt: Attempt) -> None:
        ended.append(attempt)
        aggregate.record(Sample(attempt, outcomes[attempt.run]))
        if stopping is None:
            return
        stopping.record(attempt.run, outcomes[attempt.run])
        if stopping.decided:
            schedule.stop("decided")
        else:
            schedule.allow(stopping.enough)

    if stopping is not None:
        schedule.allow(stopping.enough)
    for attempt in known:
        count(attempt)
    schedule.skip(set(known))
    flight: list[Attempt] = []
    while not schedule.finished and len(ended) < killed_after:
        flight += schedule.start(len(outcomes))
        schedule.finish()
        count(flight.pop(data.draw(st.integers(0, len(flight) - 1))))
    decisions = stopping.decisions if stopping is not None and stopping.decided else {}
    summary = aggregate.summary(schedule.stop_reason, decisions, followed=stopping is not None)
    return ended, decisions, decide(plan, summary, 1.0).status, len(set(ended))


@given(
    st.sampled_from(["observed", "evidence", "proof"]),
    gates,
    st.lists(st.sampled_from([*VALID, Outcome.ERROR]), min_size=1, max_size=16),
    st.data(),
)
def test_a_resumed_session_decides_the_same(
    mode: str, gate: Gate, outcomes: list[Outcome], data: st.DataObject
) -> None:
    """Whichever runs had ended when it was killed, in whichever order; and again."""
    _, decisions, status, _ = session(mode, gate, outcomes, data, [], len(outcomes))
    known: list[Attempt] = []
    for _ in range(data.draw(st.integers(1, 2))):
        known, *_ = session(mode, gate, outcomes, data, known, data.draw(st.integers(0, len(outcomes))))
    ended, resumed, verdict, distinct = session(mode, gate, outcomes, data, known, len(outcomes))
    assert len(ended) == distinct, "none is made twice"
    assert (resumed, verdict) == (decisions, status)
