"""The ratio of two means that were measured together, such as cost per passed run, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import frexp, fsum, isfinite, ldexp, sqrt

from pytest_llmrel.stats.beta import student_quantile

__all__ = ["Ratio", "ratio_interval"]

_FEWEST = 2
_LARGE = 250_000
"""Units from which on loading numpy takes less time than doing without it."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of means.

    Attributes:
        point: sum of the numerators over sum of the denominators, in units of the one per unit of the other.
        low: lower end of the interval, at most ``point``; ``None`` where there is none.
        high: upper end of it, at least ``point``; ``None`` where ``low`` is.
        n: units that were measured.
    """

    point: float
    low: float | None
    high: float | None
    n: int


def ratio_interval(
    numerators: Sequence[float], denominators: Sequence[float], confidence: float = 0.95
) -> Ratio:
    """The ratio of two means, its interval by Fieller's theorem (Fieller 1954, J. R. Stat. Soc. B 16:175).

    It holds all ratios R for which the mean of ``numerator - R * denominator`` does not differ from 0 by
    Student's t test with ``n - 1`` degrees of freedom. There is none for a single unit, nor where that set
    has no end because the denominators may well be 0 on average. Where neither varies, it is the point.

    Few units with skewed numerators are not quite normal: of ten log-normal costs with four passes in five,
    the nominal 95 % are 93 % (sigma 0.6) or 89 % (sigma 1); of fifty, 94 % and 92 % (200 000 simulations).

    Args:
        numerators: one of each unit, finite. If none is negative and the mean denominator is positive, nor is
            the lower end.
        denominators: of the same units, finite; their sum is not 0.
        confidence: of both ends together, within (0, 1).

    Raises:
        ValueError: no unit, different lengths, a value that is not finite, denominators that add up to 0, a
            ratio too large for a float, or ``confidence`` out of range.
    """
    _check(numerators, denominators, confidence)
    n, unit, other_unit = len(numerators), _unit(numerators), _unit(denominators)
    mean = fsum(value / other_unit for value in denominators) / n
    if not mean:
        raise ValueError("the denominators add up to 0")
    # From here on denominators have the mean 1 and numerators are of the order of 1: squares of the smallest
    # sums of money keep their digits.
    share, size = fsum(value / unit for value in numerators) / n, unit / other_unit / mean
    if not isfinite(share * size):
        raise ValueError("the ratio is too large for a floating-point number")
    if n < _FEWEST:
        return Ratio(share * size, None, None, n)
    if _is_constant(numerators) and _is_constant(denominators):
        point = numerators[0] / denominators[0]
        return Ratio(point, point, point, n)
    deviations = _large_deviations if n > _LARGE else _deviations
    squares = deviations(numerators, denominators, unit, other_unit * mean, share)
    ends = _ends(squares, student_quantile((1 + confidence) / 2, n - 1) ** 2 / (n * (n - 1)))
    low, high = sorted((share + end) * size for end in ends) if ends else (None, None)
    if low is None or high is None or not isfinite(high - low):
        return Ratio(share * size, None, None, n)
    if mean > 0 and min(numerators) >= 0:
        low = max(0.0, low)
    return Ratio(share * size, low, high, n)


def _ends(squares: tuple[float, float, float], per: float) -> tuple[float, float] | None:
    """Where ``x^2 = var_d - 2 x cov + x^2 var_q``, for the mean of ``d - x q`` is ``-x``."""
    var_d, var_q, cov = (per * value for value in squares)
    if var_q >= 1:
        return None
    root = sqrt(max(0.0, cov * cov + var_d * (1 - var_q)))
    return min(0.0, (-cov - root) / (1 - var_q)), max(0.0, (-cov + root) / (1 - var_q))


def _deviations(
    numerators: Sequence[float], denominators: Sequence[float], unit: float, other: float, share: float
) -> tuple[float, float, float]:
    """Sums of squares of ``d = numerator - share * q`` and ``q = denominator - 1``, and of their product."""
    q = [value / other for value in denominators]
    d = [value / unit - share * part for value, part in zip(numerators, q, strict=True)]
    return (
        fsum(value * value for value in d),
        fsum((part - 1) ** 2 for part in q),
        fsum(value * (part - 1) for value, part in zip(d, q, strict=True)),
    )


def _large_deviations(
    numerators: Sequence[float], denominators: Sequence[float], unit: float, other: float, share: float
) -> tuple[float, float, float]:
    """The same by numpy."""
    import numpy as np

    q = np.asarray(denominators, dtype=float) / other
    d = np.asarray(numerators, dtype=float) / unit - share * q
    q -= 1
    return float(np.sum(d * d)), float(np.sum(q * q)), float(np.sum(d * q))


def _unit(values: Sequence[float]) -> float:
    """A power of two of the order of the largest, by which values can be divided without rounding."""
    largest = max(map(abs, values))
    return ldexp(1.0, frexp(largest)[1] - 1) if largest else 1.0


def _is_constant(values: Sequence[float]) -> bool:
    return min(values) == max(values)


def _check(numerators: Sequence[float], denominators: Sequence[float], confidence: float) -> None:
    if not len(numerators) or len(numerators) != len(denominators):
        raise ValueError("a ratio needs a numerator and a denominator of each unit, and a unit")
    if not (all(map(isfinite, numerators)) and all(map(isfinite, denominators))):
        raise ValueError("a value is not finite")
    if not 0 < confidence < 1:
        raise ValueError(f"{confidence} is no confidence")
