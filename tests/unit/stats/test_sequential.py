"""Stopping rules against the published characteristics, hand computation, enumeration and scipy."""

import random
from collections.abc import Callable
from fractions import Fraction
from math import comb, log
from typing import Any

import pytest

from pytest_llmrel.stats import sequential
from pytest_llmrel.stats.sequential import (
    Boundaries,
    StoppingRule,
    alternative_rate,
    critical_value,
    curtailed,
    truncated_sprt,
)

DESIGNS = [
    (10, 0.8, 0.5, 5),
    (20, 0.9, 0.7, 15),
    (20, 0.8, 0.5, 12),
    (40, 0.9, 0.75, 32),
    (20, 0.95, 0.8, 16),
]


def made(rule: str, length: int, p0: float, p1: float) -> StoppingRule:
    """The rule of one row of the published table."""
    c = critical_value(length, p0)
    assert c is not None
    if rule == "SPRT_trunc":
        return truncated_sprt(length, p0, p1)
    if rule == "curtailed":
        return curtailed(length, c)
    nothing = (None,) * length
    return Boundaries(length, (*nothing, c + 1), (*nothing, c))


@pytest.mark.parametrize("rule", ["fixed", "curtailed", "SPRT_trunc"])
def test_the_published_characteristics(shared_data: Callable[[str], Any], rule: str) -> None:
    """Five designs at 13 true rates: P(FAIL) to the last printed digit, the expected runs too."""
    rows = [row for row in shared_data("sequential_oc.csv") if row["rule"] == rule]
    assert len(rows) == 65
    for row in rows:
        stopping = made(rule, int(row["N"]), float(row["p0"]), float(row["p1"]))
        p_fail, runs = stopping.operating_characteristics(float(row["true_p"]))
        assert p_fail == pytest.approx(float(row["P_fail"]), abs=5.1e-5)
        assert runs == pytest.approx(float(row["E_n"]), abs=0.0501)


def test_the_published_designs(shared_data: Callable[[str], Any]) -> None:
    """The critical values of the shared file, and boundaries where its formula of evidence has them."""
    for row in shared_data("stat_oracles.json")["tsprt"]["designs"]:
        length, p0, p1, alpha, beta = (row[key] for key in ("N", "p0", "p1", "alpha", "beta"))
        assert critical_value(length, p0, alpha) == row["c"]
        rule = truncated_sprt(length, p0, p1, alpha=alpha, beta=beta)
        for n in range(length):
            for x in range(n + 1):
                evidence = x * log(p1 / p0) + (n - x) * log((1 - p1) / (1 - p0))
                failed = evidence >= log((1 - beta) / alpha)
                passed = evidence <= log(beta / (1 - alpha))
                assert rule.decision(n, x) == (False if failed else True if passed else None)


@pytest.mark.parametrize(("length", "p0", "p1", "c"), DESIGNS)
def test_the_five_designs(length: int, p0: float, p1: float, c: int) -> None:
    """Their critical value, and a level that is kept."""
    assert critical_value(length, p0) == c
    rule = truncated_sprt(length, p0, p1)
    assert rule.operating_characteristics(p0)[0] <= 0.05
    assert (rule.pass_at[-1], rule.fail_at[-1]) == (c + 1, c)


def test_the_sequential_gate_saves_calls() -> None:
    """At true rate 1 with N=20, p0=.9, p1=.7 it takes 9 calls, and at .9 it FAILs at most 5 % of times."""
    rule = truncated_sprt(20, 0.9, 0.7)
    assert rule.operating_characteristics(1.0) == (0.0, 9.0)
    assert rule.earliest_pass(0) == 9
    assert 0.04 < rule.operating_characteristics(0.9)[0] <= 0.05
    assert rule.operating_characteristics(0.0) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("length", "p0", "p1", "plain"), [(53, 0.7, 0.5, 0.059), (53, 0.5, 0.3, 0.0593), (13, 0.5, 0.1, 0.0623)]
)
def test_the_level_is_calibrated(length: int, p0: float, p1: float, plain: float) -> None:
    """Where Wald's bounds, cut off, would FAIL too often, they are drawn back until the level is kept."""
    c = critical_value(length, p0)
    wald = sequential._wald(length, c, p0, p1, 0.05, 0.1)
    assert wald.operating_characteristics(p0)[0] == pytest.approx(plain, abs=1e-4)
    rule = truncated_sprt(length, p0, p1)
    assert 0.04 < rule.operating_characteristics(p0)[0] <= 0.05


