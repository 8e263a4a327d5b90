"""Agreement of a judge with people, and with itself."""

from math import sqrt
from random import Random
from typing import NamedTuple

from pytest_llmrel.stats.intervals import wilson

__all__ = ["Agreement", "cohen_kappa", "kappa_interval", "within_variance", "youden", "youden_interval"]

_HALF = 0.5
"""Items added to each cell: Jeffreys' prior."""


class Agreement(NamedTuple):
    """Items by what people and what a judge said of them."""

    tp: int
    """Both passed."""
    fn: int
    """People passed, the judge failed."""
    tn: int
    """Both failed."""
    fp: int
    """People failed, the judge passed."""


def cohen_kappa(table: Agreement) -> float | None:
    """Agreement beyond chance: ``(po - pe) / (1 - pe)``, ``pe`` from the margins.

    Cohen 1960, Educ. Psychol. Meas. 20, 37-46. It depends on the share of items that people passed: show the
    two together (Feinstein and Cicchetti 1990, J. Clin. Epidemiol. 43, 543-549).

    Returns:
        A number within -1..1, 0 for agreement by chance; None where people passed all items or none, for then
        it is 0 or 0/0, whatever the judge says.

    Raises:
        ValueError: a negative count.
    """
    _check(table)
    if not (table.tp + table.fn and table.tn + table.fp):
        return None
    return _kappa(*table)


def kappa_interval(
    table: Agreement, *, resamples: int = 2_000, seed: int = 0, confidence: float = 0.95
) -> tuple[float, float] | None:
    """Interval of Cohen's kappa by the Bayesian bootstrap: items are weighted anew, at random.

    Rubin 1981, Ann. Stat. 9, 130-134, with half an item more in each cell (Jeffreys' prior). Drawing items
    with replacement instead never makes a mistake that the judge has not made yet: of 100 items, sensitivity
    .99 and specificity .98, that interval holds the truth in 76 % of the samples, this one in 94 %.

    Args:
        table: the items.
        resamples: random weightings.
        seed: of them; the same seed gives the same interval.
        confidence: two-sided, within (0, 1).

    Returns:
        ``(low, high)`` around `cohen_kappa`, within -1..1; None where that is undefined.

    Raises:
        ValueError: a negative count, ``resamples < 1``, or ``confidence`` out of range.
    """
    if resamples < 1 or not 0 < confidence < 1:
        raise ValueError(f"{resamples} resamples, confidence {confidence}: one of them is impossible")
    point = cohen_kappa(table)
    if point is None:
        return None
    rng = Random(seed)  # noqa: S311 - statistics, no secrets
    drawn = sorted(
        _kappa(*[rng.gammavariate(count + _HALF, 1.0) for count in table]) for _ in range(resamples)
    )
    outside = int(resamples * (1 - confidence) / 2)
    return min(point, drawn[outside]), max(point, drawn[-1 - outside])


def youden(table: Agreement) -> float | None:
    """Youden's J, sensitivity and specificity less 1: 1 for a perfect judge, 0 for one that tosses a coin.

    Youden 1950, Cancer 3, 32-35.

    Returns:
        A number within -1..1; None where people passed all items or none.

    Raises:
        ValueError: a negative count.
    """
    _check(table)
    good, bad = table.tp + table.fn, table.tn + table.fp
    return table.tp / good + table.tn / bad - 1 if good and bad else None


def youden_interval(table: Agreement) -> tuple[float, float] | None:
    """Interval of Youden's J, two-sided 95 %, from Wilson's intervals of its two shares.

    J is the difference of the shares that a judge passes of the good and of the bad items: method 10 of
    Newcombe 1998, Stat. Med. 17, 873-890.

    Returns:
        ``(low, high)`` around `youden`, within -1..1; None where that is undefined.

    Raises:
        ValueError: a negative count.
    """
    point = youden(table)
    if point is None:
        return None
    good, bad = table.tp + table.fn, table.tn + table.fp
    passed, failed = table.tp / good, table.tn / bad
    (low_1, high_1), (low_0, high_0) = wilson(table.tp, good), wilson(table.tn, bad)
    low = point - sqrt((passed - low_1) ** 2 + (failed - low_0) ** 2)
    high = point + sqrt((high_1 - passed) ** 2 + (high_0 - failed) ** 2)
    return max(-1.0, low), min(1.0, high)


def within_variance(pairs: int, differing: int) -> float | None:
    """Variance of a 0/1 verdict between judgements of the same item.

    Half the share of pairs that differ, since ``E (X - X')^2 / 2 = Var X`` for independent ``X`` and ``X'``.

    Args:
        pairs: of verdicts, each pair of the same item.
        differing: of them.

    Returns:
        A number within 0..0.5, on average at most 0.25; None without pairs.

    Raises:
        ValueError: impossible counts.
    """
    if not 0 <= differing <= pairs:
        raise ValueError(f"{differing} of {pairs} pairs is impossible")
    return differing / pairs / 2 if pairs else None


def _kappa(tp: float, fn: float, tn: float, fp: float) -> float:
    # (po - pe) / (1 - pe) with both sides times n squared, which is exact for counts.
    n = tp + fn + tn + fp
    chance = (tp + fn) * (tp + fp) + (tn + fp) * (tn + fn)
    return ((tp + tn) * n - chance) / (n * n - chance)


def _check(table: Agreement) -> None:
    if min(table) < 0:
        raise ValueError(f"{table} has a negative count")
