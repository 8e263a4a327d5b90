"""Laws of what runs show about a gate: exact levels, one side at most, more passes never hurt."""

from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pytest_llmrel.core.gate import RATES, Gate, GateMode
from pytest_llmrel.core.model import Status
from pytest_llmrel.core.shown import Shown
from pytest_llmrel.verdict.evidence import (
    rate_status,
    shown_about_mean,
    shown_about_means,
    shown_about_rate,
    shown_about_worst,
    status_of,
)

ORDER = (Status.FAIL, Status.INCONCLUSIVE, Status.PASS)
BARS = st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.5, 0.8, 0.9, 0.99, 1.0]) | st.floats(0, 1)
signs = st.sampled_from([">=", ">", "<=", "<"])
rate_gates = st.builds(Gate, st.sampled_from(sorted(RATES)), signs, BARS)
score_gates = st.builds(Gate, st.just("polite"), signs, st.floats(-1, 2))
runs = st.integers(0, 150).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
some_runs = st.integers(1, 150).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
grades = st.lists(st.sampled_from([0.0, 1.0]) | st.floats(0, 1), max_size=120)


def consistent(shown: Shown) -> None:
    """What was shown could be shown, and never both sides."""
    assert not (shown.met and shown.missed)
    assert shown.can_meet or not shown.met
    assert shown.can_miss or not shown.missed
    assert shown.method


@given(rate_gates, runs)
def test_a_rate_is_never_both_met_and_missed(gate: Gate, seen: tuple[int, int]) -> None:
    """At most one side is shown, and only one that so many runs can show."""
    consistent(shown_about_rate(gate, *seen))


@given(score_gates, grades)
def test_never_both_met_and_missed(gate: Gate, values: list[float]) -> None:
    """The same for the mean of a score, in any order of good and bad runs."""
    consistent(shown_about_mean(gate, values))


@given(st.integers(0, 60), st.integers(0, 200), st.floats(0.1, 0.9))
def test_a_change_in_the_middle_is_not_shown_both_ways(first: int, then: int, bar: float) -> None:
    """A model that recovers, or breaks, between two runs is no reason to contradict oneself."""
    consistent(shown_about_mean(Gate("polite", ">=", bar), [0.0] * first + [1.0] * then))
    consistent(shown_about_mean(Gate("polite", "<=", bar), [1.0] * first + [0.0] * then))


@given(score_gates, st.lists(st.floats(0, 1), min_size=10, max_size=40))
def test_means_are_never_both_met_and_missed(gate: Gate, values: list[float]) -> None:
    """The same for means over cases."""
    consistent(shown_about_means(gate, values))


@given(st.builds(Gate, st.just("worst_variant"), signs, BARS), st.lists(some_runs, min_size=2, max_size=6))
def test_the_worst_is_never_both_met_and_missed(gate: Gate, cells: list[tuple[int, int]]) -> None:
    """The same for the worst of several wordings."""
    consistent(shown_about_worst(gate, cells))


@given(rate_gates, some_runs)
def test_the_level_is_exact(gate: Gate, seen: tuple[int, int]) -> None:
    """Met or missed exactly where scipy's binomial tail is at most 5 %, but for rounding."""
    count, n = seen
    shown = shown_about_rate(gate, count, n)
    at_least, at_most = binom.sf(count - 1, n, gate.bar), binom.cdf(count, n, gate.bar)
    meets, misses = (at_least, at_most) if gate.wants_more else (at_most, at_least)
    for tail, said in ((meets, shown.met), (misses, shown.missed)):
        assert said == (tail <= 0.05) or abs(tail - 0.05) < 1e-9


@given(st.builds(Gate, st.just("pass_rate"), signs, BARS), some_runs, st.sampled_from(list(GateMode)))
def test_better_runs_are_never_judged_worse(gate: Gate, seen: tuple[int, int], mode: GateMode) -> None:
    """One more event moves the status in the direction of the gate, or not at all."""
    count, n = seen
    if count == n:
        return
    before, after = (rate_status(gate, mode, x, n) for x in (count, count + 1))
    worse, better = (before, after) if gate.wants_more else (after, before)
    assert ORDER.index(worse) <= ORDER.index(better)


@given(rate_gates, some_runs)
def test_proof_is_stricter_than_evidence(gate: Gate, seen: tuple[int, int]) -> None:
    """They fail alike; whatever passes by proof and could have failed passes by evidence."""
    shown = shown_about_rate(gate, *seen)
    proof, evidence = status_of(GateMode.PROOF, shown), status_of(GateMode.EVIDENCE, shown)
    assert (proof is Status.FAIL) == (evidence is Status.FAIL)
    if proof is Status.PASS:
        assert evidence is Status.PASS or not shown.can_miss


@given(st.sampled_from(list(GateMode)[1:]), st.sampled_from(["pass_rate", "x"]), signs, st.floats(0, 1))
def test_nothing_shown_is_no_pass(mode: GateMode, metric: str, sign: str, bar: float) -> None:
    """Without a single run nothing passes."""
    gate = Gate(metric, sign, bar)
    for shown in (shown_about_rate(gate, 0, 0), shown_about_mean(gate, []), Shown.nothing("x")):
        assert status_of(mode, shown) is Status.INCONCLUSIVE


@given(score_gates, grades, st.sampled_from([-0.001, 1.001, float("nan"), float("inf"), -float("inf")]))
def test_one_score_out_of_range_shows_nothing(gate: Gate, values: list[float], wild: float) -> None:
    """Bets are fair on 0..1 only."""
    assert shown_about_mean(gate, [*values, wild]) == Shown.nothing("only scores within 0..1 can be tested")
