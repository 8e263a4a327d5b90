"""pass@k and pass^k: chance that at least one, or every one, of k runs passes."""

from math import comb

__all__ = ["pass_at_k", "pass_hat_k"]


def pass_at_k(n: int, c: int, k: int) -> float:
    """Unbiased estimate of the chance that at least one of ``k`` runs passes.

    ``1 - C(n-c, k) / C(n, k)``: Chen et al. 2021, arXiv 2107.03374, section 2.1.

    Args:
        n: valid runs.
        c: passes among them.
        k: runs in the question.

    Returns:
        A probability within 0..1.

    Raises:
        ValueError: ``n < k`` (the estimate is undefined), ``k < 1``, or ``c`` outside ``0..n``.
    """
    _check(n, c, k)
    return 1.0 - comb(n - c, k) / comb(n, k)


def pass_hat_k(n: int, c: int, k: int) -> float:
    """Unbiased estimate of the chance that all of ``k`` runs pass.

    ``C(c, k) / C(n, k)``: Yao et al. 2024 (tau-bench), arXiv 2406.12045.

    Args:
        n: valid runs.
        c: passes among them.
        k: runs in the question.

    Returns:
        A probability within 0..1.

    Raises:
        ValueError: ``n < k`` (the estimate is undefined), ``k < 1``, or ``c`` outside ``0..n``.
    """
    _check(n, c, k)
    return comb(c, k) / comb(n, k)


def _check(n: int, c: int, k: int) -> None:
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1")
    if n < k:
        raise ValueError(f"needs at least {k} valid runs, there are {n}")
    if not 0 <= c <= n:
        raise ValueError(f"{c} passes of {n} runs is impossible")
