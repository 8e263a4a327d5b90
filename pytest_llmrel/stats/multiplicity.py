"""Adjusted p-values of many tests at once."""

from collections.abc import Sequence
from math import expm1, log1p

from pytest_llmrel.stats.stratified import NullDistribution

__all__ = ["benjamini_hochberg", "holm", "min_p"]


def holm(pvalues: Sequence[float]) -> list[float]:
    """P-values adjusted for the chance of any false alarm: Holm 1979, Scand. J. Stat. 6, 65-70.

    Returns:
        The adjusted p-values within 0..1, in the order given.

    Raises:
        ValueError: a p-value outside 0..1.
    """
    _check(pvalues)
    m, highest = len(pvalues), 0.0
    adjusted = [0.0] * m
    for rank, index in enumerate(_ascending(pvalues)):
        highest = max(highest, min(1.0, (m - rank) * pvalues[index]))
        adjusted[index] = highest
    return adjusted


def benjamini_hochberg(pvalues: Sequence[float]) -> list[float]:
    """P-values adjusted for the expected share of false ones among the alarms.

    Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57, 289-300.

    Returns:
        The adjusted p-values within 0..1, in the order given.

    Raises:
        ValueError: a p-value outside 0..1.
    """
    _check(pvalues)
    m, lowest = len(pvalues), 1.0
    adjusted = [0.0] * m
    for rank, index in reversed(list(enumerate(_ascending(pvalues), 1))):
        lowest = min(lowest, m / rank * pvalues[index])
        adjusted[index] = lowest
    return adjusted


def min_p(pvalues: Sequence[float], nulls: Sequence[NullDistribution]) -> list[float]:
    """P-values adjusted for the chance of any false alarm among independent, discrete tests, exactly.

    Step-down: the chance that, of the tests not yet named, one has by luck a p-value as small as
    this one; tests that can have none cost nothing. Westfall and Young 1993, "Resampling-based
    multiple testing", section 2.6; Tarone 1990, Biometrics 46, 515-522. The least of the values
    is the single-step one, the p-value of "no test changed".

    Args:
        pvalues: one per test.
        nulls: the distribution that each of them comes from, in the same order.

    Returns:
        The adjusted p-values within 0..1, in the order given.

    Raises:
        ValueError: a p-value outside 0..1, or not as many distributions.
    """
    _check(pvalues)
    if len(nulls) != len(pvalues):
        raise ValueError(f"there are {len(pvalues)} p-values and {len(nulls)} distributions")
    order, highest = _ascending(pvalues), 0.0
    adjusted = [1.0] * len(pvalues)
    for rank, index in enumerate(order):
        highest = max(highest, _chance_of_any(pvalues[index], [nulls[other] for other in order[rank:]]))
        if highest >= 1.0:
            break
        adjusted[index] = highest
    return adjusted


def _chance_of_any(p: float, nulls: Sequence[NullDistribution]) -> float:
    """Chance that at least one of independent tests has a p-value of at most ``p``."""
    chances = [null.attainable(p) for null in nulls]
    return 1.0 if max(chances) >= 1.0 else -expm1(sum(log1p(-chance) for chance in chances))


def _ascending(pvalues: Sequence[float]) -> list[int]:
    return sorted(range(len(pvalues)), key=pvalues.__getitem__)


def _check(pvalues: Sequence[float]) -> None:
    for p in pvalues:
        if not 0 <= p <= 1:
            raise ValueError(f"{p} is no p-value")
