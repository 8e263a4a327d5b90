"""Aggregates the samples of one test, one by one, into its summary."""

from collections.abc import Iterable, Mapping, Sequence

from pytest_llmrel.core.baseline import ScoreSummary
from pytest_llmrel.core.call import Call
from pytest_llmrel.core.fault import Recovery
from pytest_llmrel.core.gate import TOTALS, Gate, GateMode
from pytest_llmrel.core.model import Decision, Estimate, Outcome, Sample, Summary, Tally
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.core.shown import Shown
from pytest_llmrel.stats.histogram import bucketed
from pytest_llmrel.verdict.counts import Counts
from pytest_llmrel.verdict.failures import FailureLog
from pytest_llmrel.verdict.metrics import (
    case_groups,
    clustering,
    error_rate,
    latency,
    pass_over_k,
    rate,
    recovery_rate,
    score_mean,
    score_summary,
    stopped_rate,
)
from pytest_llmrel.verdict.shown import shown_about
from pytest_llmrel.verdict.wordings import sensitivity, wording_groups, wording_metrics

__all__ = ["Aggregate"]

_SHOWN_K = 5
"""pass@5 and pass^5 are shown wherever they exist: five runs are the least that mean anything."""
_STOPPABLE = ("pass_rate", "wrong_rate", "abstention_rate")


