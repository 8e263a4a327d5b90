"""One-sided tests at 5 %: the thresholds that textbooks print, and what too few runs can never show."""

import pytest
from scipy.stats import beta, t

from pytest_llmrel.core.gate import Gate, GateMode
from pytest_llmrel.core.model import Status
from pytest_llmrel.core.shown import Shown
from pytest_llmrel.verdict.evidence import (
    LEVEL,
    rate_status,
    shown_about_mean,
    shown_about_means,
    shown_about_rate,
    shown_about_worst,
    status_of,
)

P, I, F = Status.PASS, Status.INCONCLUSIVE, Status.FAIL  # noqa: E741
AT_90 = Gate("pass_rate", ">=", 0.9)


@pytest.mark.parametrize(("bar", "n"), [(0.5, 5), (0.7, 9), (0.8, 14), (0.9, 29), (0.95, 59), (0.99, 299)])
def test_how_many_passes_prove_a_rate(bar: float, n: int) -> None:
    """The table of statistics 1: an all-pass record proves p >= p0 from n runs on, and not one earlier."""
    gate = Gate("pass_rate", ">=", bar)
    assert rate_status(gate, GateMode.PROOF, n, n) is P
    assert rate_status(gate, GateMode.PROOF, n - 1, n - 1) is I
    assert rate_status(gate, GateMode.PROOF, n - 1, n) is I, "one failure is too many"
    mirrored = Gate("wrong_rate", "<=", 1 - bar)
    assert rate_status(mirrored, GateMode.PROOF, 0, n) is P
    assert rate_status(mirrored, GateMode.PROOF, 0, n - 1) is I


@pytest.mark.parametrize("n", [1, 2, 5, 10, 29, 60])
@pytest.mark.parametrize("bar", [0.2, 0.5, 0.9])
def test_bounds_are_those_of_clopper_and_pearson(n: int, bar: float) -> None:
    """Met where the lower one-sided bound reaches the bar, missed where the upper one stays below it."""
    gate = Gate("pass_rate", ">=", bar)
    for x in range(n + 1):
        shown = shown_about_rate(gate, x, n)
        low = beta.ppf(LEVEL, x, n - x + 1) if x else 0.0
        high = beta.ppf(1 - LEVEL, x + 1, n - x) if x < n else 1.0
        assert (shown.met, shown.missed) == (bool(low >= bar), bool(high <= bar))


@pytest.mark.parametrize(
    ("passed", "n", "evidence", "proof"),
    [
        (0, 1, I, I),
        (1, 1, I, I),
        (0, 2, F, F),
        (1, 2, P, I),
        (2, 2, P, I),
        (15, 20, F, F),
        (16, 20, P, I),
        (20, 20, P, I),
        (28, 28, P, I),
        (29, 29, P, P),
        (44, 45, P, I),
        (45, 46, P, P),
    ],
)
def test_a_pass_rate_of_nine_tenths(passed: int, n: int, evidence: Status, proof: Status) -> None:
    """Evidence that could not have been found, with one run, is no pass."""
    assert rate_status(AT_90, GateMode.EVIDENCE, passed, n) is evidence
    assert rate_status(AT_90, GateMode.PROOF, passed, n) is proof


@pytest.mark.parametrize("sign", [">=", ">", "<=", "<"])
@pytest.mark.parametrize("mode", [GateMode.EVIDENCE, GateMode.PROOF])
@pytest.mark.parametrize("bar", [0.0, 1.0])
def test_the_ends_of_the_scale(sign: str, mode: GateMode, bar: float) -> None:
    """At 0 and 1 the only thing that runs can show is that a rate is not 0 or not 1."""
    gate = Gate("pass_rate", sign, bar)
    statuses = {x: rate_status(gate, mode, x, 10) for x in (0, 5, 10)}
    if (bar == 1) is gate.wants_more:  # every run, or none, has to be good
        bad = (0, 5) if bar else (5, 10)
        good = 10 if bar else 0
        assert all(statuses[x] is F for x in bad)
        assert statuses[good] is (P if mode is GateMode.EVIDENCE else I), "no number of runs proves always"
    else:  # nothing can miss it
        assert F not in statuses.values()
        if mode is GateMode.EVIDENCE:
            assert set(statuses.values()) == {I}, "what could not fail is no pass"


def test_a_p_value_equal_to_the_level_proves() -> None:
    """One pass of one run has exactly 5 % under a rate of 0.05: rounding does not take the proof away."""
    assert rate_status(Gate("pass_rate", ">=", 0.05), GateMode.PROOF, 1, 1) is P
    assert rate_status(Gate("wrong_rate", "<=", 0.95), GateMode.PROOF, 0, 1) is P


