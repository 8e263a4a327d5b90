"""Fisher's exact test, one-sided: did the pass rate fall?"""

from functools import lru_cache

__all__ = ["fisher_worse", "hypergeometric_pmf"]

_LEAST = 1e-290
"""A smaller share of the most likely chance counts as 0: below it floats lose digits."""


def fisher_worse(x0: int, n0: int, x1: int, n1: int) -> float:
    """Chance of ``x1`` passes or fewer in the second sample, given all margins, if both rates are equal.

    Fisher 1935, J. R. Stat. Soc. 98, 39-82. Exact, and small where the second sample is worse.

    Args:
        x0: passes of the baseline.
        n0: runs of the baseline.
        x1: passes now.
        n1: runs now.

    Returns:
        The one-sided p-value within 0..1; 1 where either sample is empty.

    Raises:
        ValueError: passes outside ``0..n``.
    """
    if not (0 <= x0 <= n0 and 0 <= x1 <= n1):
        raise ValueError(f"{x0} of {n0} and {x1} of {n1} are no proportions")
    if x1 == n1 or x0 == 0:
        return 1.0
    low, chances = hypergeometric_pmf(n0, n1, x0 + x1)
    return min(1.0, sum(chances[: max(0, x1 - low + 1)]))


@lru_cache(maxsize=1024)
def hypergeometric_pmf(n0: int, n1: int, passes: int) -> tuple[int, tuple[float, ...]]:
    """Chances of the passes that fall on ``n1`` of ``n0 + n1`` runs, if ``passes`` of all runs passed.

    From the most likely count outwards by the quotient of neighbours, then divided by their sum:
    the tails keep their relative precision, down to 1e-290.

    Returns:
        The least count with a chance, and the chances from there upwards.

    Raises:
        ValueError: a negative number, or more passes than runs.
    """
    if n0 < 0 or n1 < 0 or not 0 <= passes <= n0 + n1:
        raise ValueError(f"{passes} passes of {n0} and {n1} runs are impossible")
    least, most = max(0, passes - n0), min(n1, passes)
    mode = min(most, max(least, (n1 + 1) * (passes + 1) // (n0 + n1 + 2)))
    above = _outwards(n0, n1, passes, most - mode, mode)
    # Failures of the one sample mirror the passes of the other: the same walk serves downwards.
    below = _outwards(n1, n0, passes, mode - least, passes - mode)
    weights = [*reversed(below), 1.0, *above]
    total = sum(weights)
    return mode - len(below), tuple(weight / total for weight in weights)


def _outwards(n0: int, n1: int, passes: int, steps: int, start: int) -> list[float]:
    """Weights of ``start + 1`` and the counts that follow, as shares of the weight of ``start``."""
    weights, weight = [], 1.0
    for x in range(start, start + steps):
        weight *= (n1 - x) * (passes - x) / ((x + 1) * (n0 - passes + x + 1))
        if weight < _LEAST:
            break
        weights.append(weight)
    return weights
