"""Runs under injected faults: their rates, and what they do not count for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_llmrel.core.fault import FaultPlan, Recovery
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Status, Variant
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.stopping import stopping_for
from pytest_llmrel.verdict.summary import Aggregate

Maker = Callable[..., Any]
ENDS = {
    "r": (Outcome.PASSED, Recovery.RECOVERED),
    "c": (Outcome.ERROR, Recovery.CLEAN),
    "s": (Outcome.FAILED, Recovery.SILENT),
    "h": (Outcome.ERROR, Recovery.HUNG),
    "p": (Outcome.PASSED, None),
    "e": (Outcome.ERROR, None),
}


def judged(plan: RunPlan, letters: str) -> tuple[Any, Any]:
    """Summary and verdict of runs that ended as letters say."""
    plan = replace(plan, faults=FaultPlan(("429",)))
    aggregate = Aggregate(plan, len(letters))
    for run, letter in enumerate(letters):
        outcome, recovery = ENDS[letter]
        aggregate.record(Sample(Attempt("", Variant(), run, run), outcome, recovery=recovery))
    summary = aggregate.summary()
    return summary, decide(plan, summary, 0.1)


def test_rates_are_of_runs_that_met_a_fault(make_plan: Maker) -> None:
    """Those that were spared do not count; a clean failure and a hang are no recovery."""
    summary, _ = judged(make_plan(8), "rrrcshpp")
    recovered, silent = summary.metrics["recovery_rate"], summary.metrics["silent_failure_rate"]
    assert (recovered.point, recovered.n) == (0.5, 6)
    assert (silent.point, silent.n) == (pytest.approx(1 / 6), 6)
    assert recovered.low < 0.5 < recovered.high


def test_no_fault_was_met(make_plan: Maker) -> None:
    """Then nothing is known of recovery, and a gate on it is no pass."""
    summary, verdict = judged(make_plan(2, "recovery_rate >= 0.5"), "pp")
    assert summary.metrics["recovery_rate"].point is None
    assert verdict.status is Status.INCONCLUSIVE


def test_injected_errors_are_no_fault_of_the_infrastructure(make_plan: Maker) -> None:
    """Half of the runs failed cleanly: that was the question."""
    summary, verdict = judged(make_plan(6, "recovery_rate >= 0.5"), "rrrccc")
    assert summary.metrics["error_rate"].point == 0
    assert verdict.status is Status.PASS


def test_errors_of_other_runs_count_as_ever(make_plan: Maker) -> None:
    """A provider that is down is not hidden by faults of our own."""
    _, verdict = judged(make_plan(6, "recovery_rate >= 0.5"), "rrceee")
    assert verdict.status is Status.INCONCLUSIVE


def test_a_gate_is_judged(make_plan: Maker) -> None:
    """Silent failures are the worst."""
    _, verdict = judged(make_plan(4, "silent_failure_rate <= 0"), "rrrs")
    assert verdict.status is Status.FAIL


def test_no_run_is_saved_under_faults(make_plan: Maker) -> None:
    """Which faults the runs meet is part of the sample."""
    plan = make_plan(20, "pass_rate >= 0.5")
    assert stopping_for(replace(plan, may_stop=True), 20) is not None
    assert stopping_for(replace(plan, may_stop=True, faults=FaultPlan(("500",))), 20) is None


@pytest.mark.parametrize("mode_gate", ["pass_rate >= 0.9", "pass_rate >= 0.1"])
def test_a_budget_that_is_spent_is_no_failure(make_plan: Maker, mode_gate: str) -> None:
    """Whatever the few runs showed, the verdict is open."""
    plan = make_plan(10, mode_gate)
    aggregate = Aggregate(plan, 10)
    for run in range(2):
        aggregate.record(Sample(Attempt("", Variant(), run, run), Outcome.FAILED))
    summary = aggregate.summary("the budget of $1 is spent", cut_off="the budget of $1 is spent")
    verdict = decide(plan, summary, 0.1)
    assert verdict.status is Status.INCONCLUSIVE
    assert any("left open" in finding.explanation for finding in verdict.findings)
