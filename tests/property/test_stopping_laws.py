"""Laws of early stopping: what is decided early is what all runs would have said, whichever run is slow."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from pytest_llmrel.core.gate import Gate, GateMode
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Decision, Outcome, Sample, Status, Summary, Variant
from pytest_llmrel.core.plan import RunPlan, attempts
from pytest_llmrel.runtime.schedule import Schedule
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.stopping import stopping_for
from pytest_llmrel.verdict.summary import Aggregate

BARS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.97, 1.0)
METRICS = {"pass_rate": Outcome.PASSED, "wrong_rate": Outcome.FAILED, "abstention_rate": Outcome.ABSTAINED}
VALID = (Outcome.PASSED, Outcome.FAILED, Outcome.ABSTAINED)
LENIENT = 1.0

gates = st.builds(
    Gate, st.sampled_from(sorted(METRICS)), st.sampled_from([">=", ">", "<=", "<"]), st.sampled_from(BARS)
)
passes = st.builds(Gate, st.just("pass_rate"), st.just(">="), st.sampled_from(BARS))


def plan_of(mode: str, *tested: Gate, k: int, wordings: int = 1, may_stop: bool = True) -> RunPlan:
    """A plan of k runs of each wording."""
    several = tuple(Variant(f"{number:08x}", f"wording {number}", number == 0) for number in range(wordings))
    variants = several if wordings > 1 else (Variant(),)
    mode_ = GateMode(mode)
    return RunPlan(k, Inputs(variants, "q" if wordings > 1 else None), tested, 8, 60.0, None, mode_, may_stop)


def session(
    plan: RunPlan,
    outcomes: list[Outcome],
    concurrency: int = 1,
    order: st.DataObject | None = None,
    most_errors: float = LENIENT,
) -> tuple[Summary, dict[Gate, Decision], int]:
    """Runs a plan as the stage of an item does: summary, decisions, runs that were made.

    Args:
        plan: with ``may_stop`` or not.
        outcomes: of all attempts, in the order in which they are started.
        concurrency: runs in flight.
        order: draws which of those in flight ends next; without it the eldest does.
        most_errors: share of errors above which nothing is concluded.
    """
    todo = attempts(plan, "test_it.py::test_it")
    stopping = stopping_for(plan, len(todo), most_errors)
    schedule, aggregate = Schedule(todo, concurrency), Aggregate(plan, len(todo))
    if stopping:
        schedule.allow(stopping.enough)
    flight: list[Attempt] = []
    while not schedule.finished:
        flight += schedule.start(99)
        assert flight, "nothing is in flight, nothing may start, and it is not over: a session would hang"
        at = order.draw(st.integers(0, len(flight) - 1)) if order is not None else 0
        attempt = flight.pop(at)
        place = todo.index(attempt)
        schedule.finish()
        aggregate.record(Sample(attempt, outcomes[place], 0.1))
        if stopping:
            stopping.record(place, outcomes[place])
            if stopping.decided:
                schedule.stop("every gate is decided")
            else:
                schedule.allow(stopping.enough)
    decisions = stopping.decisions if stopping and stopping.decided else {}
    summary = aggregate.summary(schedule.stop_reason, decisions, followed=stopping is not None)
    return summary, decisions, summary.runs


def by_hand(gate: Gate, mode: str, outcomes: list[Outcome]) -> Status:
    """The status of a gate after all runs, from scipy's binomial distribution."""
    n = sum(outcome in VALID for outcome in outcomes)
    count = outcomes.count(METRICS[gate.metric])
    if not n:
        return Status.INCONCLUSIVE
    if mode == "observed":
        return Status.PASS if gate.met_by(count / n) else Status.FAIL
    more = gate.sign.startswith(">")
    at_most, at_least = binom.cdf(count, n, gate.bar), binom.sf(count - 1, n, gate.bar)
    none, every = binom.cdf(0, n, gate.bar), binom.sf(n - 1, n, gate.bar)
    below, above = (at_most, at_least) if more else (at_least, at_most)
    could_be_below = none if more else every
    level = 0.05 * (1 + 1e-9)
    if below <= level:
        return Status.FAIL
    passes_ = could_be_below <= level if mode == "evidence" else above <= level
    return Status.PASS if passes_ else Status.INCONCLUSIVE


kinds_without_errors = st.sampled_from([*VALID, Outcome.SKIPPED, Outcome.XFAILED])
few_failures = st.one_of(*[st.just(Outcome.PASSED)] * 4, st.sampled_from(VALID))


