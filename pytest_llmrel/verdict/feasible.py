"""Gates that so few runs can never decide, found before any of them is paid for."""

from math import ceil, log

from pytest_llmrel.core.gate import FAITHFUL_RATE, RATES, SPENDING, UNDER_FAULTS, Gate, GateMode
from pytest_llmrel.core.model import Outcome, Sample
from pytest_llmrel.core.plan import RunPlan, attempts
from pytest_llmrel.core.score import Score
from pytest_llmrel.verdict.counts import Counts
from pytest_llmrel.verdict.evidence import LEVEL
from pytest_llmrel.verdict.shown import as_rate, shown_about

__all__ = ["infeasible_gates"]

_EVENTS = {
    "pass_rate": ("passes", "runs that do not pass"),
    "wrong_rate": ("failures", "runs that do not fail"),
    "abstention_rate": ("abstentions", "runs that do not abstain"),
    "error_rate": ("errors", "runs without an error"),
}
"""What each rate counts, and the opposite."""


_UNFORESEEN = SPENDING | UNDER_FAULTS | {"sensitivity", FAITHFUL_RATE}
"""What depends on more than the number of runs."""


def infeasible_gates(plan: RunPlan) -> list[str]:
    """A sentence for each gate of which all planned runs can give neither evidence nor proof."""
    if plan.mode is GateMode.OBSERVED:
        return []
    return [_sentence(gate, plan) for gate in plan.gates if not _is_feasible(gate, plan)]


def _is_feasible(gate: Gate, plan: RunPlan) -> bool:
    if gate.metric in _UNFORESEEN:
        return True
    counts = Counts(plan.inputs.variants)
    scores = (Score(gate.metric, 0.5),) if gate.is_score else ()
    for attempt in attempts(
        plan, ""
    ):  # what can be shown depends on how many runs there are, not on how they end
        counts.record(Sample(attempt, Outcome.PASSED, scores=scores))
    shown = shown_about(gate, counts)
    return shown.can_miss if plan.mode is GateMode.EVIDENCE else shown.can_meet


def _sentence(gate: Gate, plan: RunPlan) -> str:
    runs = plan.k * len(plan.inputs.tasks)
    rate = as_rate(gate)
    if gate.k is not None and len(plan.inputs.tasks) > 1:
        return f"{plan.mode} of '{gate}' cannot be had of several wordings or cases; use gate='observed'"
    if rate.metric not in RATES:
        return f"{plan.mode} of '{gate}' cannot come from so few runs ({runs})"
    p0 = rate.bar if rate.wants_more else 1.0 - rate.bar
    certain = p0 if plan.mode is GateMode.PROOF else 1.0 - p0
    if certain in {0.0, 1.0}:
        return f"{plan.mode} of '{gate}': no number of runs can give it"
    least = ceil(log(LEVEL) / log(certain) - 1e-9)
    what = _EVENTS[rate.metric][(plan.mode is GateMode.PROOF) is not rate.wants_more]
    return f"{plan.mode} of '{gate}' needs {least} {what} of {least}, and there are {runs} runs"
