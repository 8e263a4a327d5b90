"""What a gate and a baseline can detect, and how often they cry wolf: for planning, before any run."""

from collections.abc import Callable
from dataclasses import dataclass

from pytest_llmrel.core.gate import Gate, GateMode
from pytest_llmrel.core.model import Status
from pytest_llmrel.stats.binomial import binomial_pmf
from pytest_llmrel.stats.power import average_alarm
from pytest_llmrel.verdict.evidence import rate_status
from pytest_llmrel.verdict.regression import Rule
from pytest_llmrel.verdict.stopping import alternative_of, passing_rule

__all__ = ["GateOdds", "alarm_odds", "gate_odds", "least_runs"]

_STEADY = 10


@dataclass(frozen=True, slots=True)
class GateOdds:
    """How a gate on the pass rate turns out at one true rate.

    Attributes:
        passes: chance of PASS.
        fails: chance of FAIL; the rest is INCONCLUSIVE.
        runs: how many it takes on average, with early stopping.
    """

    passes: float
    fails: float
    runs: float


def gate_odds(mode: GateMode, bar: float, k: int, rate: float) -> GateOdds:
    """The odds of the gate ``pass_rate >= bar``, with at most ``k`` runs that pass with the true ``rate``."""
    gate = Gate("pass_rate", ">=", bar)
    rule = passing_rule(gate, mode, k, alternative_of(gate, mode, k))
    if rule is not None and mode is not GateMode.PROOF:
        fails, runs = rule.operating_characteristics(rate)
        return GateOdds(1.0 - fails, fails, runs)
    chances: dict[Status, float] = dict.fromkeys(Status, 0.0)
    for passed, chance in enumerate(binomial_pmf(k, rate)):
        chances[rate_status(gate, mode, passed, k)] += chance
    return GateOdds(chances[Status.PASS], chances[Status.FAIL], float(k))


def alarm_odds(before: float, now: float, baseline: int, k: int, rule: Rule) -> float:
    """Chance that a test turns red on its own whose pass rate was ``before`` and is ``now``.

    Averaged over all baselines of that many runs; with the escalation of the regression rule.
    """
    extra = rule.factor * k
    return average_alarm(before, now, baseline, k, level=rule.level, flag=rule.flag, extra=extra)


def least_runs(chance: Callable[[int], float], wanted: float, most: int) -> int | None:
    """Smallest k from which on ``chance(k)`` is at least ``wanted``; ``None`` if that is more than ``most``.

    Chances go up and down a little with k, because counts are whole numbers: k is taken when it and the
    next ten are good enough.
    """
    in_a_row = 0
    for k in range(1, most + _STEADY + 1):
        in_a_row = in_a_row + 1 if chance(k) >= wanted else 0
        if in_a_row > _STEADY:
            return k - _STEADY
    return None
