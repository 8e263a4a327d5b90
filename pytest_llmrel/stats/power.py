"""What a comparison with a baseline can detect, and how many runs it takes."""

from bisect import bisect_left
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from pytest_llmrel.stats.binomial import binomial_cdf, binomial_pmf
from pytest_llmrel.stats.fisher import fisher_worse

__all__ = [
    "alarm_probability",
    "average_alarm",
    "detectable_drop",
    "fisher_power",
    "runs_needed",
]

_PRECISION = 1e-6
"""Pass rates closer together than this are the same."""

_UNLIKELY = 1e-12
"""Baselines that are rarer than this do not change an average."""


def fisher_power(x0: int, n0: int, k: int, p: float, level: float) -> float:
    """Chance that Fisher's test against the baseline is significant, if ``k`` runs pass with the rate ``p``.

    Args:
        x0: passes of the baseline.
        n0: runs of the baseline.
        k: runs now.
        p: true pass rate now, within 0..1.
        level: p-value up to which the test is significant.

    Raises:
        ValueError: an argument out of range.
    """
    return binomial_cdf(_most_passes(x0, n0, k, level), k, p)


def alarm_probability(
    x0: int, n0: int, k: int, rate: float, *, level: float, flag: float, extra: int
) -> float:
    """Chance that one test turns red, if its runs pass with ``rate`` now.

    Red at once where Fisher's p-value of ``k`` runs is at most ``level``. Where it is at most
    ``flag``, ``extra`` more runs follow: red where the p-value of all ``k + extra`` is at most ``level``.

    Args:
        x0: passes of the baseline.
        n0: runs of the baseline.
        k: runs of the first stage.
        rate: true pass rate now, within 0..1.
        level: p-value up to which the test is red.
        flag: p-value up to which it is worth a second look.
        extra: further runs of the second stage, 0 for none.

    Raises:
        ValueError: an argument out of range.
    """
    return _alarm(_limits(x0, n0, k, level, flag, extra), _Runs.at(rate, k, extra))


def detectable_drop(
    x0: int, n0: int, k: int, *, level: float, flag: float, extra: int, power: float = 0.8
) -> float | None:
    """Smallest drop of the pass rate below ``x0/n0`` that turns the test red with the chance ``power``.

    At the rate 0 the outcome is certain: either every drop goes unseen or a total one is always seen.

    Args:
        x0: passes of the baseline.
        n0: runs of the baseline.
        k: runs of the first stage.
        level: p-value up to which the test is red.
        flag: p-value up to which it is worth a second look.
        extra: further runs of the second stage, 0 for none.
        power: within ``(0, 1)``.

    Returns:
        A drop within ``0..x0/n0``; ``None`` where the test is blind: not even failures only are red.

    Raises:
        ValueError: an argument out of range.
    """
    _check(power)
    limits = _limits(x0, n0, k, level, flag, extra)
    if _alarm(limits, _Runs.at(0.0, k, extra)) < power:
        return None
    seen, unseen = 0.0, x0 / n0
    if _alarm(limits, _Runs.at(unseen, k, extra)) >= power:
        return 0.0
    while unseen - seen > _PRECISION:
        rate = (seen + unseen) / 2
        if _alarm(limits, _Runs.at(rate, k, extra)) >= power:
            seen = rate
        else:
            unseen = rate
    return x0 / n0 - seen


def average_alarm(
    rate0: float, rate1: float, n0: int, k: int, *, level: float, flag: float, extra: int
) -> float:
    """Chance that one test turns red, averaged over the baselines that ``n0`` runs at ``rate0`` give.

    It is the false alarm of one test where ``rate1`` equals ``rate0``, and its power where it is lower.

    Args:
        rate0: true pass rate of the baseline, within 0..1.
        rate1: true pass rate now, within 0..1.
        n0: runs of the baseline.
        k: runs of the first stage.
        level: p-value up to which the test is red.
        flag: p-value up to which it is worth a second look.
        extra: further runs of the second stage, 0 for none.

    Raises:
        ValueError: an argument out of range.
    """
    runs = _Runs.at(rate1, k, extra)
    return sum(
        chance * _alarm(_limits(x0, n0, k, level, flag, extra), runs)
        for x0, chance in enumerate(binomial_pmf(n0, rate0))
        if chance > _UNLIKELY
    )


