"""Sample quantiles."""

from collections.abc import Sequence
from math import ceil

__all__ = ["nearest_rank"]


def nearest_rank(values: Sequence[float], share: float) -> float:
    """Smallest value that at least ``share`` of the values do not exceed (nearest rank).

    Hyndman and Fan 1996, Am. Stat. 50, 361-365, definition 1. It is always a value that was observed.

    Args:
        values: in any order.
        share: within ``(0, 1]``, 0.5 for the median.

    Raises:
        ValueError: no values, or ``share`` out of range.
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"no quantile {share} of {len(values)} values")
    return sorted(values)[ceil(share * len(values)) - 1]
