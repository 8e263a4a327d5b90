"""The binomial distribution: passes among independent runs of one pass rate."""

from pytest_llmrel.stats.beta import incomplete_beta

__all__ = ["binomial_cdf", "binomial_pmf"]


def binomial_pmf(n: int, p: float) -> list[float]:
    """Chances of 0, 1, ..., ``n`` passes among ``n`` runs that pass with the rate ``p``.

    From the most likely count outwards by the quotient of neighbours, then divided by their sum:
    the tails keep their relative precision.

    Returns:
        ``n + 1`` probabilities.

    Raises:
        ValueError: ``n < 0`` or ``p`` outside 0..1.
    """
    _check(n, p)
    weights = [0.0] * (n + 1)
    mode = min(n, int((n + 1) * p))
    weights[mode] = 1.0
    if 0 < p < 1:
        odds = p / (1 - p)
        for x in range(mode, n):
            weights[x + 1] = weights[x] * odds * (n - x) / (x + 1)
        for x in range(mode, 0, -1):
            weights[x - 1] = weights[x] / odds * x / (n - x + 1)
    total = sum(weights)
    return [weight / total for weight in weights]


def binomial_cdf(x: int, n: int, p: float) -> float:
    """Chance of at most ``x`` passes among ``n`` runs that pass with the rate ``p``.

    By the incomplete beta function: Abramowitz and Stegun 1964, 26.5.24.

    Raises:
        ValueError: ``n < 0`` or ``p`` outside 0..1.
    """
    _check(n, p)
    if x < 0:
        return 0.0
    return 1.0 if x >= n else incomplete_beta(1 - p, n - x, x + 1)


def _check(n: int, p: float) -> None:
    if n < 0 or not 0 <= p <= 1:
        raise ValueError(f"{n} runs of pass rate {p} are impossible")