def lists(kinds: st.SearchStrategy[Outcome], size: int) -> st.SearchStrategy[list[Outcome]]:
    """Outcomes of so many runs."""
    return st.lists(kinds, min_size=size, max_size=size)


@given(
    st.data(),
    st.sampled_from(["observed", "proof"]),
    st.lists(gates, min_size=1, max_size=3),
    st.integers(1, 30),
)
def test_a_curtailed_verdict_is_that_of_all_runs(
    data: st.DataObject, mode: str, tested: list[Gate], k: int
) -> None:
    """Observed and proof: status of every gate and of the test are the same with stop="auto" and "never"."""
    plan = plan_of(mode, *dict.fromkeys(tested), k=k)
    outcomes = data.draw(st.one_of(lists(kinds_without_errors, k), lists(few_failures, k)))
    early, _, runs = session(plan, outcomes, data.draw(st.integers(1, 9)), data)
    full, _, all_runs = session(replace(plan, may_stop=False), outcomes)
    assert all_runs == k >= runs
    found, expected = decide(plan, early, LENIENT), decide(plan, full, LENIENT)
    assert found.status is expected.status
    assert [f.status for f in found.findings] == [f.status for f in expected.findings]
    assert [f.status for f in found.findings] == [by_hand(gate, mode, outcomes) for gate in plan.gates]


@given(
    st.data(),
    st.lists(gates, min_size=1, max_size=2),
    st.integers(1, 30),
    st.sampled_from([0.0, 0.05, 0.1, 0.29, 0.5]),
)
def test_errors_among_few_runs_do_not_spoil_what_all_runs_say(
    data: st.DataObject, tested: list[Gate], k: int, most_errors: float
) -> None:
    """Where all runs give PASS or FAIL, errors included, so do those that were made; and it never hangs."""
    plan = plan_of("observed", *dict.fromkeys(tested), k=k)
    some = st.one_of(*[st.just(Outcome.PASSED)] * 6, st.sampled_from(list(Outcome)))
    outcomes = data.draw(lists(some, k))
    early, _, _ = session(plan, outcomes, data.draw(st.integers(1, 9)), data, most_errors)
    full, _, _ = session(replace(plan, may_stop=False), outcomes)
    found, expected = decide(plan, early, most_errors).status, decide(plan, full, most_errors).status
    assert found is expected or expected is Status.INCONCLUSIVE


@given(st.data(), st.lists(gates, min_size=1, max_size=2), st.integers(1, 8), st.integers(2, 4))
def test_evidence_over_several_wordings_is_curtailed(
    data: st.DataObject, tested: list[Gate], k: int, wordings: int
) -> None:
    """With two or more wordings evidence uses the fixed test, cut short: its verdict is that of all runs."""
    plan = plan_of("evidence", *dict.fromkeys(tested), k=k, wordings=wordings)
    outcomes = data.draw(lists(st.sampled_from(VALID), k * wordings) | lists(few_failures, k * wordings))
    early, _, _ = session(plan, outcomes, data.draw(st.integers(1, 9)), data)
    full, _, _ = session(replace(plan, may_stop=False), outcomes)
    found, expected = decide(plan, early, LENIENT), decide(plan, full, LENIENT)
    assert [f.status for f in found.findings] == [f.status for f in expected.findings]
    assert [f.status for f in found.findings] == [by_hand(gate, "evidence", outcomes) for gate in plan.gates]


@given(
    st.data(), st.sampled_from(list(GateMode)), st.lists(gates, min_size=1, max_size=3), st.integers(1, 40)
)
def test_the_decision_does_not_depend_on_which_run_is_slow(
    data: st.DataObject, mode: GateMode, tested: list[Gate], k: int
) -> None:
    """Any concurrency, any order in which runs end, errors among them: the same decisions, and never a hang."""
    plan = plan_of(mode, *dict.fromkeys(tested), k=k)
    outcomes = data.draw(st.one_of(lists(st.sampled_from(list(Outcome)), k), lists(few_failures, k)))
    _, one_by_one, fewest = session(plan, outcomes)
    summary, decisions, runs = session(plan, outcomes, data.draw(st.sampled_from([2, 3, 8, 32])), data)
    assert decisions == one_by_one
    assert runs >= fewest, "runs that were started are counted, however slow they are"
    assert runs + summary.saved + summary.unfinished == k