def runs_needed(
    rate0: float, rate1: float, n0: int | None, level: float, power: float = 0.8, most: int = 1000
) -> int | None:
    """Fewest runs with which Fisher's test finds a fall from ``rate0`` to ``rate1`` that often.

    The chance is the average over the baselines as well. It does not always grow with the runs,
    since p-values come in steps: one run more can need a share of passes that is a little lower.

    Args:
        rate0: true pass rate of the baseline, within 0..1.
        rate1: true pass rate now, within 0..1.
        n0: runs of the baseline; ``None`` for as many as now.
        level: p-value up to which the test is significant.
        power: chance to find it, within ``(0, 1)``.
        most: runs after which the search ends.

    Returns:
        Runs now, or ``None`` where more than ``most`` are needed.

    Raises:
        ValueError: an argument out of range.
    """
    _check(power)
    k = step = 1
    limits: dict[int, int] = {}
    while k <= most:
        runs0 = k if n0 is None else n0
        baselines = {
            runs0 - x0: chance for x0, chance in enumerate(binomial_pmf(runs0, rate0)) if chance > _UNLIKELY
        }
        # One run more on each side lets none to two passes more be significant, given the failures
        # of the baseline: that narrows the search for each limit, and tells which k cannot do.
        limits = {
            failures: _most_passes(
                runs0 - failures,
                runs0,
                k,
                level,
                limits.get(failures, -1),
                limits.get(failures, k) + 2 * step,
            )
            for failures in baselines
        }
        chances = binomial_pmf(k, rate1)
        below = [0.0, *accumulate(chances)]
        reached = sum(chance * below[limits[failures] + 1] for failures, chance in baselines.items())
        if reached >= power:
            return k
        step = max(1, int((power - reached) / (2 * max(chances))))
        k += step
    return None


def _check(power: float) -> None:
    if not 0 < power < 1:
        raise ValueError(f"the power is {power}; it must be within (0, 1)")


class _Limits(NamedTuple):
    """Most passes with which a stage still has its outcome, -1 for none."""

    red: int
    flagged: int
    red_at_last: int


class _Runs(NamedTuple):
    """Distribution of the passes of both stages at one pass rate."""

    first: list[float]
    """Chances of exactly 0, 1, ... passes."""
    second: list[float]
    """Chances of at most 0, 1, ... passes."""

    @classmethod
    def at(cls, rate: float, k: int, extra: int) -> "_Runs":
        """The runs of a test that passes with ``rate``."""
        return cls(binomial_pmf(k, rate), list(accumulate(binomial_pmf(extra, rate))))


def _limits(x0: int, n0: int, k: int, level: float, flag: float, extra: int) -> _Limits:
    return _Limits(
        _most_passes(x0, n0, k, level),
        _most_passes(x0, n0, k, flag),
        _most_passes(x0, n0, k + extra, level),
    )


@lru_cache(maxsize=16384)
def _most_passes(x0: int, n0: int, k: int, level: float, least: int = -1, most: int | None = None) -> int:
    """Most passes of ``k`` runs with which Fisher's test is still significant, -1 for none."""
    above = range(least + 1, (k if most is None else min(k, most)) + 1)
    # p-values ascend with the passes; those above the level sort behind it.
    return least + bisect_left(above, True, key=lambda x1: fisher_worse(x0, n0, x1, k) > level)


def _alarm(limits: _Limits, runs: _Runs) -> float:
    at_once = sum(runs.first[: limits.red + 1])
    later = sum(
        runs.first[x1] * runs.second[min(limits.red_at_last - x1, len(runs.second) - 1)]
        for x1 in range(limits.red + 1, min(limits.flagged, limits.red_at_last) + 1)
    )
    return min(1.0, at_once + later)
