"""The true pass rate behind what a fallible judge passes."""

from dataclasses import dataclass
from math import sqrt

__all__ = ["LEAST_YOUDEN", "Corrected", "rogan_gladen"]

LEAST_YOUDEN = 0.2
"""Sensitivity and specificity less 1 below which a judge tells too little of the truth to be corrected."""

_Z95 = 1.959963984540054
"""Upper 2.5 % point of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A pass rate, as far as the judge's mistakes are known; noise may take it out of 0..1.

    Attributes:
        point: the rate.
        low: lower end of the 95 % interval, at most ``point``.
        high: upper end of it, at least ``point``.
    """

    point: float
    low: float
    high: float


def rogan_gladen(
    rate: float,
    n: int,
    sensitivity: tuple[int, int],
    specificity: tuple[int, int],
    *,
    variance: float | None = None,
) -> Corrected | None:
    """The true pass rate by the judged one: ``(rate + q0 - 1) / (q0 + q1 - 1)``.

    Rogan and Gladen 1978, Am. J. Epidemiol. 107, 71-76. The interval holds the noise of the runs and that of
    both parts of the calibration, each with the small-sample adjustment of Lang and Reiczigel 2014,
    Prev. Vet. Med. 113, 13-22 (without their shift): ``z^2/2`` passes of ``z^2`` runs and one mistake of two
    items more. By exact enumeration, nominal 95 % are 97 % at a true rate of .8, q1 = .9, q0 = .85, 200
    runs and twice 50 items, and 96 % at .95 and twice 100; those of the judged rate are 60 % and 1 %.

    Args:
        rate: share that the judge passed, within 0..1.
        n: independent runs; of clustered ones, the clusters.
        sensitivity: ``(passed by the judge, all)`` of the items that are good.
        specificity: ``(failed by the judge, all)`` of the items that are bad.
        variance: of ``rate``, where runs are clustered; else that of ``n`` independent runs. One of 0 tells
            nothing of how clusters differ, and counts as that of ``n`` runs.

    Returns:
        None where ``q0 + q1 - 1`` is less than 0.2, observed or adjusted.

    Raises:
        ValueError: ``n < 1``, a rate, variance or count out of range, or no item of one kind.
    """
    _check(rate, n, sensitivity, specificity, variance)
    q1, q0 = (hits / items for hits, items in (sensitivity, specificity))
    s1, s0 = ((hits + 1) / (items + 2) for hits, items in (sensitivity, specificity))
    power = s1 + s0 - 1
    if min(q1 + q0 - 1, power) < LEAST_YOUDEN:
        return None
    size = _effective(rate, n, variance) + _Z95**2
    share = (rate * (size - _Z95**2) + _Z95**2 / 2) / size
    centre = (share + s0 - 1) / power
    half = (
        _Z95
        / power
        * sqrt(
            _variance(share, size)
            + (1 - centre) ** 2 * _variance(s0, specificity[1] + 2)
            + centre**2 * _variance(s1, sensitivity[1] + 2)
        )
    )
    point = (rate - (1 - q0)) / (q1 + q0 - 1)  # in this order a perfect judge changes not even the last digit
    return Corrected(point, min(point, centre - half), max(point, centre + half))


def _effective(rate: float, n: int, variance: float | None) -> float:
    """Independent runs with that variance: Korn and Graubard 1998, Surv. Methodol. 24, 193-201."""
    binomial = rate * (1 - rate)
    return binomial / variance if variance and binomial else n


def _variance(share: float, size: float) -> float:
    return share * (1 - share) / size


def _check(
    rate: float, n: int, sensitivity: tuple[int, int], specificity: tuple[int, int], variance: float | None
) -> None:
    if n < 1 or not 0 <= rate <= 1:
        raise ValueError(f"a rate of {rate} in {n} runs is impossible")
    if variance is not None and not 0 <= variance <= 1:
        raise ValueError(f"{variance} is not the variance of a rate")
    for name, (hits, items) in (("sensitivity", sensitivity), ("specificity", specificity)):
        if items < 1 or not 0 <= hits <= items:
            raise ValueError(f"{hits} of {items} items tell nothing of the {name}")
