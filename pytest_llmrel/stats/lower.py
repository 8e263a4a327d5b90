"""Evidence that one pass rate is lower than another, valid whenever one stops."""

from math import exp, lgamma, log

__all__ = ["evidence_lower"]

_FIRST = (10.0, 1.0)
"""Weights of the first rate, beta(10, 1): what is compared with mostly passes."""
_SECOND = (1.0, 2.0)
"""Weights of the second rate, beta(1, 2): what is suspected mostly fails."""
_MOST = 700.0
"""Logarithm of the largest value that is told apart; beyond it nothing depends on it."""


def evidence_lower(x0: int, n0: int, x1: int, n1: int) -> float:
    """How strongly the counts speak for a second pass rate below the first: an e-value.

    The likelihood of the outcomes, averaged over rates that one expects, divided by the most that it
    can be while the second rate is not the lower one (then both are the pooled share). Whatever the
    true rates, as long as the second is not below the first, the chance that the value ever reaches
    ``1 / a`` is at most ``a``: if one looks after each run, decides by what was seen which of the two
    to run next, and stops when one likes. Wasserman, Ramdas and Balakrishnan 2020, Universal
    inference, PNAS 117, 16880-16890, with a mixture for the numerator; Ville's inequality.

    Args:
        x0: passes of the first.
        n0: runs of the first.
        x1: passes of the second.
        n1: runs of the second.

    Returns:
        From 0 (no evidence) upwards, finite; at most 1 unless the second share is the lower one.

    Raises:
        ValueError: passes outside ``0..n``.
    """
    if not (0 <= x0 <= n0 and 0 <= x1 <= n1):
        raise ValueError(f"{x0} of {n0} and {x1} of {n1} are no proportions")
    expected = _log_average(x0, n0 - x0, *_FIRST) + _log_average(x1, n1 - x1, *_SECOND)
    is_lower = x1 * n0 < x0 * n1
    most = _log_most(x0 + x1, n0 + n1) if is_lower else _log_most(x0, n0) + _log_most(x1, n1)
    return exp(min(_MOST, expected - most))


def _log_average(passed: int, failed: int, a: float, b: float) -> float:
    """Logarithm of the likelihood, averaged over rates that are distributed as beta(a, b)."""
    return _log_beta(a + passed, b + failed) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _log_most(passed: int, n: int) -> float:
    """Logarithm of the likelihood at the observed share, where it is largest."""
    parts = (part * log(part / n) for part in (passed, n - passed) if part)
    return sum(parts)
