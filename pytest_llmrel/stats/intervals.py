"""Confidence intervals of a proportion."""

from math import sqrt

from pytest_llmrel.stats.beta import beta_quantile

__all__ = ["clopper_pearson", "jeffreys", "lower_bound", "upper_bound", "wilson"]

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
    _check(passed, n, 0.95)
    share, spread = passed / n, _Z95 * _Z95 / n
    centre = (share + spread / 2) / (1 + spread)
    half = _Z95 / (1 + spread) * sqrt(share * (1 - share) / n + spread / (4 * n))
    low = 0.0 if passed == 0 else max(0.0, centre - half)
    high = 1.0 if passed == n else min(1.0, centre + half)
    return low, high


def clopper_pearson(passed: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of ``passed`` out of ``n``, two-sided: it covers at least as often as it says.

    Clopper and Pearson 1934, Biometrika 26, 404-413.

    Args:
        passed: passes.
        n: runs.
        confidence: within ``(0, 1)``.

    Returns:
        ``(low, high)``, both within 0..1; 0 where nothing passed, 1 where everything did.

    Raises:
        ValueError: ``n < 1``, ``passed`` outside ``0..n``, or ``confidence`` out of range.
    """
    _check(passed, n, confidence)
    tail = (1 - confidence) / 2
    return _lowest(passed, n, tail), _highest(passed, n, tail)


def jeffreys(passed: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Bayesian interval of ``passed`` out of ``n`` from Jeffreys' prior beta(1/2, 1/2), equal tails.

    Brown, Cai and DasGupta 2001, Stat. Sci. 16, 101-133, with their ends at the borders.

    Args:
        passed: passes.
        n: runs.
        confidence: within ``(0, 1)``.

    Returns:
        ``(low, high)``, both within 0..1; 0 where nothing passed, 1 where everything did.

    Raises:
        ValueError: ``n < 1``, ``passed`` outside ``0..n``, or ``confidence`` out of range.
    """
    _check(passed, n, confidence)
    tail, a, b = (1 - confidence) / 2, passed + 0.5, n - passed + 0.5
    low = 0.0 if passed == 0 else beta_quantile(tail, a, b)
    high = 1.0 if passed == n else beta_quantile(1 - tail, a, b)
    return low, high


def lower_bound(passed: int, n: int, confidence: float = 0.95) -> float:
    """Pass rate that ``passed`` out of ``n`` prove at this confidence: one-sided, after Clopper and Pearson.

    Args:
        passed: passes.
        n: runs.
        confidence: within ``(0, 1)``.

    Returns:
        A rate within 0..1; 0 where nothing passed.

    Raises:
        ValueError: ``n < 1``, ``passed`` outside ``0..n``, or ``confidence`` out of range.
    """
    _check(passed, n, confidence)
    return _lowest(passed, n, 1 - confidence)


def upper_bound(passed: int, n: int, confidence: float = 0.95) -> float:
    """Pass rate that ``passed`` out of ``n`` exclude any excess of: one-sided, after Clopper and Pearson.

    Args:
        passed: passes.
        n: runs.
        confidence: within ``(0, 1)``.

    Returns:
        A rate within 0..1; 1 where everything passed.

    Raises:
        ValueError: ``n < 1``, ``passed`` outside ``0..n``, or ``confidence`` out of range.
    """
    _check(passed, n, confidence)
    return _highest(passed, n, 1 - confidence)


def _lowest(passed: int, n: int, tail: float) -> float:
    return 0.0 if passed == 0 else beta_quantile(tail, passed, n - passed + 1)


def _highest(passed: int, n: int, tail: float) -> float:
    return 1.0 if passed == n else beta_quantile(1 - tail, passed + 1, n - passed)


def _check(passed: int, n: int, confidence: float) -> None:
    if n < 1 or not 0 <= passed <= n:
        raise ValueError(f"{passed} of {n} is no proportion")
    if not 0 < confidence < 1:
        raise ValueError(f"the confidence is {confidence}; it must be within (0, 1)")
