"""The beta distribution and, through it, Student's t: cumulative chances and quantiles without scipy."""

from functools import lru_cache
from math import exp, inf, lgamma, log, log1p, pi, sqrt

__all__ = ["beta_quantile", "incomplete_beta", "log_beta", "student_quantile"]

_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)
"""Coefficients of z^-1, z^-3, ... of the Stirling series; from z = 10 on exact to 2e-14."""

_LAST_DIGIT = 1e-15
_SMALL_STEP = 1e-9
_LARGEST_LOGIT = 700.0


def log_beta(a: float, b: float) -> float:
    """Natural logarithm of the beta function ``B(a, b)``.

    By Stirling's formula with its error terms (Abramowitz and Stegun 1964, 6.1.40), since the
    difference of three ``lgamma`` loses six digits at arguments of 1e5.

    Raises:
        ValueError: ``a`` or ``b`` not positive and finite.
    """
    _check(a, b)
    powers = a * log1p(b / a) + b * log1p(a / b)
    return _log_root(a, b) - powers


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function: the chance that a beta(a, b) variable is at most ``x``.

    Continued fraction of Didonato and Morris 1992, ACM Trans. Math. Softw. 18, 360-373, with the
    factor before it as in Loader 2000, "Fast and accurate computation of binomial probabilities".
    Small values keep their relative precision, 1e-12 for ``a`` and ``b`` up to 1e5.

    Args:
        x: within 0..1.
        a: first parameter, positive.
        b: second parameter, positive.

    Returns:
        A probability within 0..1.

    Raises:
        ValueError: an argument out of range.
        ArithmeticError: ``a`` and ``b`` beyond about 1e7.
    """
    _check(a, b)
    if not 0 <= x <= 1:
        raise ValueError(f"x is {x}; it must be within 0..1")
    if x in (0, 1):
        return float(x)
    return exp(_log_cumulative(x, 1 - x, a, b))


def beta_quantile(p: float, a: float, b: float) -> float:
    """Point below which a beta(a, b) variable falls with the chance ``p``.

    Args:
        p: within 0..1.
        a: first parameter, positive.
        b: second parameter, positive.

    Returns:
        A point within 0..1, to 1e-10 of itself; 0 and 1 themselves at the borders.

    Raises:
        ValueError: an argument out of range.
    """
    return _logistic(_logit_quantile(p, a, b))


@lru_cache(maxsize=256)  # the tests of a suite have a few sizes, and every interval asks for its own
def student_quantile(p: float, df: float) -> float:
    """Point below which Student's t with ``df`` degrees of freedom falls with the chance ``p``.

    By ``P(T <= -t) = I_x(df/2, 1/2) / 2`` at ``x = df / (df + t^2)``: Abramowitz and Stegun 1964, 26.7.1.

    Args:
        p: within 0..1; the borders give minus and plus infinity.
        df: degrees of freedom, positive.

    Raises:
        ValueError: an argument out of range.
    """
    if p > 0.5:  # noqa: PLR2004 - the median
        return -student_quantile(1 - p, df)
    logit = _logit_quantile(2 * p, df / 2, 0.5)
    return -sqrt(df) * exp(-logit / 2)


def _check(a: float, b: float) -> None:
    if not (0 < a < inf and 0 < b < inf):
        raise ValueError(f"the parameters are {a} and {b}; they must be positive")


def _logistic(u: float) -> float:
    return 1 / (1 + exp(-u)) if u >= 0 else exp(u) / (1 + exp(u))


def _logit_quantile(p: float, a: float, b: float) -> float:
    """Logit of the quantile, by Newton's method on the logarithm of the cumulative chance.

    The logit of a beta variable has a log-concave density, hence a log-concave cumulative
    function: from wherever Newton starts, it comes to the left of the root and climbs to it.
    """
    _check(a, b)
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}; it must be within 0..1")
    if p > 0.5:  # noqa: PLR2004 - the smaller tail is the precise one
        return -_logit_quantile(1 - p, b, a)
    if p == 0:
        return -inf
    u, step = log(a / b), 1.0
    # The step after a small one would be its square; logits beyond 700 are 0 and 1 as floats.
    while abs(step) > _SMALL_STEP * max(1.0, abs(u)) and abs(u) < _LARGEST_LOGIT:
        x, y = _logistic(u), _logistic(-u)
        value = _log_cumulative(x, y, a, b)
        step = (log(p) - value) * exp(value - _log_kernel(x, y, a, b))
        u += step
    return u


def _log_cumulative(x: float, y: float, a: float, b: float) -> float:
    """Logarithm of the regularised incomplete beta function, where ``x + y = 1``."""
    kernel = _log_kernel(x, y, a, b)
    if x * (a + b + 2) < a + 1:
        return kernel - log(_continued_fraction(x, y, a, b))
    return log1p(-exp(kernel) / _continued_fraction(y, x, b, a))


def _log_kernel(x: float, y: float, a: float, b: float) -> float:
    """Logarithm of ``x^a y^b / B(a, b)``, where ``x + y = 1``, without cancellation."""
    n = a + b
    return -_log_root(a, b) - _deviance(a, n * x) - _deviance(b, n * y)


def _log_root(a: float, b: float) -> float:
    """Logarithm of ``B(a, b) (a+b)^(a+b) / (a^a b^b)``, a number of moderate size."""
    n = a + b
    return (log(2 * pi) + log(n / a / b)) / 2 + _stirling_error(a) + _stirling_error(b) - _stirling_error(n)


def _stirling_error(z: float) -> float:
    """``ln Gamma(z)`` less Stirling's ``(z - 1/2) ln z - z + ln(2 pi)/2``."""
    if z < 10:  # noqa: PLR2004 - where the series begins to hold
        return lgamma(z) - (z - 0.5) * log(z) + z - log(2 * pi) / 2
    return sum(c / z ** (2 * i + 1) for i, c in enumerate(_STIRLING))


def _deviance(count: float, mean: float) -> float:
    """``count ln(count/mean) + mean - count``, precise also where the two are close."""
    excess = (mean - count) / count
    if abs(excess) < 0.1:  # noqa: PLR2004 - where the logarithm of the quotient would lose digits
        return count * (excess - log1p(excess))
    return count * log(count / mean) + mean - count


def _continued_fraction(x: float, y: float, a: float, b: float) -> float:
    """``x^a y^b / B(a, b)`` over the cumulative chance, by Lentz's method, for ``x`` below the mean."""
    value = c = a * (a * y - b * x + 1) / (a + 1)
    d = 0.0
    for m in range(1, 10_000):
        numerator = (a + m - 1) * (a + b + m - 1) * m * (b - m) * (x / (a + 2 * m - 1)) ** 2
        term = m + m * (b - m) * x / (a + 2 * m - 1)
        term += (a + m) * (a * y - b * x + 1 + m * (1 + y)) / (a + 2 * m + 1)
        d, c = 1 / (term + numerator * d), term + numerator / c
        value *= c * d
        if abs(c * d - 1) < _LAST_DIGIT:
            return value
    raise ArithmeticError(f"the beta function of {a} and {b} does not converge at {x}")
