"""Durations in buckets that grow evenly, so that quantiles of many samples together can be told."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil, floor, log

__all__ = ["PRECISION", "bucketed", "bucketed_quantile"]

PRECISION = 0.025
"""Relative error of a quantile, at most: the half of a bucket."""
_GROWTH = 1.05
_SMALLEST = 1e-6
"""Seconds; what is less is counted as this."""


def bucketed(values: Iterable[float]) -> dict[int, int]:
    """Bucket -> how many of the values are in it; each bucket is five percent wider than the one before.

    Args:
        values: seconds, at least 0.
    """
    return dict(sorted(Counter(floor(log(max(value, _SMALLEST)) / log(_GROWTH)) for value in values).items()))


def bucketed_quantile(buckets: Mapping[int, int], share: float) -> float:
    """The value that at least ``share`` of the values do not exceed, within :data:`PRECISION`.

    Nearest rank: Hyndman and Fan 1996, Am. Stat. 50, 361-365, definition 1.

    Args:
        buckets: of one sample, or of several added up; at least one value.
        share: within ``(0, 1]``.

    Raises:
        ValueError: no values, or ``share`` out of range.
    """
    total = sum(buckets.values())
    if not total or not 0 < share <= 1:
        raise ValueError(f"no quantile {share} of {total} values")
    rank, seen = ceil(share * total), 0
    for bucket, count in sorted(buckets.items()):
        seen += count
        if seen >= rank:
            return float(_GROWTH ** (bucket + 0.5))
    raise AssertionError("the last bucket reaches every rank")
