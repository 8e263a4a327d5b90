"""Evidence about the mean of scores, valid whenever one stops: bets that only luck wins if it is not so."""

from collections.abc import Sequence
from sys import float_info

__all__ = ["evidence_above", "evidence_below"]

_BETS = 8
"""Stakes among which the capital is divided: more hardly gain power, fewer lose some."""


def evidence_below(scores: Sequence[float], bar: float) -> float:
    """How strongly scores speak for a mean below ``bar``: the most capital that betting on it made.

    Each stake ``b`` turns a capital of 1 into ``prod(1 + b (bar - score))``; the capital is divided
    equally among stakes spread evenly over 0 to ``1 / (1 - bar)``, where ruin begins. If the mean of
    each score, given those before, is at least ``bar``, the chance that the capital ever reaches
    ``1 / a`` is at most ``a`` (Ville), whatever the distribution and whenever one stops. So a value
    of 20 shows a mean below ``bar`` at level 0.05, also if one looks after each score. Waudby-Smith
    and Ramdas 2024, J. R. Stat. Soc. B 86, 1-27, arXiv 2010.09686; the mixture of stakes is their
    section B.

    Args:
        scores: in the order of their runs, each within 0..1.
        bar: within (0, 1).

    Returns:
        At least 1, which is no evidence; finite.

    Raises:
        ValueError: a score outside 0..1 or not a number, or ``bar`` outside (0, 1).
    """
    if not 0 < bar < 1:
        raise ValueError(f"a bar of {bar} cannot be missed both ways; it must lie between 0 and 1")
    if not all(0 <= score <= 1 for score in scores):
        raise ValueError("a score is not within 0..1")
    stakes = [(step + 0.5) / _BETS / (1 - bar) for step in range(_BETS)]
    capitals = [1.0] * _BETS
    most = 1.0
    for score in scores:
        # Capital beyond what a float can hold is given away, which is always fair.
        capitals = [
            min(capital * (1 + stake * (bar - score)), float_info.max / _BETS)
            for capital, stake in zip(capitals, stakes, strict=True)
        ]
        most = max(most, sum(capitals) / _BETS)
    return most


def evidence_above(scores: Sequence[float], bar: float) -> float:
    """How strongly scores speak for a mean above ``bar``; `evidence_below` of what they lack to 1.

    Args:
        scores: in the order of their runs, each within 0..1.
        bar: within (0, 1).

    Returns:
        At least 1, which is no evidence; finite.

    Raises:
        ValueError: as `evidence_below`.
    """
    return evidence_below([1 - score for score in scores], 1 - bar)
