"""Fisher's one-sided test against counted tables, reference figures and scipy."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import comb, fsum
from random import Random
from typing import Any

import pytest

from pytest_llmrel.stats.fisher import fisher_worse, hypergeometric_pmf


def _counted(x0: int, n0: int, x1: int, n1: int) -> Fraction:
    passes = x0 + x1
    ways = sum(comb(n1, j) * comb(n0, passes - j) for j in range(x1 + 1) if passes >= j)
    return Fraction(ways, comb(n0 + n1, passes))


@pytest.mark.parametrize(("n0", "n1"), list(product([0, 1, 2, 5, 9], repeat=2)))
def test_all_small_tables(n0: int, n1: int) -> None:
    """Every table of every small size, counted in integers."""
    for x0, x1 in product(range(n0 + 1), range(n1 + 1)):
        expected = float(_counted(x0, n0, x1, n1))
        assert fisher_worse(x0, n0, x1, n1) == pytest.approx(expected, rel=1e-13, abs=0)


@pytest.mark.parametrize(
    ("x0", "n0", "x1", "n1"), [(50, 50, 0, 10), (500, 500, 0, 460), (900, 1_000, 300, 600), (3, 1_000, 0, 9)]
)
def test_small_tails_keep_their_digits(x0: int, n0: int, x1: int, n1: int) -> None:
    """Down to 1e-287, counted in integers."""
    assert fisher_worse(x0, n0, x1, n1) == pytest.approx(float(_counted(x0, n0, x1, n1)), rel=1e-11, abs=0)


@pytest.mark.parametrize(("n0", "k"), [(5, 5), (10, 10), (50, 5)])
def test_the_smallest_attainable_value(n0: int, k: int) -> None:
    """All passed and now none: one way of C(n0+k, k)."""
    assert fisher_worse(n0, n0, 0, k) == pytest.approx(1 / comb(n0 + k, k), rel=1e-13)


def test_an_empty_sample_shows_nothing() -> None:
    """No baseline, or no runs now: 1, exactly."""
    assert fisher_worse(0, 0, 0, 5) == 1.0
    assert fisher_worse(0, 0, 3, 5) == 1.0
    assert fisher_worse(5, 5, 0, 0) == 1.0
    assert fisher_worse(0, 0, 0, 0) == 1.0


def test_the_best_possible_result_is_1() -> None:
    """Exactly, although the chances that it adds up are rounded."""
    for n0, n1 in product((7, 50, 333), (5, 20, 100)):
        assert {fisher_worse(x0, n0, n1, n1) for x0 in range(n0 + 1)} == {1.0}
        assert {fisher_worse(0, n0, x1, n1) for x1 in range(n1 + 1)} == {1.0}


def test_beyond_the_range_of_floats_it_is_0() -> None:
    """One way of 10 to the 60205 is no float, and one of 10 to the 299 none with all its digits."""
    assert fisher_worse(500, 500, 0, 500) == 0.0
    assert fisher_worse(600, 600, 0, 600) == 0.0
    assert fisher_worse(100_000, 100_000, 0, 100_000) == 0.0


@pytest.mark.parametrize(
    ("n0", "n1", "passes"), [(5, 3, 4), (50, 10, 58), (0, 7, 3), (7, 0, 3), (90_000, 400, 80_000)]
)
def test_the_distribution(n0: int, n1: int, passes: int) -> None:
    """Its sum is 1, its mean the share of the passes that falls to n1 runs."""
    low, chances = hypergeometric_pmf(n0, n1, passes)
    assert low >= max(0, passes - n0)
    assert low + len(chances) - 1 <= min(n1, passes)
    assert fsum(chances) == pytest.approx(1, abs=1e-12)
    mean = fsum(x * chance for x, chance in enumerate(chances, low))
    assert mean == pytest.approx(n1 * passes / (n0 + n1), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("counts", [(6, 5, 0, 5), (0, 5, 6, 5), (-1, 5, 0, 5), (0, 5, -1, 5), (0, -1, 0, 5)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int, int]) -> None:
    """More passes than runs, or fewer than none."""
    with pytest.raises(ValueError, match="no proportions"):
        fisher_worse(*counts)


@pytest.mark.parametrize("margins", [(-1, 5, 0), (5, -1, 0), (5, 5, 11), (5, 5, -1)])
def test_impossible_margins_are_refused(margins: tuple[int, int, int]) -> None:
    """More passes than runs in total, or fewer than none."""
    with pytest.raises(ValueError, match="impossible"):
        hypergeometric_pmf(*margins)


def test_all_shared_reference_values(shared_data: Callable[[str], Any]) -> None:
    """Every vector of the shared file is met, single tables and the tests of a suite."""
    oracles = shared_data("stat_oracles.json")
    for row in oracles["fisher_one_sided_worse"]:
        ours = fisher_worse(row["x0"], row["n0"], row["x1"], row["k"])
        assert ours == pytest.approx(row["p"], rel=1e-12)
        assert ours == pytest.approx(row["fisher_scipy"], rel=1e-12)
    suite = oracles["suite_example"]
    for x0, x1, p in zip(suite["x0"], suite["x1"], suite["fisher_p"], strict=True):
        assert fisher_worse(x0, suite["n0"], x1, suite["k"]) == pytest.approx(p, rel=1e-12)


def test_against_scipy() -> None:
    """Random tables up to a hundred thousand runs."""
    hypergeom = pytest.importorskip("scipy.stats").hypergeom
    random = Random(7)
    for _ in range(300):
        n0, n1 = (int(10 ** random.uniform(0, 5)) for _ in range(2))
        x0 = int(n0 * random.random())
        x1 = min(n1, max(0, round(n1 * x0 / n0 + random.uniform(-9, 3) * (n1 * 0.2) ** 0.5)))
        theirs = float(hypergeom.cdf(x1, n0 + n1, x0 + x1, n1))
        assert fisher_worse(x0, n0, x1, n1) == pytest.approx(theirs, rel=1e-9, abs=1e-280)
