"""What the runs show about a gate: one-sided tests at 5 %, for every kind of metric."""

from collections.abc import Sequence
from functools import lru_cache

from pytest_llmrel.core.gate import Gate, GateMode
from pytest_llmrel.core.model import Status
from pytest_llmrel.core.shown import Shown
from pytest_llmrel.stats.betting import evidence_above, evidence_below
from pytest_llmrel.stats.binomial import binomial_cdf
from pytest_llmrel.stats.clusters import one_sided_t_bounds

__all__ = [
    "LEVEL",
    "rate_status",
    "shown_about_mean",
    "shown_about_means",
    "shown_about_rate",
    "shown_about_worst",
    "status_of",
]

LEVEL = 0.05
"""Of every test of a gate, one-sided: a gate right at its bar is missed or met by chance once in 20 times."""

_SLACK = 1e-9
"""Relative: a p-value that misses the level by less does so by rounding only."""
_EXACT = "exact binomial test, one-sided 5 %"
_BETTING = "betting e-process, one-sided 5 % (Waudby-Smith and Ramdas 2024)"


def shown_about_rate(gate: Gate, count: int, n: int, *, level: float = LEVEL) -> Shown:
    """About the chance of an event that was seen in ``count`` of ``n`` runs (Clopper-Pearson bounds).

    Args:
        gate: its bar is compared with the chance of the event.
        count: 0..n.
        n: independent runs, at least 0.
        level: of each of the two tests.
    """
    if n == 0:
        return Shown.nothing("no valid run")
    good, p0 = (count, gate.bar) if gate.wants_more else (n - count, 1.0 - gate.bar)
    most = level * (1 + _SLACK)
    return Shown(
        met=_tail(n - good, n, 1.0 - p0) <= most,
        missed=_tail(good, n, p0) <= most,
        can_miss=_tail(0, n, p0) <= most,
        can_meet=_tail(0, n, 1.0 - p0) <= most,
        method=_EXACT,
    )


def shown_about_mean(gate: Gate, values: Sequence[float]) -> Shown:
    """About the mean of a score within 0..1, from its values in the order of the runs."""
    n = len(values)
    if any(not 0 <= value <= 1 for value in values):
        return Shown.nothing("only scores within 0..1 can be tested")
    if n == 0 or not 0 < gate.bar < 1:
        return Shown.nothing("no run recorded it" if n == 0 else "the bar leaves nothing to be shown")
    try:
        met, missed = _bet(gate, values)
        can_meet, _ = _bet(gate, [1.0 if gate.wants_more else 0.0] * n)
        _, can_miss = _bet(gate, [0.0 if gate.wants_more else 1.0] * n)
    except ValueError as error:
        return Shown.nothing(str(error))
    # Both at once is what scores do that change their mean on the way: nothing is shown then.
    return Shown(met and not missed, missed and not met, can_miss, can_meet, _BETTING)


def _bet(gate: Gate, values: Sequence[float]) -> tuple[bool, bool]:
    """Whether the values show their mean to meet, and to miss, the bar."""
    above = evidence_above(values, gate.bar) >= 1 / LEVEL
    below = evidence_below(values, gate.bar) >= 1 / LEVEL
    return (above, below) if gate.wants_more else (below, above)


def shown_about_means(gate: Gate, values: Sequence[float]) -> Shown:
    """About a mean over cases or wordings, from one value of each, at least ten."""
    try:
        low, high = one_sided_t_bounds(values)
    except ValueError as error:
        return Shown.nothing(str(error))
    met, missed = (low, high) if gate.wants_more else (high, low)
    return Shown(
        met=gate.met_by(met),
        missed=not gate.met_by(missed),
        can_miss=True,
        can_meet=True,
        method=f"t interval over {len(values)} cases, one-sided 5 %",
    )


def shown_about_worst(gate: Gate, cells: Sequence[tuple[int, int]]) -> Shown:
    """About the lowest of several pass rates: ``(passed, n)`` of each wording."""
    # Missed as soon as one is shown to be below the bar, for which every one had its chance (Bonferroni);
    # met when all are, which needs no correction (Berger 1982, intersection-union test).
    if not gate.wants_more:
        return Shown.nothing("only a lower bar of the worst wording can be tested")
    below = [shown_about_rate(gate, passed, n, level=LEVEL / len(cells)) for passed, n in cells]
    above = [shown_about_rate(gate, passed, n) for passed, n in cells]
    return Shown(
        met=all(shown.met for shown in above),
        missed=any(shown.missed for shown in below),
        can_miss=any(shown.can_miss for shown in below),
        can_meet=all(shown.can_meet for shown in above),
        method=f"{_EXACT}, over {len(cells)} wordings",
    )


def status_of(mode: GateMode, shown: Shown) -> Status:
    """What is shown about a gate as its status under evidence or proof.

    Evidence that could not have been found is no reason to pass.
    """
    if shown.missed:
        return Status.FAIL
    passes = shown.can_miss if mode is GateMode.EVIDENCE else shown.met
    return Status.PASS if passes else Status.INCONCLUSIVE


def rate_status(gate: Gate, mode: GateMode, count: int, n: int) -> Status:
    """The status of a gate on a rate, in any mode, after ``count`` events in ``n`` runs, at least 1."""
    if mode is GateMode.OBSERVED:
        return Status.PASS if gate.met_by(count / n) else Status.FAIL
    return status_of(mode, shown_about_rate(gate, count, n))


@lru_cache(maxsize=1 << 14)
def _tail(x: int, n: int, p: float) -> float:
    return binomial_cdf(x, n, p)
