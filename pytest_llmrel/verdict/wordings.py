"""How much the pass rate depends on the wording."""

from collections.abc import Mapping, Sequence

from pytest_llmrel.core.model import Estimate, Variant
from pytest_llmrel.core.shown import Sensitivity
from pytest_llmrel.stats.between import between_sd, expected_spread, worst_group
from pytest_llmrel.stats.homogeneity import homogeneity_p
from pytest_llmrel.verdict.counts import Counts

__all__ = ["sensitivity", "wording_groups", "wording_metrics"]

_FEWEST_WORDINGS = 2
_FEWEST_RUNS = 2


def wording_groups(counts: Counts, variants: Sequence[Variant]) -> list[tuple[int, int]]:
    """``(passed, valid runs)`` of each wording, all cases together."""
    cases = counts.by_case().values()
    groups = []
    for variant in variants:
        cells = [case[variant.key] for case in cases if variant.key in case]
        groups.append((sum(cell.passed for cell in cells), sum(cell.n for cell in cells)))
    return groups


def sensitivity(counts: Counts, variants: Sequence[Variant]) -> Sensitivity | None:
    """All there is to say about it; ``None`` where :func:`wording_metrics` says why not."""
    if _missing(counts, variants):
        return None
    strata = _strata(counts, variants)
    groups = wording_groups(counts, variants)
    rates = [passed / n for passed, n in groups]
    worst, worst_rate = worst_group(groups)
    return Sensitivity(
        sd=between_sd(strata),
        p=homogeneity_p(strata),
        spread=max(rates) - min(rates),
        noise_spread=expected_spread(groups),
        worst=variants[worst].key,
        worst_rate=worst_rate,
    )


def wording_metrics(
    found: Sensitivity | None, counts: Counts, variants: Sequence[Variant]
) -> Mapping[str, Estimate]:
    """``sensitivity`` and ``worst_variant``; nothing for a test without ``paraphrase``."""
    if len(variants) < _FEWEST_WORDINGS:
        return {}
    n = counts.valid
    if found is None:
        undefined = Estimate.undefined(_missing(counts, variants), n)
        return {"sensitivity": undefined, "worst_variant": undefined}
    spread = f"permutation p = {found.p:.2g}; standard deviation between wordings, noise taken off"
    return {
        "sensitivity": Estimate(found.sd, None, None, n, spread),
        "worst_variant": Estimate(
            found.worst_rate, None, None, n, "empirical Bayes rate of the worst wording"
        ),
    }


def _strata(counts: Counts, variants: Sequence[Variant]) -> list[list[tuple[int, int]]]:
    return [
        [(cells[variant.key].passed, cells[variant.key].n) for variant in variants]
        for cells in counts.by_case().values()
    ]


def _missing(counts: Counts, variants: Sequence[Variant]) -> str:
    """Why the wordings cannot be compared, ``""`` if they can."""
    if len(variants) < _FEWEST_WORDINGS:
        return "there is one wording"
    cells = [cells.get(variant.key) for cells in counts.by_case().values() for variant in variants]
    fewest = min((0 if cell is None else cell.n for cell in cells), default=0)
    return "" if fewest >= _FEWEST_RUNS else f"needs at least 2 valid runs per wording, there are {fewest}"
