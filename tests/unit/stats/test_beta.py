"""The beta distribution against exact fractions, closed forms, printed tables and scipy."""

from fractions import Fraction
from math import comb, exp, inf, lgamma, log, nan, pi, sqrt, tan

import pytest

from pytest_llmrel.stats.beta import beta_quantile, incomplete_beta, log_beta, student_quantile

PAIRS = [(0.5, 0.5), (1, 1), (0.5, 20.5), (3, 7), (48.5, 2.5), (1_000, 3), (2.5, 1e4), (1e5, 1e5), (9e4, 0.7)]


def _exact(x: Fraction, a: int, b: int) -> Fraction:
    """At least ``a`` of ``a + b - 1`` runs pass."""
    n = a + b - 1
    return sum((comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1)), Fraction(0))


@pytest.mark.parametrize(("a", "b"), [(1, 1), (2, 5), (7, 1), (30, 21), (1, 300), (150, 150)])
def test_whole_parameters_are_met_exactly(a: int, b: int) -> None:
    """For integers the function is a sum of binomial chances, here in fractions, down to 1e-300."""
    for sixteenths in (1, 2, 5, 8, 11, 15):
        x = Fraction(sixteenths, 16)
        assert incomplete_beta(float(x), a, b) == pytest.approx(float(_exact(x, a, b)), rel=1e-12, abs=0)


@pytest.mark.parametrize("a", [0.5, 1, 3, 1_000, 1e5])
def test_the_power_law(a: float) -> None:
    """With b = 1 it is ``x^a``, also where that is very small."""
    for x in (0.001, 0.3, 0.9, 0.999):
        if a * log(x) > -650:
            assert incomplete_beta(x, a, 1) == pytest.approx(exp(a * log(x)), rel=1e-12, abs=0)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_the_two_tails_make_one(a: float, b: float) -> None:
    """The chance below x and that of the mirror image below 1 - x."""
    for x in (0.015625, 0.25, 0.5, 0.75, 0.984375):
        assert incomplete_beta(x, a, b) + incomplete_beta(1 - x, b, a) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("a", "b"), PAIRS)
@pytest.mark.parametrize("p", [1e-12, 0.025, 0.4, 0.5, 0.95, 0.999])
def test_the_quantile_is_the_inverse(a: float, b: float, p: float) -> None:
    """The chance below the quantile is the one asked for."""
    x = beta_quantile(p, a, b)
    if 1e-300 < x < 1 - 1e-6:
        assert incomplete_beta(x, a, b) == pytest.approx(p, rel=1e-9)


def test_the_borders() -> None:
    """0 and 1 are themselves, and a quantile too small for a float is 0."""
    assert (incomplete_beta(0, 2, 3), incomplete_beta(1, 2, 3)) == (0.0, 1.0)
    assert (beta_quantile(0, 2, 3), beta_quantile(1, 2, 3)) == (0.0, 1.0)
    assert beta_quantile(1e-12, 0.01, 1) == 0.0
    assert beta_quantile(1 - 1e-12, 1, 0.01) == 1.0
    assert student_quantile(0, 4) == -inf
    assert student_quantile(1, 4) == inf


def test_the_logarithm_of_beta() -> None:
    """Known values, the recursion B(a, b+1) = B(a, b) b/(a+b), and lgamma where that is precise."""
    assert log_beta(1, 1) == pytest.approx(0, abs=1e-14)
    assert log_beta(0.5, 0.5) == pytest.approx(log(pi), rel=1e-14)
    assert log_beta(3, 4) == pytest.approx(-log(60), rel=1e-14)
    assert log_beta(1e5, 1) == pytest.approx(-log(1e5), rel=1e-13)
    for a, b in PAIRS:
        assert log_beta(a, b + 1) - log_beta(a, b) == pytest.approx(log(b / (a + b)), rel=1e-8)
        assert log_beta(a, b) == pytest.approx(lgamma(a) + lgamma(b) - lgamma(a + b), rel=1e-9, abs=1e-9)


def test_printed_quantiles_of_student() -> None:
    """The table of every textbook, and one, two and four degrees of freedom in closed form."""
    for df, t in [(1, 12.7062), (2, 4.3027), (5, 2.5706), (10, 2.2281), (30, 2.0423), (120, 1.9799)]:
        assert student_quantile(0.975, df) == pytest.approx(t, abs=5e-5)
        assert student_quantile(0.025, df) == pytest.approx(-t, abs=5e-5)
    for p in (1e-6, 0.2, 0.7, 0.999):
        assert student_quantile(p, 1) == pytest.approx(tan(pi * (p - 0.5)), rel=1e-9)
        assert student_quantile(p, 2) == pytest.approx((2 * p - 1) / sqrt(2 * p * (1 - p)), rel=1e-9)
    assert student_quantile(0.5, 3) == 0
    assert student_quantile(0.975, 1e7) == pytest.approx(1.959963984540054, abs=1e-6)


@pytest.mark.parametrize("bad", [0, -1, nan, inf])
def test_impossible_parameters_are_refused(bad: float) -> None:
    """Parameters are positive and finite."""
    with pytest.raises(ValueError, match="positive"):
        incomplete_beta(0.5, bad, 1)
    with pytest.raises(ValueError, match="positive"):
        beta_quantile(0.5, 1, bad)
    with pytest.raises(ValueError, match="positive"):
        log_beta(bad, 1)
    with pytest.raises(ValueError, match="positive"):
        student_quantile(0.1, bad)


@pytest.mark.parametrize("bad", [-0.1, 1.1, nan])
def test_impossible_shares_are_refused(bad: float) -> None:
    """A chance, and a point of the beta distribution, lie within 0..1."""
    with pytest.raises(ValueError, match=r"0\.\.1"):
        incomplete_beta(bad, 1, 1)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        beta_quantile(bad, 1, 1)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        student_quantile(bad, 1)


def test_what_does_not_converge_says_so() -> None:
    """Rather an error than a wrong number."""
    with pytest.raises(ArithmeticError, match="converge"):
        incomplete_beta(0.5, 1e14, 1e14)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_against_scipy(a: float, b: float) -> None:
    """Function and quantile at many points, small tails included."""
    special = pytest.importorskip("scipy.special")
    for p in (1e-200, 1e-30, 1e-8, 0.01, 0.025, 0.3, 0.5, 0.9, 0.975, 0.999):
        theirs = float(special.betaincinv(a, b, p))
        if theirs > 1e-280:
            assert beta_quantile(p, a, b) == pytest.approx(theirs, rel=1e-9)
            expected = float(special.betainc(a, b, theirs))
            assert incomplete_beta(theirs, a, b) == pytest.approx(expected, rel=1e-9, abs=0)


def test_student_against_scipy() -> None:
    """Quantiles of whole and broken degrees of freedom, near the median and far from it."""
    student = pytest.importorskip("scipy.stats").t
    for df in (0.7, 1, 3, 12.34, 49, 499, 1e5):
        for p in (1e-10, 0.005, 0.025, 0.2, 0.49, 0.6, 0.95, 0.9999):
            assert student_quantile(p, df) == pytest.approx(float(student.ppf(p, df)), rel=1e-9)