def test_the_level_is_kept_by_every_design() -> None:
    """All lengths to 40, rates and levels in between: never more than the level at p0 and beyond."""
    for length in range(1, 41):
        for p0, p1 in ((0.5, 0.1), (0.7, 0.5), (0.9, 0.5), (0.9, 0.8), (0.99, 0.9)):
            for alpha in (0.05, 0.2):
                if critical_value(length, p0, alpha) is None:
                    continue
                rule = truncated_sprt(length, p0, p1, alpha=alpha)
                assert rule.operating_characteristics(p0)[0] <= alpha * (1 + 1e-9)


def test_the_characteristics_by_simulation() -> None:
    """20000 sequences of runs, stopped by hand."""
    rule, rng = truncated_sprt(20, 0.9, 0.7), random.Random(4)
    failed = runs = 0
    for _ in range(20_000):
        n = x = 0
        while rule.decision(n, x) is None:
            n, x = n + 1, x + (rng.random() < 0.8)
        failed += rule.decision(n, x) is False
        runs += n
    p_fail, expected = rule.operating_characteristics(0.8)
    assert failed / 20_000 == pytest.approx(p_fail, abs=4 * (0.25 / 20_000) ** 0.5)
    assert runs / 20_000 == pytest.approx(expected, abs=0.2)


def test_curtailment_by_hand() -> None:
    """FAIL with at most 3 of 5: PASS at the fourth pass, FAIL at the second failure, nothing before."""
    rule = curtailed(5, 3)
    passing = [min((x for x in range(n + 1) if rule.decision(n, x)), default=None) for n in range(6)]
    failing = [max((x for x in range(n + 1) if rule.decision(n, x) is False), default=None) for n in range(6)]
    assert passing == [None, None, None, None, 4, 4]
    assert failing == [None, None, 0, 1, 2, 3]
    assert rule.decision(2, 0) is False
    assert rule.decision(4, 4) is True
    assert rule.decision(3, 3) is None
    assert rule.operating_characteristics(1.0) == (0.0, 4.0)


@pytest.mark.parametrize(("length", "c"), [(1, 0), (5, 3), (8, 0), (8, 7), (20, 15)])
def test_the_estimator_of_girshick_mosteller_and_savage(length: int, c: int) -> None:
    """Stopped on the r-th pass (r - 1) / (n - 1), on the f-th failure 1 - (f - 1) / (n - 1)."""
    rule, r, f = curtailed(length, c), c + 1, length - c
    for n in range(max(r, 2), length + 1):
        assert rule.unbiased_rate(n, r) == pytest.approx((r - 1) / (n - 1), abs=1e-15)
    for n in range(max(f, 2), length + 1):
        assert rule.unbiased_rate(n, n - f) == pytest.approx(1 - (f - 1) / (n - 1), abs=1e-15)


def test_the_estimate_after_one_run() -> None:
    """Then it is 1 or 0, as the formula for more runs cannot say."""
    assert curtailed(1, 0).unbiased_rate(1, 1) == 1.0
    assert curtailed(1, 0).unbiased_rate(1, 0) == 0.0
    assert curtailed(5, 0).unbiased_rate(1, 1) == 1.0


@pytest.mark.parametrize(
    ("p", "curtailed_bias", "sprt_bias"), [(0.7, -0.035, None), (0.5, -0.049, -0.097), (0.9, None, 0.019)]
)
def test_the_published_bias_of_the_plain_share(
    p: float, curtailed_bias: float | None, sprt_bias: float | None
) -> None:
    """The share x / n after stopping is off by as much as published; the estimate here is not off at all."""
    for rule, bias in ((curtailed(20, 15), curtailed_bias), (truncated_sprt(20, 0.9, 0.7), sprt_bias)):
        chances = ends(rule, p)
        assert sum(chances.values()) == pytest.approx(1)
        unbiased = sum(chance * rule.unbiased_rate(n, x) for (n, x), chance in chances.items())
        assert unbiased == pytest.approx(p, abs=1e-12)
        if bias is not None:
            plain = sum(chance * x / n for (n, x), chance in chances.items())
            assert plain - p == pytest.approx(bias, abs=6e-4)