@given(
    st.data(), st.sampled_from(list(GateMode)), st.lists(gates, min_size=1, max_size=2), st.integers(1, 30)
)
def test_nothing_is_held_back_that_is_needed(
    data: st.DataObject, mode: GateMode, tested: list[Gate], k: int
) -> None:
    """Where it did not stop all planned runs were made, and it stopped only because every gate was decided."""
    plan = plan_of(mode, *dict.fromkeys(tested), k=k)
    outcomes = data.draw(lists(st.sampled_from(list(Outcome)), k))
    summary, decisions, runs = session(plan, outcomes, data.draw(st.integers(1, 9)), data)
    assert not summary.unfinished
    if runs < k:
        assert decisions.keys() == set(plan.gates)
        assert any(decision.early for decision in decisions.values())
    else:
        assert not summary.saved


@given(st.data(), st.sampled_from(list(GateMode)), passes, st.integers(2, 30), st.integers(1, 12))
def test_a_perfect_model_is_not_asked_too_often(
    data: st.DataObject, mode: GateMode, gate: Gate, k: int, concurrency: int
) -> None:
    """Where all runs pass, concurrency costs no run: as many are made as one by one."""
    plan = plan_of(mode, gate, k=k)
    outcomes = [Outcome.PASSED] * k
    assert session(plan, outcomes, concurrency, data)[2] == session(plan, outcomes)[2]


@given(
    st.sampled_from(list(GateMode)), st.lists(gates, min_size=1, max_size=2), st.integers(1, 60), st.data()
)
def test_no_pass_without_a_valid_run(mode: GateMode, tested: list[Gate], k: int, data: st.DataObject) -> None:
    """Errors, skips and xfails alone decide no gate, in any mode, and are no pass."""
    plan = plan_of(mode, *dict.fromkeys(tested), k=k)
    outcomes = data.draw(lists(st.sampled_from([Outcome.ERROR, Outcome.SKIPPED, Outcome.XFAILED]), k))
    summary, decisions, runs = session(plan, outcomes, data.draw(st.integers(1, 9)), data)
    assert (decisions, runs) == ({}, k)
    assert decide(plan, summary, LENIENT).status is Status.INCONCLUSIVE


@given(st.data(), st.sampled_from(["observed", "proof", "evidence"]), gates, st.integers(1, 11))
def test_an_early_rate_is_unbiased(data: st.DataObject, mode: str, gate: Gate, k: int) -> None:
    """Over all outcomes, weighted by their chance, the rate of a decision is right; "cannot be proven" has none."""
    plan = plan_of(mode, gate, k=k)
    event, other = METRICS[gate.metric], next(kind for kind in VALID if kind is not METRICS[gate.metric])
    p = Fraction(data.draw(st.integers(0, 10)), 10)
    mean = Fraction(0)
    for letters in product((event, other), repeat=k):
        _, decisions, _ = session(plan, list(letters))
        assume(gate in decisions)
        point = decisions[gate].rate
        assume(point is not None)
        count = letters.count(event)
        mean += Fraction(point).limit_denominator(10_000) * p**count * (1 - p) ** (k - count)
    assert mean == p


@given(st.sampled_from(BARS[:-1]), st.integers(2, 60), st.integers(0, 20))
def test_the_sequential_test_keeps_its_level(bar: float, k: int, above: int) -> None:
    """Under evidence a model at the bar, or better, fails in at most 5 % of all sessions (walked exactly)."""
    p = bar + (1 - bar) * above / 20
    plan = plan_of("evidence", Gate("pass_rate", ">=", bar), k=k)
    failing, open_ = 0.0, {0: 1.0}
    for n in range(1, k + 1):
        following: dict[int, float] = {}
        for x, chance in open_.items():
            for step, weight in ((1, p), (0, 1 - p)):
                status = after(plan, n, x + step, k)
                if status is None:
                    following[x + step] = following.get(x + step, 0.0) + chance * weight
                else:
                    failing += chance * weight * (status is Status.FAIL)
        open_ = following
    assert failing <= 0.05 + 1e-9


def after(plan: RunPlan, n: int, x: int, k: int) -> Status | None:
    """What the first ``n`` runs with ``x`` passes, the failures first or last, have decided at the latest."""
    (gate,) = plan.gates
    stopping = stopping_for(plan, k)
    if stopping is None:
        return None if n < k else by_hand(gate, plan.mode, [Outcome.PASSED] * x + [Outcome.FAILED] * (n - x))
    (followed,) = stopping._followed.values()
    followed._good, followed._bad = x, n - x - 1
    if n == x:
        followed._good, followed._bad = x - 1, 0
    decision = followed.count(Outcome.PASSED if n == x else Outcome.FAILED)
    return None if decision is None else decision.status
