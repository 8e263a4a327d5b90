"""Computes again, from the counts of a test, what its session has said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pytest_llmrel.core.case import Case
from pytest_llmrel.core.counted import Counted
from pytest_llmrel.core.fault import Recovery
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Estimate, Outcome, Variant
from pytest_llmrel.core.shown import Clustering, Sensitivity
from pytest_llmrel.verdict.counts import Counts
from pytest_llmrel.verdict.metrics import (
    case_groups,
    clustering,
    error_rate,
    pass_over_k,
    rate,
    recovery_rate,
)
from pytest_llmrel.verdict.wordings import sensitivity, wording_groups, wording_metrics

__all__ = ["Known", "Recount", "recount"]

_RATES = frozenset({"pass_rate", "wrong_rate", "abstention_rate"})
_RECOVERIES = {"recovery_rate": Recovery.RECOVERED, "silent_failure_rate": Recovery.SILENT}
_WORDINGS = frozenset({"sensitivity", "worst_variant"})


@dataclass(frozen=True, slots=True)
class Known:
    """What a document holds of the runs of one test; hashable, since many tests have the same counts.

    Attributes:
        counted: valid runs.
        variants: all wordings, a single empty one without ``paraphrase``.
        invalid: outcomes that are in no quality denominator, and runs of each.
        recoveries: what became of runs that met an injected fault, and of how many.
        early: whether the test was stopped early, and its rates are no shares of the runs.
    """

    counted: Counted
    variants: tuple[Variant, ...]
    invalid: tuple[tuple[Outcome, int], ...]
    recoveries: tuple[tuple[Recovery, int], ...]
    early: bool


@dataclass(frozen=True, slots=True)
class Recount:
    """What follows from counts.

    Attributes:
        metrics: those of the wanted ones that follow from counts alone.
        variants: ``(passed, n)`` of each wording.
        cases: case -> ``(passed, n)``; only cases with valid runs.
        sensitivity: how much depends on the wording, if there is anything to say.
        clustering: how alike the runs of a case are, if there is anything to say.
        valid: runs in the quality denominators.
    """

    metrics: Mapping[str, Estimate]
    variants: tuple[tuple[int, int], ...]
    cases: Mapping[str, tuple[int, int]]
    sensitivity: Sensitivity | None
    clustering: Clustering | None
    valid: int


@lru_cache(maxsize=1024)
def recount(known: Known, wanted: frozenset[str]) -> Recount:
    """Compute everything once more.

    Args:
        known: counts of a test.
        wanted: names of metrics.
    """
    counts = Counts.of(known.counted, known.variants, dict(known.invalid))
    counts.recoveries.update(dict(known.recoveries))
    inputs = _inputs(known)
    between = None if known.early else sensitivity(counts, inputs)
    metrics = {name: _metric(name, known, counts) for name in wanted}
    if not known.early and not _WORDINGS.isdisjoint(wanted):
        metrics |= wording_metrics(between, counts, inputs)
    return Recount(
        metrics={name: estimate for name, estimate in metrics.items() if estimate is not None},
        variants=tuple(wording_groups(counts, known.variants)),
        cases=dict(zip(counts.by_case(), case_groups(counts, "pass_rate"), strict=True)),
        sensitivity=between,
        clustering=clustering(counts),
        valid=counts.valid,
    )


def _metric(name: str, known: Known, counts: Counts) -> Estimate | None:
    """``None`` for what does not follow from counts."""
    if name == "error_rate":
        return error_rate(counts)
    if name in _RECOVERIES:
        return recovery_rate(counts, _RECOVERIES[name])
    if known.early:
        return None
    if name in _RATES:
        return rate(counts, name)
    kind, k = name[:5], name[5:]
    if kind in {"pass@", "pass^"} and k.isdecimal() and k.isascii():
        return pass_over_k(counts, int(k), every=kind == "pass^", tasks=len(known.counted.cells))
    return None


def _inputs(known: Known) -> Inputs:
    by_key = {variant.key: variant for variant in known.variants}
    own: dict[str, tuple[Variant, ...]] = {}
    for cell in known.counted.cells:
        own[cell.case] = (*own.get(cell.case, ()), by_key[cell.variant])
    cases = tuple(Case(name, ()) for name in own if name)
    return Inputs(known.variants, cases=cases, own_variants=own)
