"""Intervals against reference figures, their defining equations, their known coverage and scipy."""

from collections.abc import Callable
from math import comb, log, nan, sqrt
from typing import Any

import pytest

from pytest_llmrel.stats.beta import incomplete_beta
from pytest_llmrel.stats.binomial import binomial_cdf, binomial_pmf
from pytest_llmrel.stats.intervals import clopper_pearson, jeffreys, lower_bound, upper_bound, wilson

KNOWN = [
    (0, 5, 0.0, 0.43448246478317476),
    (3, 5, 0.23072428127601297, 0.8823792257673521),
    (5, 5, 0.5655175352168251, 1.0),
    (7, 10, 0.39677814746114526, 0.892208732593699),
    (10, 10, 0.7224672001371109, 1.0),
    (19, 20, 0.763868806553258, 0.9911185511992047),
    (20, 20, 0.8388748419471808, 1.0),
    (0, 20, 0.0, 0.16112515805281935),
    (45, 50, 0.7863976856252034, 0.9565242350681095),
]
Z = 1.959963984540054


@pytest.mark.parametrize(("passed", "n", "low", "high"), KNOWN)
def test_the_reference_values(passed: int, n: int, low: float, high: float) -> None:
    """Figures made once with other software."""
    assert wilson(passed, n) == pytest.approx((low, high), abs=1e-12)


def test_all_shared_reference_values(shared_data: Callable[[str], Any]) -> None:
    """Every vector of the shared file is met."""
    for row in shared_data("stat_oracles.json")["ci95"]:
        for interval in (wilson, clopper_pearson, jeffreys):
            expected = row[interval.__name__]
            assert interval(row["x"], row["n"]) == pytest.approx(expected, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 49, 1_000, 10**6])
def test_the_ends_are_exact_at_the_borders(n: int) -> None:
    """Nothing passed: the low end is 0 itself. Everything passed: the high end is 1 itself."""
    for interval in (wilson, clopper_pearson, jeffreys):
        assert interval(0, n)[0] == 0.0
        assert interval(n, n)[1] == 1.0
        assert 0 < interval(0, n)[1] < 1
        assert 0 < interval(n, n)[0] < 1
    assert lower_bound(0, n) == 0.0
    assert upper_bound(n, n) == 1.0


@pytest.mark.parametrize(("passed", "n"), [(1, 2), (3, 5), (7, 10), (45, 50), (999, 1_000)])
def test_the_ends_solve_the_score_equation(passed: int, n: int) -> None:
    """At both ends p, the observed share is exactly z standard errors of p away."""
    for p in wilson(passed, n):
        assert abs(passed / n - p) == pytest.approx(Z * sqrt(p * (1 - p) / n), rel=1e-9)


@pytest.mark.parametrize("n", [5, 10, 20, 50])
def test_the_coverage_is_the_published_one(n: int) -> None:
    """Exact coverage over p: never below 83 %, and 95 % on average (Brown, Cai, DasGupta 2001)."""
    intervals = [wilson(c, n) for c in range(n + 1)]
    shares = [step / 2_000 for step in range(1, 2_000)]
    covered = [
        sum(
            comb(n, c) * p**c * (1 - p) ** (n - c)
            for c, (low, high) in enumerate(intervals)
            if low <= p <= high
        )
        for p in shares
    ]
    assert min(covered) > 0.83
    assert sum(covered) / len(covered) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(("passed", "n"), [(1, 2), (3, 5), (7, 10), (45, 50), (999, 1_000)])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_the_exact_ends_leave_the_tail_they_should(passed: int, n: int, confidence: float) -> None:
    """At the low end so many passes or more are as rare as asked, at the high end so many or fewer."""
    low, high = clopper_pearson(passed, n, confidence)
    tail = (1 - confidence) / 2
    assert 1 - binomial_cdf(passed - 1, n, low) == pytest.approx(tail, rel=1e-9)
    assert binomial_cdf(passed, n, high) == pytest.approx(tail, rel=1e-9)
    assert 1 - binomial_cdf(passed - 1, n, lower_bound(passed, n, confidence)) == pytest.approx(
        2 * tail, rel=1e-9
    )
    assert binomial_cdf(passed, n, upper_bound(passed, n, confidence)) == pytest.approx(2 * tail, rel=1e-9)


