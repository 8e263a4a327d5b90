"""The Wilson interval against reference figures, its defining equation, its known coverage and scipy."""

from collections.abc import Callable
from math import comb, sqrt
from typing import Any

import pytest

from pytest_llmrel.stats.intervals import wilson

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
        assert wilson(row["x"], row["n"]) == pytest.approx(row["wilson"], abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 49, 1_000, 10**6])
def test_the_ends_are_exact_at_the_borders(n: int) -> None:
    """Nothing passed: the low end is 0 itself. Everything passed: the high end is 1 itself."""
    assert wilson(0, n)[0] == 0.0
    assert wilson(n, n)[1] == 1.0
    assert 0 < wilson(0, n)[1] < 1
    assert 0 < wilson(n, n)[0] < 1


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


@pytest.mark.parametrize(("passed", "n"), [(0, 0), (1, 0), (-1, 5), (6, 5), (0, -1)])
def test_what_is_no_proportion_is_refused(passed: int, n: int) -> None:
    """Nothing of nothing has no interval, not even 0 to 1."""
    with pytest.raises(ValueError, match="no proportion"):
        wilson(passed, n)


def test_against_scipy() -> None:
    """The same interval as scipy's, for every count of some sizes."""
    binomtest = pytest.importorskip("scipy.stats").binomtest
    for n in (1, 4, 10, 37):
        for passed in range(n + 1):
            theirs = binomtest(passed, n).proportion_ci(0.95, method="wilson")
            assert wilson(passed, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