class Aggregate:
    """Everything a verdict needs to know of the runs so far.

    Samples are not kept, only counts, durations and scores: a run costs some tens of bytes.
    Not thread-safe: one thread at a time records.
    """

    def __init__(self, plan: RunPlan, planned: int) -> None:
        self._plan = plan
        self._planned = planned
        self._counts = Counts(plan.inputs.variants)
        self._failures = FailureLog()
        self._teardowns = FailureLog()
        self._bounded = [gate for gate in plan.gates if gate.metric in TOTALS and not gate.wants_more]

    def record(self, sample: Sample) -> None:
        """Add one finished run."""
        if sample.failure is not None:
            self._failures.record(sample.failure, sample.attempt)
        if sample.teardown is not None:
            self._teardowns.record(sample.teardown, sample.attempt)
        self._counts.record(sample)

    def wants_evidence(self, sample: Sample) -> bool:
        """Whether a failure of this run would be described if it were recorded now."""
        logged = ((self._failures, sample.failure), (self._teardowns, sample.teardown))
        return any(failure is not None and log.wants(failure, sample.attempt) for log, failure in logged)

    def record_cut_off(self, sample: Sample) -> None:
        """Add what a run spent that was ended from outside, and counts for nothing else."""
        self._counts.spending.record_cut_off(sample)

    def record_outside(self, calls: Iterable[Call]) -> None:
        """Add calls that belong to no run."""
        self._counts.spending.record_outside(calls)

    @property
    def exceeded(self) -> str:
        """The gate on a total that is missed whatever comes, ``""`` if there is none."""
        return next((str(gate) for gate in self._bounded if self._counts.spending.exceeds(gate)), "")

    def summary(
        self,
        stop_reason: str = "",
        decisions: Mapping[Gate, Decision] | None = None,
        *,
        followed: bool = False,
        cut_off: str = "",
    ) -> Summary:
        """What the runs so far amount to.

        Args:
            stop_reason: why fewer runs than planned were made.
            decisions: of the gates that were decided run by run, if all are. Where runs are missing then,
                they were saved; where none is, they are the full sample, and judged as such.
            followed: whether the test could have ended early.
            cut_off: why the budget ended the test.
        """
        counts, inputs, outcomes = self._counts, self._plan.inputs, self._counts.outcomes
        scores = {name: book.values for name, book in sorted(counts.scores.items())}
        missing = self._planned - counts.finished
        early = bool(decisions) and missing > 0
        decisions = {
            gate: decision for gate, decision in (decisions or {}).items() if early or decision.sequential
        }
        between = None if early else sensitivity(counts, inputs)
        # What we measured ourselves last: a score cannot take its place.
        metrics = {name: score_mean(counts.scores[name], values) for name, values in scores.items()}
        metrics |= self._metrics(decisions, early=early)
        wordings = wording_metrics(between, counts, inputs)
        metrics |= dict.fromkeys(wordings, Estimate.undefined("stopped early")) if early else wordings
        return Summary(
            counts={outcome: outcomes[outcome] for outcome in Outcome},
            unfinished=0 if early else missing,
            metrics=metrics,
            variants=self._variants() if inputs.argname else (),
            cases=self._cases(),
            groups=self._failures.groups(),
            teardowns=self._teardowns.groups(),
            stop_reason=stop_reason if missing else "",
            saved=missing if early else 0,
            cells=counts.cells(),
            scores=_summaries(scores),
            scorings={name: counts.scores[name].scoring for name in scores},
            shown=self._shown(decisions),
            decisions=decisions,
            followed=followed,
            sensitivity=between,
            clustering=clustering(counts),
            spent=counts.spending.spent,
            judging=counts.spending.judging,
            idle_runs=counts.spending.idle_runs,
            recoveries=dict(counts.recoveries),
            cut_off=cut_off,
            run_seconds=bucketed(counts.durations),
            call_seconds=bucketed(counts.spending.seconds),
            counted=counts.counted(inputs.tasks),
        )

    def _variants(self) -> tuple[Tally, ...]:
        variants = self._plan.inputs.variants
        groups = wording_groups(self._counts, variants)
        return tuple(
            Tally(variant.key, variant.text, passed, n)
            for variant, (passed, n) in zip(variants, groups, strict=True)
        )

    def _cases(self) -> tuple[Tally, ...]:
        groups = case_groups(self._counts, "pass_rate")
        named = zip(self._counts.by_case(), groups, strict=True)
        return tuple(Tally(case, case, passed, n) for case, (passed, n) in named if case)

    def _metrics(self, decisions: Mapping[Gate, Decision], *, early: bool) -> Mapping[str, Estimate]:
        counts = self._counts
        by_metric = {gate.metric: decision for gate, decision in decisions.items()}
        metrics = {
            name: stopped_rate(by_metric.get(name)) if early else rate(counts, name) for name in _STOPPABLE
        }
        metrics["error_rate"] = error_rate(counts)
        durations = sorted(counts.durations)
        metrics["latency_p50"] = latency(durations, 0.5)
        metrics["latency_p95"] = latency(durations, 0.95)
        metrics |= counts.spending.metrics(gate.metric for gate in self._plan.gates)
        if self._plan.faults is not None:
            metrics["recovery_rate"] = recovery_rate(counts, Recovery.RECOVERED)
            metrics["silent_failure_rate"] = recovery_rate(counts, Recovery.SILENT)
        for k in self._ks():
            for name, every in ((f"pass@{k}", False), (f"pass^{k}", True)):
                metrics[name] = (
                    Estimate.undefined("stopped early", counts.valid)
                    if early
                    else pass_over_k(counts, k, every=every, tasks=len(self._plan.inputs.tasks))
                )
        return metrics

    def _ks(self) -> Iterable[int]:
        gated = {gate.k for gate in self._plan.gates if gate.k is not None}
        most = min(self._plan.k, self._counts.finished)
        return sorted(gated | {k for k in (_SHOWN_K, self._plan.k) if 1 < k <= most})

    def _shown(self, decisions: Mapping[Gate, Decision]) -> dict[Gate, Shown]:
        if self._plan.mode is GateMode.OBSERVED:
            return {}
        return {gate: shown_about(gate, self._counts) for gate in self._plan.gates if gate not in decisions}


def _summaries(scores: Mapping[str, Sequence[float]]) -> dict[str, ScoreSummary]:
    found = {name: score_summary(values) for name, values in scores.items() if values}
    return {name: summary for name, summary in found.items() if summary is not None}