def test_the_interval_of_jeffreys_holds_its_share_of_the_posterior() -> None:
    """Equal tails of beta(c + 1/2, n - c + 1/2)."""
    low, high = jeffreys(45, 50, 0.8)
    assert incomplete_beta(low, 45.5, 5.5) == pytest.approx(0.1, rel=1e-9)
    assert incomplete_beta(high, 45.5, 5.5) == pytest.approx(0.9, rel=1e-9)


@pytest.mark.parametrize(("rate", "n"), [(0.5, 5), (0.7, 9), (0.8, 14), (0.9, 29), (0.95, 59), (0.99, 299)])
def test_an_unbroken_record_proves_a_rate_from_so_many_runs_on(rate: float, n: int) -> None:
    """From n = ln .05 / ln rate on, as published: not with one run less."""
    assert lower_bound(n, n) >= rate > lower_bound(n - 1, n - 1)
    assert lower_bound(n, n) == pytest.approx(0.05 ** (1 / n), rel=1e-12)
    assert n - 1 < log(0.05) / log(rate) <= n


@pytest.mark.parametrize(
    ("n", "interval", "least", "width"),
    [
        (5, "jeffreys", 0.89, 0.56),
        (10, "jeffreys", 0.87, 0.43),
        (20, "jeffreys", 0.89, 0.32),
        (50, "jeffreys", 0.89, 0.21),
        (5, "clopper_pearson", 0.975, 0.68),
        (10, "clopper_pearson", 0.96, 0.51),
        (20, "clopper_pearson", 0.96, 0.37),
        (50, "clopper_pearson", 0.95, 0.23),
        (5, "wilson", 0.84, 0.56),
        # For more runs, Wilson's least coverage lies in a gap between the rates of the table.
        (10, "wilson", 0.84, 0.44),
    ],
)
def test_the_published_coverage_and_width(n: int, interval: str, least: float, width: float) -> None:
    """Least coverage over all pass rates, and mean width over them, to the digits of the table."""
    ends = [
        {"wilson": wilson, "jeffreys": jeffreys, "clopper_pearson": clopper_pearson}[interval](c, n)
        for c in range(n + 1)
    ]
    covered, widths = [], []
    for step in range(1, 2_000):
        chances = binomial_pmf(n, step / 2_000)
        covered.append(
            sum(c for c, (low, high) in zip(chances, ends, strict=True) if low <= step / 2_000 <= high)
        )
        widths.append(sum(c * (high - low) for c, (low, high) in zip(chances, ends, strict=True)))
    assert min(covered) == pytest.approx(least, abs=0.011)
    assert sum(widths) / len(widths) == pytest.approx(width, abs=0.011)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson, jeffreys, lower_bound, upper_bound])
@pytest.mark.parametrize(("passed", "n"), [(0, 0), (1, 0), (-1, 5), (6, 5), (0, -1)])
def test_what_is_no_proportion_is_refused(interval: Callable[[int, int], Any], passed: int, n: int) -> None:
    """Nothing of nothing has no interval, not even 0 to 1."""
    with pytest.raises(ValueError, match="no proportion"):
        interval(passed, n)


@pytest.mark.parametrize("interval", [clopper_pearson, jeffreys, lower_bound, upper_bound])
@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95, nan])
def test_what_is_no_confidence_is_refused(
    interval: Callable[[int, int, float], Any], confidence: float
) -> None:
    """Also at the borders, where the end would not depend on it, and 95 is not 0.95."""
    for passed in (0, 3, 5):
        with pytest.raises(ValueError, match="confidence"):
            interval(passed, 5, confidence)


def test_against_scipy() -> None:
    """The same intervals as scipy's, for every count of some sizes."""
    binomtest = pytest.importorskip("scipy.stats").binomtest
    for n in (1, 4, 10, 37):
        for passed in range(n + 1):
            theirs = binomtest(passed, n).proportion_ci(0.95, method="wilson")
            assert wilson(passed, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
            for confidence in (0.8, 0.95, 0.999):
                exact = binomtest(passed, n).proportion_ci(confidence, method="exact")
                assert clopper_pearson(passed, n, confidence) == pytest.approx(tuple(exact), rel=1e-9)
                one_sided = binomtest(passed, n, alternative="greater").proportion_ci(confidence)
                assert lower_bound(passed, n, confidence) == pytest.approx(one_sided.low, rel=1e-9)
                one_sided = binomtest(passed, n, alternative="less").proportion_ci(confidence)
                assert upper_bound(passed, n, confidence) == pytest.approx(one_sided.high, rel=1e-9)