def ends(rule: StoppingRule, p: float) -> dict[tuple[int, int], float]:
    """The chance of each end point, computed anew."""
    going, stopped = {(0, 0): 1.0}, {}
    while going:
        following: dict[tuple[int, int], float] = {}
        for (n, x), chance in going.items():
            if rule.decision(n, x) is None:
                following[n + 1, x] = following.get((n + 1, x), 0) + chance * (1 - p)
                following[n + 1, x + 1] = following.get((n + 1, x + 1), 0) + chance * p
            else:
                stopped[n, x] = chance
        going = following
    return stopped


def test_the_estimate_stays_exact_in_long_rules() -> None:
    """Numbers of paths beyond what a float holds."""
    rule = curtailed(2_000, 1_000)
    assert rule.unbiased_rate(1_500, 1_001) == pytest.approx(1_000 / 1_499, abs=1e-15)


@pytest.mark.parametrize(("n", "x"), [(3, 3), (2, 1), (0, 0), (5, 0), (5, 5), (4, 1)])
def test_there_is_no_estimate_where_the_rule_does_not_stop(n: int, x: int) -> None:
    """Neither before the end nor behind it."""
    with pytest.raises(ValueError, match="the rule"):
        curtailed(5, 3).unbiased_rate(n, x)


def test_the_earliest_pass() -> None:
    """Each failure asks for more passes, up to all runs; more failures than are allowed never pass."""
    rule = truncated_sprt(20, 0.9, 0.7)
    earliest = [rule.earliest_pass(failed) for failed in range(25)]
    assert earliest == sorted(earliest)
    assert earliest[:2] == [9, 15]
    assert earliest[5:] == [20] * 20
    assert truncated_sprt(20, 0.8, 0.5).earliest_pass(0) == 5
    assert [curtailed(5, 3).earliest_pass(failed) for failed in (0, 1, 2, 9)] == [4, 5, 5, 5]
    with pytest.raises(ValueError, match="impossible"):
        rule.earliest_pass(-1)


@pytest.mark.parametrize("p0", [0.05, 0.5, 0.8, 0.95, 0.995, 1.0])
def test_the_critical_value_is_its_definition(p0: float) -> None:
    """The most passes whose chance at p0 is within the level, in exact arithmetic."""
    rate = Fraction(str(p0))
    for length in (1, 2, 5, 14, 30):
        chance, most = Fraction(0), None
        for x in range(length):
            chance += comb(length, x) * rate**x * (1 - rate) ** (length - x)
            most = x if chance <= Fraction(1, 20) else most
        assert critical_value(length, p0) == most


def test_the_critical_value_may_not_exist() -> None:
    """One run cannot show anything about .9, and nothing is below 0."""
    assert critical_value(1, 0.9) is None
    assert critical_value(50, 0.0) is None
    assert critical_value(1, 0.96) == 0
    assert critical_value(20, 1.0) == 19


@pytest.mark.parametrize(
    ("length", "p0", "rate"),
    [(20, 0.9, 0.7), (20, 0.8, 0.5), (40, 0.9, 0.75), (20, 0.95, 0.75), (1, 0.9, None), (30, 0.05, None)],
)
def test_the_alternative_rate(length: int, p0: float, rate: float | None) -> None:
    """The highest rate that the fixed test catches three times of four."""
    assert alternative_rate(length, p0) == rate


def test_the_alternative_rate_is_the_highest() -> None:
    """Against scipy: it is caught often enough, the rate 5 points higher is not."""
    binom = pytest.importorskip("scipy.stats").binom
    for length, p0, power in [(20, 0.9, 0.75), (15, 0.8, 0.9), (60, 0.95, 0.5), (100, 0.7, 0.99)]:
        c, rate = critical_value(length, p0), alternative_rate(length, p0, power=power)
        assert binom.cdf(c, length, rate) >= power
        assert rate + 0.05 > p0 - 1e-9 or binom.cdf(c, length, rate + 0.05) < power


@pytest.mark.parametrize(
    ("p0", "p1"),
    [(1.0, 0.7), (0.9, 0.0), (0.7, 0.7), (0.5, 0.7), (1.5, 0.5), (0.5, -0.1), (float("nan"), 0.5)],
)
def test_degenerate_rates_are_refused(p0: float, p1: float) -> None:
    """Their evidence would be infinite, or say nothing."""
    with pytest.raises(ValueError, match="it takes 0 < p1 < p0 < 1"):
        truncated_sprt(20, p0, p1)