def test_a_p_value_equal_to_the_level_is_evidence() -> None:
    """No pass of one run has exactly 5 % under a rate of 0.95."""
    assert rate_status(Gate("pass_rate", ">=", 0.95), GateMode.EVIDENCE, 0, 1) is F
    assert rate_status(Gate("pass_rate", ">=", 0.95), GateMode.EVIDENCE, 1, 1) is P
    assert rate_status(Gate("wrong_rate", "<=", 0.05), GateMode.EVIDENCE, 1, 1) is F


def test_no_runs_show_nothing() -> None:
    """Neither side, with the reason."""
    assert shown_about_rate(AT_90, 0, 0) == Shown.nothing("no valid run")


# --- scores -------------------------------------------------------------------------------------------------


def test_scores_at_one_end_show_it_soon() -> None:
    """Twenty perfect or worthless grades decide a bar of one half; one of them does not."""
    gate = Gate("polite", ">=", 0.5)
    many, one = ([1.0] * 20, [0.0] * 20), ([1.0], [0.0])
    assert [(s.met, s.missed) for s in (shown_about_mean(gate, v) for v in many)] == [
        (True, False),
        (False, True),
    ]
    for values in one:
        shown = shown_about_mean(gate, values)
        assert (shown.met, shown.missed, shown.can_meet, shown.can_miss) == (False, False, False, False)
    lower = Gate("rude", "<=", 0.5)
    assert [(s.met, s.missed) for s in (shown_about_mean(lower, v) for v in many)] == [
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize("bar", [-1.0, 0.0, 1.0, 2.0])
def test_a_bar_outside_the_scale_shows_nothing(bar: float) -> None:
    """A mean of scores within 0..1 is never beyond, and no finite number of runs shows that it is at the end."""
    assert not shown_about_mean(Gate("polite", ">=", bar), [1.0] * 50).can_meet


# --- means over cases, and the worst wording ----------------------------------------------------------------


def test_means_of_cases_have_students_bounds() -> None:
    """Scipy's one-sided t bounds decide; nine cases decide nothing."""
    values = [0.5, 0.4, 0.6, 0.3, 0.55, 0.45, 0.5, 0.35, 0.6, 0.4]
    mean = sum(values) / 10
    half = t.ppf(0.95, 9) * (sum((v - mean) ** 2 for v in values) / 9 / 10) ** 0.5
    for bar, met, missed in [
        (mean - half - 1e-6, True, False),
        (mean - half + 1e-6, False, False),
        (mean + half - 1e-6, False, False),
        (mean + half + 1e-6, False, True),
    ]:
        shown = shown_about_means(Gate("pass_rate", ">=", bar), values)
        assert (shown.met, shown.missed) == (met, missed), bar
        flipped = shown_about_means(Gate("wrong_rate", "<=", bar), values)
        assert (flipped.met, flipped.missed) == (missed, met)
    assert "10" in shown_about_means(AT_90, values[:9]).method
    assert status_of(GateMode.EVIDENCE, shown_about_means(AT_90, [1.0] * 9)) is I


def test_equal_cases_are_no_certainty() -> None:
    """Ten perfect cases do not prove 0.99: their spread is unknown, not zero."""
    assert not shown_about_means(Gate("pass_rate", ">=", 0.99), [1.0] * 10).met
    assert not shown_about_means(Gate("pass_rate", ">=", 0.2), [0.0] * 10).met


def test_the_worst_wording_is_corrected_for_having_been_looked_for() -> None:
    """Missed at 5 % divided by the wordings, met when each one is met at 5 %."""
    gate = Gate("worst_variant", ">=", 0.5)
    assert shown_about_worst(gate, [(5, 5), (5, 5), (5, 5)]).met
    assert not shown_about_worst(gate, [(5, 5), (5, 5), (4, 4)]).met
    assert shown_about_rate(Gate("pass_rate", ">=", 0.5), 0, 5).missed
    assert not shown_about_worst(gate, [(0, 5), (5, 5)]).missed, "1/32 is above 0.05 / 2"
    assert shown_about_worst(gate, [(0, 6), (6, 6)]).missed
    assert not shown_about_worst(gate, [(0, 6)] + [(6, 6)] * 3).missed, "1/64 is above 0.05 / 4"


@pytest.mark.parametrize("sign", ["<=", "<"])
def test_an_upper_bar_of_the_worst_wording_cannot_be_tested(sign: str) -> None:
    """It is never a pass."""
    shown = shown_about_worst(Gate("worst_variant", sign, 0.5), [(0, 10), (0, 10)])
    assert [status_of(mode, shown) for mode in (GateMode.EVIDENCE, GateMode.PROOF)] == [I, I]
