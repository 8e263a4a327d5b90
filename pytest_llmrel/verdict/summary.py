"""Aggregates the samples of one test, one by one, into its summary."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from math import fsum, isfinite

from pytest_llmrel.core.model import Attempt, Estimate, Outcome, Sample, Summary, Tally, Variant
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.stats.intervals import wilson
from pytest_llmrel.stats.passk import pass_at_k, pass_hat_k
from pytest_llmrel.stats.quantiles import nearest_rank
from pytest_llmrel.verdict.failures import FailureLog

__all__ = ["Aggregate"]

_SHOWN_K = 5
"""pass@5 and pass^5 are shown wherever they exist: five runs are the least that mean anything."""
_VALID = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.ABSTAINED})


class Aggregate:
    """Everything a verdict needs to know of the runs so far.

    Samples are not kept, only counts, durations and scores: a run costs some tens of bytes.
    Not thread-safe: one thread records.
    """

    def __init__(self, plan: RunPlan, planned: int) -> None:
        self._plan = plan
        self._planned = planned
        self._counts: Counter[Outcome] = Counter()
        self._cells: dict[tuple[str, str], _Cell] = {}
        self._durations = array("d")
        self._scores: dict[str, array[float]] = {}
        self._failures = FailureLog()
        self._teardowns = FailureLog()

    def record(self, sample: Sample) -> None:
        """Add one finished run."""
        self._counts[sample.outcome] += 1
        variant, run = sample.attempt.variant, sample.attempt.run
        if sample.failure is not None:
            self._failures.record(sample.failure, variant, run)
        if sample.teardown is not None:
            self._teardowns.record(sample.teardown, variant, run)
        if sample.outcome in _VALID:
            self._record_valid(sample)

    def _record_valid(self, sample: Sample) -> None:
        cell = self._cell(sample.attempt)
        cell.n += 1
        cell.passed += sample.outcome is Outcome.PASSED
        self._durations.append(sample.duration)
        for score in sample.scores:
            self._scores.setdefault(score.name, array("d")).append(score.value)

    def _cell(self, attempt: Attempt) -> "_Cell":
        address = (attempt.case, attempt.variant.key)
        cell = self._cells.get(address)
        if cell is None:
            cell = self._cells[address] = _Cell(attempt.variant)
        return cell

    def summary(self, stop_reason: str = "") -> Summary:
        """What the runs so far amount to."""
        done = sum(self._counts.values())
        return Summary(
            counts={outcome: self._counts[outcome] for outcome in Outcome},
            unfinished=self._planned - done,
            metrics=self._metrics(done),
            variants=self._variants() if self._plan.argname else (),
            groups=self._failures.groups(),
            teardowns=self._teardowns.groups(),
            stop_reason=stop_reason,
        )

    def _variants(self) -> tuple[Tally, ...]:
        cells = {cell.variant.key: cell for cell in self._cells.values()}
        return tuple(
            Tally(variant.key, variant.text, cell.passed, cell.n)
            for variant in self._plan.variants
            for cell in (cells.get(variant.key) or _Cell(variant),)
        )

    def _metrics(self, done: int) -> Mapping[str, Estimate]:
        count = self._counts
        valid = sum(count[outcome] for outcome in _VALID)
        metrics = {
            "pass_rate": _rate(count[Outcome.PASSED], valid, "valid"),
            "wrong_rate": _rate(count[Outcome.FAILED], valid, "valid"),
            "abstention_rate": _rate(count[Outcome.ABSTAINED], valid, "valid"),
            "error_rate": _rate(count[Outcome.ERROR], valid + count[Outcome.ERROR], "finished"),
            "latency_p50": _latency(self._durations, 0.5),
            "latency_p95": _latency(self._durations, 0.95),
        }
        for k in self._ks(done):
            metrics[f"pass@{k}"] = self._pass(k, every=False)
            metrics[f"pass^{k}"] = self._pass(k, every=True)
        scores = {name: _mean(values) for name, values in sorted(self._scores.items())}
        return scores | metrics  # a score cannot take the place of what we measured ourselves

    def _ks(self, done: int) -> Iterable[int]:
        gated = {gate.k for gate in self._plan.gates if gate.k is not None}
        shown = {k for k in (_SHOWN_K, self._plan.k) if 1 < k <= min(self._plan.k, done)}
        return sorted(gated | shown)

    def _pass(self, k: int, *, every: bool) -> Estimate:
        """pass^k or pass@k: the unweighted mean over the wordings, each of which is a task of its own."""
        estimator = pass_hat_k if every else pass_at_k
        cells = list(self._cells.values())
        n = sum(cell.n for cell in cells)
        fewest = min((cell.n for cell in cells), default=0)
        if len(cells) < len(self._plan.variants) or fewest < k:
            fewest = 0 if len(cells) < len(self._plan.variants) else fewest
            return Estimate.undefined(f"needs at least {k} valid runs per wording, there are {fewest}", n)
        point = fsum(estimator(cell.n, cell.passed, k) for cell in cells) / len(cells)
        if len(cells) > 1:
            return Estimate(point, None, None, n, f"mean of {len(cells)} wordings; no interval")
        low, high = wilson(cells[0].passed, n)
        if every:
            low, high = low**k, high**k
        else:
            low, high = 1 - (1 - low) ** k, 1 - (1 - high) ** k
        return Estimate(point, low, high, n, "unbiased; Wilson 95 % of the pass rate, transformed")


class _Cell:
    """Counts of one case and variant."""

    __slots__ = ("n", "passed", "variant")

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.n = 0
        self.passed = 0


def _rate(count: int, n: int, what: str) -> Estimate:
    if n == 0:
        return Estimate.undefined(f"no {what} run")
    return Estimate(count / n, *wilson(count, n), n, "Wilson 95 %")


def _latency(durations: "array[float]", share: float) -> Estimate:
    if not durations:
        return Estimate.undefined("no valid run")
    return Estimate(nearest_rank(durations, share), None, None, len(durations), "nearest rank, seconds")


def _mean(values: "array[float]") -> Estimate:
    bad = sum(not isfinite(value) for value in values)
    if bad:
        return Estimate.undefined(f"{bad} of {len(values)} recorded values are not finite", len(values))
    try:
        return Estimate(fsum(values) / len(values), None, None, len(values), "mean")
    except OverflowError:
        return Estimate.undefined("the recorded values are too large to be added up", len(values))