@pytest.mark.parametrize(
    "errors", [{"alpha": 0.0}, {"alpha": 1.0}, {"beta": 0.0}, {"beta": 1.0}, {"alpha": 0.5, "beta": 0.5}]
)
def test_impossible_errors_are_refused(errors: dict[str, float]) -> None:
    """Levels of 0 never stop, levels that add up to 1 stop at once."""
    with pytest.raises(ValueError, match="no levels"):
        truncated_sprt(20, 0.9, 0.7, **errors)


def test_too_few_runs_are_refused() -> None:
    """A gate that cannot FAIL is none."""
    with pytest.raises(ValueError, match="1 runs cannot show a rate"):
        truncated_sprt(1, 0.9, 0.5)


@pytest.mark.parametrize(("length", "c"), [(5, -1), (5, 5), (0, 0), (-1, 0)])
def test_a_test_of_one_verdict_is_refused(length: int, c: int) -> None:
    """Always FAIL, always PASS, or no runs at all."""
    with pytest.raises(ValueError, match="always or never"):
        curtailed(length, c)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, float("nan")])
def test_an_impossible_level_is_refused(alpha: float) -> None:
    """Outside (0, 1)."""
    with pytest.raises(ValueError, match="no level"):
        critical_value(20, 0.9, alpha)


@pytest.mark.parametrize(("length", "p0"), [(0, 0.9), (-1, 0.9), (5, 1.1), (5, -0.1)])
def test_an_impossible_test_is_refused(length: int, p0: float) -> None:
    """No runs, or a rate that is none."""
    with pytest.raises(ValueError, match="impossible"):
        critical_value(length, p0)


@pytest.mark.parametrize(
    ("length", "pass_at", "fail_at", "word"),
    [
        (2, (None, None), (None, None, 1), "boundaries of each kind"),
        (2, (None, None, 2), (None, 1), "boundaries of each kind"),
        (0, (1,), (0,), "boundaries of each kind"),
        (2, (None, 1, 2), (None, 1, 1), "overlap"),
        (2, (0, None, 2), (None, None, 1), "without a run"),
        (2, (None, None, 2), (None, None, 0), "not everything"),
        (2, (None, None, None), (None, None, 1), "not everything"),
    ],
)
def test_contradictory_boundaries_are_refused(
    length: int, pass_at: tuple[int | None, ...], fail_at: tuple[int | None, ...], word: str
) -> None:
    """Every state has at most one verdict, the last ones exactly one."""
    with pytest.raises(ValueError, match=word):
        Boundaries(length, pass_at, fail_at)


@pytest.mark.parametrize(("n", "x"), [(3, 4), (3, -1), (-1, 0), (6, 3)])
def test_impossible_states_are_refused(n: int, x: int) -> None:
    """More passes than runs, or more runs than the rule has."""
    with pytest.raises(ValueError, match="impossible"):
        curtailed(5, 3).decision(n, x)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_an_impossible_rate_is_refused(p: float) -> None:
    """Outside 0..1."""
    with pytest.raises(ValueError, match="no pass rate"):
        curtailed(5, 3).operating_characteristics(p)


@pytest.mark.parametrize(("length", "c"), [(1, 0), (5, 3), (7, 0), (7, 6), (20, 15)])
def test_a_curtailed_rule_is_its_table(length: int, c: int) -> None:
    """Whatever it computes in one step is what the table of its boundaries says."""
    rule, runs = curtailed(length, c), range(length + 1)
    table = Boundaries(
        length,
        tuple(c + 1 if n > c else None for n in runs),
        tuple(n - length + c if n >= length - c else None for n in runs),
    )
    for n in runs:
        assert [rule.decision(n, x) for x in range(n + 1)] == [table.decision(n, x) for x in range(n + 1)]
    assert [rule.earliest_pass(n) for n in range(length + 5)] == [
        table.earliest_pass(n) for n in range(length + 5)
    ]


def test_a_curtailed_rule_of_any_length_is_made_at_once() -> None:
    """No table of it would fit into memory."""
    rule = curtailed(10**15, 9 * 10**14)
    assert rule.earliest_pass(10) == 9 * 10**14 + 11
    assert rule.decision(10**14, 0) is False
