"""The exact stratified test: did a whole set of tests pass less often than its baseline?"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from pytest_llmrel.stats.fisher import hypergeometric_pmf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NullDistribution", "Stratum", "null_distribution", "stratified_p"]

_SLACK = 1e-9
"""Relative distance below which two p-values are the same one, computed twice."""

_NEGLIGIBLE = 1e-100
"""Chances below it are dropped at both ends: the work follows the spread and not the number of runs."""


class Stratum(NamedTuple):
    """Counts of one test, or of one variant of it, in both samples."""

    x0: int
    """Passes of the baseline."""
    n0: int
    """Runs of the baseline."""
    x1: int
    """Passes now."""
    n1: int
    """Runs now."""


@dataclass(frozen=True, slots=True)
class NullDistribution:
    """Distribution of a total of passes, given all margins, if no rate changed."""

    offset: int
    """Least total that has a chance."""
    cumulative: tuple[float, ...]
    """Chances of at most ``offset``, ``offset + 1``, ...; ascending, the last is 1."""

    def p_value(self, total: int) -> float:
        """Chance of ``total`` or less, within 0..1."""
        index = min(total - self.offset, len(self.cumulative) - 1)
        return self.cumulative[index] if index >= 0 else 0.0

    def attainable(self, p: float) -> float:
        """Largest p-value that can occur and is at most ``p``; 0 if there is none.

        It is the chance of a p-value of at most ``p``: Tarone 1990, Biometrics 46, 515-522. A
        relative 1e-9 above ``p`` still counts as equal.
        """
        index = bisect_right(self.cumulative, p * (1 + _SLACK))
        return self.cumulative[index - 1] if index else 0.0


def null_distribution(strata: Iterable[Stratum]) -> NullDistribution:
    """Exact distribution of the sum of ``x1`` over independent strata, given all their margins.

    The convolution of one hypergeometric distribution per stratum (Cochran 1954, Biometrics 10,
    417-451; Mantel and Haenszel 1959, J. Natl. Cancer Inst. 22, 719-748). Summed
    directly rather than by Fourier transforms, so that p-values down to 1e-90 keep a relative
    precision of 1e-9.

    Raises:
        ValueError: passes outside ``0..n``.
    """
    groups = Counter(_margins(stratum) for stratum in strata)
    parts = [_times(_Part(*hypergeometric_pmf(*margins)), times) for margins, times in groups.items()]
    return _distribution(_total(parts))


def stratified_p(strata: Iterable[Stratum]) -> float:
    """One-sided p-value of the sum of ``x1`` over independent strata, small where the set is worse.

    Returns:
        A probability within 0..1; 1 without strata.

    Raises:
        ValueError: passes outside ``0..n``.
    """
    known = tuple(strata)
    return null_distribution(known).p_value(sum(stratum.x1 for stratum in known))


class _Part(NamedTuple):
    """Distribution of the passes of some strata."""

    low: int
    chances: "NDArray[np.float64] | tuple[float, ...]"


def _margins(stratum: Stratum) -> tuple[int, int, int]:
    x0, n0, x1, n1 = stratum
    if not (0 <= x0 <= n0 and 0 <= x1 <= n1):
        raise ValueError(f"{x0} of {n0} and {x1} of {n1} are no proportions")
    return n0, n1, x0 + x1


def _distribution(part: _Part) -> NullDistribution:
    below = [min(1.0, float(chance)) for chance in accumulate(part.chances)]
    return NullDistribution(part.low, (*below[:-1], 1.0))


def _total(parts: list[_Part]) -> _Part:
    """Sum of independent parts, in pairs, so that long distributions are few."""
    while len(parts) > 1:
        odd = parts[len(parts) // 2 * 2 :]
        parts = [_plus(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)] + odd
    return parts[0] if parts else _Part(0, (1.0,))


def _times(part: _Part, times: int) -> _Part:
    """Sum of ``times`` independent parts like this one, by repeated doubling."""
    if times == 1:
        return part
    half = _times(part, times // 2)
    double = _plus(half, half)
    return _plus(double, part) if times % 2 else double


def _plus(a: _Part, b: _Part) -> _Part:
    """Sum of two independent parts."""
    low = a.low + b.low
    if len(a.chances) == 1:
        return _Part(low, b.chances)
    if len(b.chances) == 1:
        return _Part(low, a.chances)
    import numpy as np

    chances = np.convolve(a.chances, b.chances)
    kept = np.flatnonzero(chances > _NEGLIGIBLE)
    return _Part(low + int(kept[0]), chances[kept[0] : kept[-1] + 1])
