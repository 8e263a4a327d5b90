"""Binomial chances against exact fractions, their moments and scipy."""

from fractions import Fraction
from math import comb, fsum, nan

import pytest

from pytest_llmrel.stats.binomial import binomial_cdf, binomial_pmf


@pytest.mark.parametrize("n", [0, 1, 2, 7, 40, 200])
@pytest.mark.parametrize("p", [Fraction(0), Fraction(1, 8), Fraction(1, 2), Fraction(15, 16), Fraction(1)])
def test_both_are_exact(n: int, p: Fraction) -> None:
    """Every chance, and every chance of at most so many, computed in fractions."""
    exact = [comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)]
    assert binomial_pmf(n, float(p)) == pytest.approx([float(e) for e in exact], rel=1e-12, abs=1e-300)
    for x in range(n + 1):
        below = float(sum(exact[: x + 1]))
        assert binomial_cdf(x, n, float(p)) == pytest.approx(below, rel=1e-12, abs=1e-300)


def test_it_is_certain_outside_the_range() -> None:
    """Fewer than none never, up to all always."""
    assert binomial_cdf(-1, 5, 0.3) == 0.0
    assert binomial_cdf(5, 5, 0.3) == 1.0
    assert binomial_cdf(9, 5, 0.3) == 1.0


@pytest.mark.parametrize("n", [10, 1_000, 100_000])
@pytest.mark.parametrize("p", [1e-9, 0.03, 0.5, 0.999])
def test_the_moments(n: int, p: float) -> None:
    """The sum is 1, the mean n p and the variance n p (1-p)."""
    chances = binomial_pmf(n, p)
    assert len(chances) == n + 1
    assert fsum(chances) == pytest.approx(1, abs=1e-12)
    assert fsum(x * c for x, c in enumerate(chances)) == pytest.approx(n * p, rel=1e-9)
    variance = fsum((x - n * p) ** 2 * c for x, c in enumerate(chances))
    assert variance == pytest.approx(n * p * (1 - p), rel=1e-9)


@pytest.mark.parametrize(("n", "p"), [(-1, 0.5), (3, -0.1), (3, 1.1), (3, nan)])
def test_the_impossible_is_refused(n: int, p: float) -> None:
    """Also where the answer would not depend on it."""
    with pytest.raises(ValueError, match="impossible"):
        binomial_pmf(n, p)
    with pytest.raises(ValueError, match="impossible"):
        binomial_cdf(n, n, p)


def test_against_scipy() -> None:
    """Large numbers and small tails."""
    binom = pytest.importorskip("scipy.stats").binom
    for n, p in [(12, 0.95), (500, 0.2), (20_000, 0.7), (100_000, 0.501)]:
        chances = binomial_pmf(n, p)
        for x in range(0, n + 1, max(1, n // 200)):
            assert chances[x] == pytest.approx(float(binom.pmf(x, n, p)), rel=1e-9, abs=1e-290)
            assert binomial_cdf(x, n, p) == pytest.approx(float(binom.cdf(x, n, p)), rel=1e-9, abs=1e-290)
