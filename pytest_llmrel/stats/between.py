"""Spread of the pass rates between groups of runs, with the noise of few runs taken off."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor, sqrt
from typing import NamedTuple

from pytest_llmrel.stats.binomial import binomial_pmf

__all__ = [
    "between_sd",
    "between_variance",
    "design_effect",
    "expected_spread",
    "intraclass_correlation",
    "worst_group",
]


class _Components(NamedTuple):
    """The one-way analysis of variance of 0/1 outcomes."""

    between: float
    """Mean square between the groups."""
    within: float
    """Mean square within the groups."""
    size: float
    """Runs of a group; of unequal groups their effective number."""


def between_variance(groups: Sequence[tuple[int, int]]) -> float:
    """Unbiased estimate of the variance of the true pass rates of the groups.

    ``(MSB - MSW) / r`` of the one-way analysis of variance, with the effective group size for
    unequal groups: Searle, Casella and McCulloch 1992, Variance Components, section 3.6. It is not
    cut off at 0: noise alone gives negative values as often as positive ones, and only so do
    averages over several sets of groups stay unbiased.

    Args:
        groups: ``(passed, n)`` of each group, for example of each wording.

    Returns:
        Squared pass rates, at most 0.5; negative where there is less spread than noise alone gives.

    Raises:
        ValueError: fewer than 2 groups, a group of fewer than 2 runs, or impossible counts.
    """
    between, within, size = _components(groups)
    return (between - within) / size


def between_sd(strata: Sequence[Sequence[tuple[int, int]]]) -> float:
    """Standard deviation of the true pass rates between groups, noise taken off.

    The root of the mean of the untruncated variances, one for each stratum; 0 where that mean is
    negative, which says that the spread is not more than noise.

    Args:
        strata: the groups of each case, ``(passed, n)`` each.

    Returns:
        Pass rate points, 0 to 0.71; with many groups at most 0.5.

    Raises:
        ValueError: no strata, or one that `between_variance` refuses.
    """
    if not strata:
        raise ValueError("without groups there is no spread")
    return sqrt(max(0.0, sum(map(between_variance, strata)) / len(strata)))


def intraclass_correlation(groups: Sequence[tuple[int, int]]) -> float | None:
    """Correlation of two runs of the same group, ICC(1).

    ``(MSB - MSW) / (MSB + (r - 1) MSW)``: Shrout and Fleiss 1979, Psychol. Bull. 86, 420-428.

    Args:
        groups: ``(passed, n)`` of each group.

    Returns:
        At most 1, and negative where groups differ less than noise lets them; None where all runs
        passed or all failed: what does not vary does not correlate.

    Raises:
        ValueError: as `between_variance`.
    """
    between, within, size = _components(groups)
    total = between + (size - 1) * within
    return (between - within) / total if total else None


def design_effect(groups: Sequence[tuple[int, int]]) -> float | None:
    """How many times as many runs are needed as if all runs were independent.

    ``1 + (r - 1) ICC``: Kish 1965, Survey Sampling, section 5.4.

    Args:
        groups: ``(passed, n)`` of each group.

    Returns:
        From 0 to the size of a group; 1 for runs that do not depend on their group. None where the
        correlation is.

    Raises:
        ValueError: as `between_variance`.
    """
    correlation = intraclass_correlation(groups)
    return None if correlation is None else 1 + (_components(groups).size - 1) * correlation


def expected_spread(groups: Sequence[tuple[int, int]]) -> float:
    """Highest minus lowest observed rate that noise alone gives, on average.

    Exact: the mean over all ways to deal the observed passes out to the groups, which is the
    distribution under one common rate, whatever that rate is.

    Args:
        groups: ``(passed, n)`` of each group; only their total counts, and the sizes.

    Returns:
        Pass rate points, 0 to 1.

    Raises:
        ValueError: fewer than 2 groups, or impossible counts.
    """
    _check(groups, fewest=1)
    sizes = [n for _, n in groups]
    passed = sum(x for x, _ in groups)
    return _expected_highest(sizes, passed) + _expected_highest(sizes, sum(sizes) - passed) - 1


def worst_group(groups: Sequence[tuple[int, int]]) -> tuple[int, float]:
    """The group with the lowest rate, and that rate as far as it can be believed.

    The empirical Bayes mean of a Beta-Binomial, ``(M p + x) / (M + n)`` with
    ``M = p (1 - p) / variance - 1``: Efron and Morris 1975, J. Am. Stat. Assoc. 70, 311-319. The
    lowest of several rates is low by bad luck too; the estimate is drawn to the common rate ``p``
    by as much as the spread is noise.

    Args:
        groups: ``(passed, n)`` of each group.

    Returns:
        ``(index, rate)``, the first of equals. The rate is the common one where the spread is not
        more than noise, and the observed one where it is as large as spread can be.

    Raises:
        ValueError: as `between_variance`.
    """
    variance = between_variance(groups)
    common = sum(x for x, _ in groups) / sum(n for _, n in groups)
    if variance <= 0:
        return min(range(len(groups)), key=lambda j: groups[j][0] / groups[j][1]), common
    pull = max(0.0, common * (1 - common) / variance - 1)
    rates = [(pull * common + x) / (pull + n) for x, n in groups]
    worst = min(range(len(groups)), key=rates.__getitem__)
    return worst, rates[worst]


def _components(groups: Sequence[tuple[int, int]]) -> _Components:
    _check(groups, fewest=2)
    runs = sum(n for _, n in groups)
    common = sum(x for x, _ in groups) / runs
    apart = len(groups) - 1
    return _Components(
        between=sum(n * (x / n - common) ** 2 for x, n in groups) / apart,
        within=sum(x * (n - x) / n for x, n in groups) / (runs - len(groups)),
        size=(runs - sum(n * n for _, n in groups) / runs) / apart,
    )


def _expected_highest(sizes: Sequence[int], passed: int) -> float:
    """Mean of the highest rate, when ``passed`` passes are dealt out to groups of these sizes."""
    common = passed / sum(sizes)
    chances = {n: binomial_pmf(n, common) for n in set(sizes)}
    levels = sorted({Fraction(x, n) for n in chances for x in range(n + 1)})
    anything = _chance_of_total([chances[n] for n in sizes], passed)
    highest = 1.0
    for level, above in pairwise(levels):
        up_to = [chances[n][: floor(level * n) + 1] for n in sizes]
        highest -= float(above - level) * _chance_of_total(up_to, passed) / anything
    return highest


def _chance_of_total(chances: Sequence[Sequence[float]], total: int) -> float:
    """Chance that independent counts, each with its list of chances from 0 on, sum up to ``total``."""
    sums = [1.0]
    for chance in chances:
        longer = [0.0] * min(len(sums) + len(chance) - 1, total + 1)
        for passes, weight in enumerate(sums):
            for more, share in enumerate(chance[: len(longer) - passes]):
                longer[passes + more] += weight * share
        sums = longer
    return sums[total] if total < len(sums) else 0.0


def _check(groups: Sequence[tuple[int, int]], *, fewest: int) -> None:
    if len(groups) < 2:  # noqa: PLR2004  # one alone cannot differ
        raise ValueError(f"{len(groups)} group has no spread; it takes at least 2")
    for passed, n in groups:
        if n < fewest:
            raise ValueError(f"a group of {n} runs; each needs at least {fewest}")
        if not 0 <= passed <= n:
            raise ValueError(f"{passed} passes of {n} runs is impossible")
