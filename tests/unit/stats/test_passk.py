"""pass@k and pass^k against enumeration, against simulated truth, and against published figures."""

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, product
from math import comb
from typing import Any

import pytest

from pytest_llmrel.stats.passk import pass_at_k, pass_hat_k

AT = [
    (5, 0, 1, 0.0),
    (5, 3, 1, 0.6),
    (5, 3, 2, 0.9),
    (5, 5, 5, 1.0),
    (10, 7, 5, 1.0),
    (20, 1, 10, 0.5),
    (200, 13, 100, 0.9999194971988055),
    (200, 0, 10, 0.0),
    (8, 8, 3, 1.0),
]
HAT = [
    (5, 0, 1, 0.0),
    (5, 3, 1, 0.6),
    (5, 3, 2, 0.3),
    (5, 5, 5, 1.0),
    (10, 7, 5, 0.08333333333333333),
    (20, 19, 10, 0.5),
    (200, 187, 100, 8.050280119455824e-05),
    (4, 3, 4, 0.0),
    (8, 8, 3, 1.0),
]
# tau-bench, gpt-4o (tool-calling), airline: 50 tasks of 4 runs; how many of them passed how often.
TAU = {0.42: 1, 0.2733333333333333: 2, 0.22: 3, 0.2: 4}


@pytest.mark.parametrize(("n", "c", "k", "value"), AT)
def test_pass_at_k_has_the_reference_values(n: int, c: int, k: int, value: float) -> None:
    """Figures made once with exact arithmetic."""
    assert pass_at_k(n, c, k) == pytest.approx(value, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("n", "c", "k", "value"), HAT)
def test_pass_hat_k_has_the_reference_values(n: int, c: int, k: int, value: float) -> None:
    """Figures made once with exact arithmetic."""
    assert pass_hat_k(n, c, k) == pytest.approx(value, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("name", "estimator"), [("pass_at_k", pass_at_k), ("pass_hat_k", pass_hat_k)])
def test_all_shared_reference_values(
    shared_data: Callable[[str], Any], name: str, estimator: Callable[[int, int, int], float]
) -> None:
    """Every vector of the shared file is met."""
    for row in shared_data("stat_oracles.json")[name]:
        assert estimator(row["n"], row["c"], row["k"]) == pytest.approx(row["value"], rel=1e-12, abs=1e-15)


def test_pass_hat_k_of_tau_bench(shared_data: Callable[[str], Any]) -> None:
    """The mean over 50 tasks is the published .420, .273, .220, .200."""
    runs: Counter[str] = Counter()
    passes: Counter[str] = Counter()
    for row in shared_data("tau_trials.csv"):
        if row["model"].startswith("gpt-4o ") and row["domain"] == "airline":
            runs[row["task_id"]] += 1
            passes[row["task_id"]] += float(row["reward"]) == 1
    assert set(runs.values()) == {4}
    for value, k in TAU.items():
        mean = sum(pass_hat_k(4, passes[task], k) for task in runs) / len(runs)
        assert mean == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize("n", range(1, 7))
def test_both_are_the_share_of_all_subsets(n: int) -> None:
    """Of all ways to choose k of n runs, count those with at least one pass, and those with passes only."""
    for c, k in product(range(n + 1), range(1, n + 1)):
        subsets = list(combinations([True] * c + [False] * (n - c), k))
        assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets), abs=1e-15)
        assert pass_hat_k(n, c, k) == pytest.approx(sum(map(all, subsets)) / len(subsets), abs=1e-15)


@pytest.mark.parametrize("p", [Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)])
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_both_are_unbiased(n: int, p: Fraction) -> None:
    """Over all outcomes of n runs, weighted by their chance, the means are 1-(1-p)^k and p^k."""
    for k in range(1, n + 1):
        at = hat = 0.0
        for outcome in product((0, 1), repeat=n):
            c = sum(outcome)
            weight = float(p**c * (1 - p) ** (n - c))
            at += weight * pass_at_k(n, c, k)
            hat += weight * pass_hat_k(n, c, k)
        assert at == pytest.approx(float(1 - (1 - p) ** k), abs=1e-12)
        assert hat == pytest.approx(float(p**k), abs=1e-12)


def test_the_plug_in_would_be_biased() -> None:
    """(c/n)^k, the tempting shortcut, gives .549 where .512 is true; the estimate here does not."""
    n, k, p = 10, 3, 0.8
    chances = [comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)]
    assert sum(w * (c / n) ** k for c, w in enumerate(chances)) == pytest.approx(0.549, abs=5e-4)
    assert sum(w * pass_hat_k(n, c, k) for c, w in enumerate(chances)) == pytest.approx(0.512, abs=1e-12)


@pytest.mark.parametrize("estimator", [pass_at_k, pass_hat_k])
@pytest.mark.parametrize(
    ("n", "c", "k", "word"),
    [
        (3, 0, 5, "needs at least 5"),
        (4, 4, 5, "needs at least 5"),
        (0, 0, 1, "needs at least 1"),
        (5, 3, 0, "at least 1"),
        (5, 3, -1, "at least 1"),
        (5, 6, 2, "impossible"),
        (5, -1, 2, "impossible"),
    ],
)
def test_the_undefined_is_refused(
    estimator: Callable[[int, int, int], float], n: int, c: int, k: int, word: str
) -> None:
    """Too few runs is not 1.0 (as in a well-known program), and impossible counts are not computed with."""
    with pytest.raises(ValueError, match=word):
        estimator(n, c, k)


def test_large_counts_stay_exact() -> None:
    """A hundred thousand runs neither overflow nor lose the last digit."""
    n, c, k = 100_000, 99_999, 50_000
    assert pass_hat_k(n, c, k) == 0.5
    assert pass_at_k(n, 1, k) == 0.5
    assert 0 < pass_hat_k(2_000, 1_000, 500) < 1e-150


def test_against_scipy() -> None:
    """The chance that k runs drawn without replacement hold no pass is hypergeometric."""
    hypergeom = pytest.importorskip("scipy.stats").hypergeom
    for n, c, k in [(10, 3, 4), (50, 45, 10), (120, 7, 30), (33, 32, 33)]:
        assert pass_at_k(n, c, k) == pytest.approx(1 - hypergeom.pmf(0, n, c, k), abs=1e-12)
        assert pass_hat_k(n, c, k) == pytest.approx(hypergeom.pmf(k, n, c, k), abs=1e-12)
