"""Confidence intervals of a proportion."""

from math import sqrt

__all__ = ["wilson"]

_Z95 = 1.959963984540054
"""Upper 2.5 % point of the standard normal distribution."""


def wilson(passed: int, n: int) -> tuple[float, float]:
    """Wilson score interval of ``passed`` out of ``n``, two-sided 95 %.

    Wilson 1927, J. Am. Stat. Assoc. 22, 209-212. The ends are exact at the borders: 0 where
    nothing passed, 1 where everything did.

    Returns:
        ``(low, high)``, both within 0..1.

    Raises:
        ValueError: ``n < 1`` or ``passed`` outside ``0..n``.
    """
    if n < 1 or not 0 <= passed <= n:
        raise ValueError(f"{passed} of {n} is no proportion")
    share, spread = passed / n, _Z95 * _Z95 / n
    centre = (share + spread / 2) / (1 + spread)
    half = _Z95 / (1 + spread) * sqrt(share * (1 - share) / n + spread / (4 * n))
    low = 0.0 if passed == 0 else max(0.0, centre - half)
    high = 1.0 if passed == n else min(1.0, centre + half)
    return low, high
