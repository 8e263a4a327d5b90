"""How much the pass rate depends on the wording."""

from collections.abc import Mapping, Sequence

from pytest_llmrel.core.inputs import Inputs
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


def sensitivity(counts: Counts, inputs: Inputs) -> Sensitivity | None:
    """All there is to say about it; ``None`` where :func:`wording_metrics` says why not."""
    if _missing(counts, inputs):
        return None
    strata = _strata(counts)
    groups = wording_groups(counts, inputs.variants)
    rates = [passed / n for passed, n in groups]
    worst, worst_rate = worst_group(groups)
    return Sensitivity(
        sd=between_sd(strata),
        p=homogeneity_p(strata),
        spread=max(rates) - min(rates),
        noise_spread=expected_spread(groups),
        worst=inputs.variants[worst].key,
        worst_rate=worst_rate,
    )


def wording_metrics(found: Sensitivity | None, counts: Counts, inputs: Inputs) -> Mapping[str, Estimate]:
    """``sensitivity`` and ``worst_variant``; nothing for a test without ``paraphrase``."""
    if inputs.most_wordings < _FEWEST_WORDINGS:
        return {}
    n = counts.valid
    if found is None:
        undefined = Estimate.undefined(_missing(counts, inputs), n)
        return {"sensitivity": undefined, "worst_variant": undefined}
    spread = f"permutation p = {found.p:.2g}; standard deviation between wordings, noise taken off"
    return {
        "sensitivity": Estimate(found.sd, None, None, n, spread),
        "worst_variant": Estimate(
            found.worst_rate, None, None, n, "empirical Bayes rate of the worst wording"
        ),
    }


def _strata(counts: Counts) -> list[list[tuple[int, int]]]:
    """The wordings of each case that has several."""
    strata = [[(cell.passed, cell.n) for cell in cells.values()] for cells in counts.by_case().values()]
    return [cells for cells in strata if len(cells) >= _FEWEST_WORDINGS]


def _missing(counts: Counts, inputs: Inputs) -> str:
    """Why the wordings cannot be compared, ``""`` if they can."""
    if inputs.most_wordings < _FEWEST_WORDINGS:
        return "there is one wording"
    by_case = counts.by_case()
    cells = [by_case.get(case, {}).get(variant.key) for case, variant in inputs.tasks]
    fewest = min((0 if cell is None else cell.n for cell in cells), default=0)
    return "" if fewest >= _FEWEST_RUNS else f"needs at least 2 valid runs per wording, there are {fewest}"
