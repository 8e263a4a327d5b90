"""Which test belongs to which metric: what the runs show about a gate under evidence and proof."""

from collections.abc import Callable, Mapping
from math import isfinite

from pytest_llmrel.core.fault import Recovery
from pytest_llmrel.core.gate import Gate
from pytest_llmrel.core.model import Outcome
from pytest_llmrel.core.shown import Shown
from pytest_llmrel.verdict.counts import Counts
from pytest_llmrel.verdict.evidence import (
    shown_about_mean,
    shown_about_means,
    shown_about_rate,
    shown_about_worst,
)
from pytest_llmrel.verdict.metrics import case_groups, pass_over_k_by_case
from pytest_llmrel.verdict.scorebook import ScoreBook

__all__ = ["as_rate", "shown_about"]

_SHARES = {"latency_p50": 0.5, "latency_p95": 0.95}


def shown_about(gate: Gate, counts: Counts) -> Shown:
    """What the runs of a test show about one of its gates."""
    if gate.k is not None:
        return _about_pass_over_k(gate, gate.k, counts)
    return _TESTS.get(gate.metric, _about_score)(gate, counts)


def as_rate(gate: Gate) -> Gate:
    """What a gate on pass^K or pass@K of one task demands of its pass rate; other gates as they are."""
    if gate.k is None:
        return gate
    every = gate.metric.startswith("pass^")
    bar = gate.bar ** (1 / gate.k) if every else 1 - (1 - gate.bar) ** (1 / gate.k)
    return Gate("pass_rate", gate.sign, bar)


def _about_rate(gate: Gate, counts: Counts) -> Shown:
    groups = case_groups(counts, gate.metric)
    if len(groups) > 1:
        return shown_about_means(gate, [events / n for events, n in groups])
    return shown_about_rate(gate, *(groups[0] if groups else (0, 0)))


def _about_pass_over_k(gate: Gate, k: int, counts: Counts) -> Shown:
    every = gate.metric.startswith("pass^")
    cells = counts.cells()
    if not cells or min(cell.n for cell in cells) < k:
        return Shown.nothing(f"needs at least {k} valid runs per wording")
    if len(cells) > 1:
        return shown_about_means(gate, pass_over_k_by_case(counts, k, every=every))
    return shown_about_rate(as_rate(gate), cells[0].passed, cells[0].n)


def _about_latency(gate: Gate, counts: Counts) -> Shown:
    """A quantile is within a limit when that share of the runs is: a gate on a share."""
    within = sum(gate.met_by(duration) for duration in counts.durations)
    share = _SHARES[gate.metric]
    as_share = Gate(gate.metric, ">=", share if not gate.wants_more else 1 - share)
    return shown_about_rate(as_share, within, counts.valid)


def _about_errors(gate: Gate, counts: Counts) -> Shown:
    errors = counts.outcomes[Outcome.ERROR] - counts.injected_errors
    return shown_about_rate(gate, errors, counts.valid + errors)


def _about_sensitivity(_: Gate, __: Counts) -> Shown:
    return Shown.nothing("it has a permutation test of its own")


def _about_worst(gate: Gate, counts: Counts) -> Shown:
    cases = counts.by_case()
    if len(cases) != 1:
        return Shown.nothing("only the wordings of a single case can be tested")
    (cells,) = cases.values()
    return shown_about_worst(gate, [(cell.passed, cell.n) for cell in cells.values()])


def _about_recovery(gate: Gate, counts: Counts) -> Shown:
    return shown_about_rate(gate, counts.recoveries[_RECOVERIES[gate.metric]], counts.recoveries.total())


def _about_cost_per_pass(gate: Gate, counts: Counts) -> Shown:
    return counts.spending.shown_about_cost_per_pass(gate)


def _about_faithful_rate(_: Gate, __: Counts) -> Shown:
    return Shown.nothing("it is compared by the cautious end of its interval")


def _about_calls(gate: Gate, _: Counts) -> Shown:
    return Shown.nothing(f"{gate.metric} is of calls, which belong to runs and are not independent")


def _about_score(gate: Gate, counts: Counts) -> Shown:
    book = counts.scores.get(gate.metric, ScoreBook())
    values = book.values
    if not all(map(isfinite, values)):
        return Shown.nothing("a recorded value is not finite")
    if len(book.case_means) > 1:
        return shown_about_means(gate, book.case_means)
    return shown_about_mean(gate, values)


_RECOVERIES = {"recovery_rate": Recovery.RECOVERED, "silent_failure_rate": Recovery.SILENT}
_TESTS: Mapping[str, Callable[[Gate, Counts], Shown]] = {
    "abstention_rate": _about_rate,
    "call_latency_p50": _about_calls,
    "call_latency_p95": _about_calls,
    "cost_per_pass": _about_cost_per_pass,
    "error_rate": _about_errors,
    "faithful_rate": _about_faithful_rate,
    "latency_p50": _about_latency,
    "latency_p95": _about_latency,
    "pass_rate": _about_rate,
    "recovery_rate": _about_recovery,
    "sensitivity": _about_sensitivity,
    "silent_failure_rate": _about_recovery,
    "worst_variant": _about_worst,
    "wrong_rate": _about_rate,
}
