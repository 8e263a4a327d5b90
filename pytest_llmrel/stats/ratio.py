"""The ratio of two means that were measured together, such as cost per passed run, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, isfinite, sqrt

from pytest_llmrel.stats.beta import student_quantile

__all__ = ["Ratio", "ratio_interval"]

_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of means.

    Attributes:
        point: sum of the numerators over sum of the denominators.
        low: lower end of the interval, ``None`` where there is none.
        high: upper end of it.
        n: units.
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
    Student's t test; there is none where that set has no end, because the denominators may well be 0.

    Args:
        numerators: one of each unit, finite.
        denominators: of the same units, finite; their sum is not 0.
        confidence: of both ends together, within (0, 1).

    Raises:
        ValueError: no unit, different lengths, a value that is not finite, denominators that add up to 0, or
            ``confidence`` out of range.
    """
    _check(numerators, denominators, confidence)
    n, total = len(numerators), fsum(denominators)
    point = fsum(numerators) / total
    if n < _FEWEST:
        return Ratio(point, None, None, n)
    # In units of the mean denominator, and with numerators about their share of the ratio: tiny sums of money
    # keep their digits.
    scale = total / n
    q = [value / scale for value in denominators]
    d = [value / scale - point * part for value, part in zip(numerators, q, strict=True)]
    t = student_quantile((1 + confidence) / 2, n - 1)
    per = t * t / (n * (n - 1))
    var_d = per * fsum(value * value for value in d)
    var_q = per * fsum((part - 1) ** 2 for part in q)
    cov = per * fsum(value * (part - 1) for value, part in zip(d, q, strict=True))
    # The mean of d - x q is -x; (x)^2 <= var_d - 2 x cov + x^2 var_q.
    if var_q >= 1:
        return Ratio(point, None, None, n)
    root = sqrt(max(0.0, cov * cov + var_d * (1 - var_q)))
    low, high = (point + (-cov - root) / (1 - var_q), point + (-cov + root) / (1 - var_q))
    is_positive = scale > 0 and min(numerators) >= 0
    return Ratio(point, max(0.0, low) if is_positive else low, high, n)


def _check(numerators: Sequence[float], denominators: Sequence[float], confidence: float) -> None:
    if not numerators or len(numerators) != len(denominators):
        raise ValueError("a ratio needs a numerator and a denominator of each unit, and a unit")
    if not (all(map(isfinite, numerators)) and all(map(isfinite, denominators))):
        raise ValueError("a value is not finite")
    if not fsum(denominators):
        raise ValueError("the denominators add up to 0")
    if not 0 < confidence < 1:
        raise ValueError(f"{confidence} is no confidence")
