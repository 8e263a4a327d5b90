"""How much depends on the wording: the worked example of the statistics, and where nothing can be said."""

from itertools import product
from math import comb, sqrt
from typing import Any

import pytest

from pytest_llmrel.core.case import Case
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Variant
from pytest_llmrel.verdict.counts import Counts
from pytest_llmrel.verdict.wordings import sensitivity, wording_groups, wording_metrics

LETTERS = {outcome.value[0]: outcome for outcome in Outcome}


def several(number: int) -> list[Variant]:
    """So many wordings."""
    return [Variant(f"{place:08x}", f"wording {place}", place == 0) for place in range(number)]


def over(variants: list[Variant], cases: int = 1) -> Inputs:
    """The same wordings in each case."""
    rows = tuple(Case(f"case {case}", ()) for case in range(cases)) if cases > 1 else ()
    return Inputs(tuple(variants), "q", rows)


def counted(*words: str, cases: int = 1) -> tuple[Counts, Inputs]:
    """One word of letters for each wording, the same in each case."""
    variants = several(len(words))
    counts = Counts(variants)
    for case in range(cases):
        for variant, word in zip(variants, words, strict=True):
            for run, letter in enumerate(word):
                name = f"case {case}" if cases > 1 else ""
                counts.record(Sample(Attempt(name, variant, run, run), LETTERS[letter]))
    return counts, over(variants, cases)


def by_permutation(groups: list[tuple[int, int]]) -> float:
    """The exact p-value of two or three groups by listing all tables with the same total."""
    common = sum(x for x, _ in groups) / sum(n for _, n in groups)

    def spread(table: Any) -> float:
        return float(sum(n * (x / n - common) ** 2 for x, (_, n) in zip(table, groups, strict=True)))

    observed, total = spread([x for x, _ in groups]), sum(x for x, _ in groups)
    weights = {
        table: float(comb_product(table, groups))
        for table in product(*(range(n + 1) for _, n in groups))
        if sum(table) == total
    }
    as_far = sum(weight for table, weight in weights.items() if spread(table) >= observed - 1e-12)
    return as_far / sum(weights.values())


def comb_product(table: tuple[int, ...], groups: list[tuple[int, int]]) -> int:
    """Ways to deal the passes out like this."""
    ways = 1
    for x, (_, n) in zip(table, groups, strict=True):
        ways *= comb(n, x)
    return ways


@pytest.mark.parametrize(
    "words",
    [
        ("ppppp", "fffff"),
        ("pppp", "ppff"),
        ("ppp", "ppf", "fff"),
        ("pp", "pf", "ff"),
        ("pppppp", "pffff", "ppf"),
    ],
)
def test_it_is_the_published_estimate_with_an_exact_p(words: tuple[str, ...]) -> None:
    """(MSB - MSW) / r by hand, and the permutation test by listing all tables."""
    counts, inputs = counted(*words)
    found = sensitivity(counts, inputs)
    assert found is not None
    groups = [(word.count("p"), len(word)) for word in words]
    runs = sum(n for _, n in groups)
    common = sum(x for x, _ in groups) / runs
    between = sum(n * (x / n - common) ** 2 for x, n in groups) / (len(groups) - 1)
    within = sum(x * (n - x) / n for x, n in groups) / (runs - len(groups))
    size = (runs - sum(n * n for _, n in groups) / runs) / (len(groups) - 1)
    assert found.sd == pytest.approx(sqrt(max(0.0, (between - within) / size)))
    assert found.p == pytest.approx(by_permutation(groups))
    rates = [x / n for x, n in groups]
    assert found.spread == pytest.approx(max(rates) - min(rates))
    assert found.worst == inputs.variants[rates.index(min(rates))].key
    assert min(rates) <= found.worst_rate <= common + 1e-12, "shrunken towards the others"


@pytest.mark.parametrize("words", [("ppppp",) * 4, ("fffff",) * 4, ("aaaaa",) * 3])
def test_wordings_that_are_all_alike_are_not_sensitive(words: tuple[str, ...]) -> None:
    """Nothing varies: no spread, p = 1, and no wording is worse than the others."""
    found = sensitivity(*counted(*words))
    assert found is not None
    assert (found.sd, found.p, found.spread) == (0.0, 1.0, 0.0)
    assert found.worst_rate == (1.0 if words[0][0] == "p" else 0.0)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("p", "p"), "needs at least 2 valid runs per wording, there are 1"),
        (("ppppp", "p"), "there are 1"),
        (("ppppp", "eeeee"), "there are 0"),
        (("ppppp", "pssss"), "there are 1"),
        (("", ""), "there are 0"),
        (("ss", "xx"), "there are 0"),
    ],
)
def test_too_few_valid_runs(words: tuple[str, ...], reason: str) -> None:
    """One run of a wording tells nothing of its noise: n/a with the reason, never 0."""
    counts, inputs = counted(*words)
    assert sensitivity(counts, inputs) is None
    metrics = wording_metrics(None, counts, inputs)
    assert metrics.keys() == {"sensitivity", "worst_variant"}
    for estimate in metrics.values():
        assert (estimate.point, estimate.n) == (None, counts.valid)
        assert reason in estimate.method


def test_one_wording_has_no_such_metric() -> None:
    """There is nothing to compare."""
    counts, inputs = counted("ppppp")
    assert sensitivity(counts, inputs) is None
    assert wording_metrics(None, counts, inputs) == {}


def test_groups_take_all_cases_together() -> None:
    """In the order of the mark, a wording without valid runs included."""
    counts, inputs = counted("ppf", "eee", "fff", cases=2)
    assert wording_groups(counts, inputs.variants) == [(4, 6), (0, 0), (0, 6)]


def test_cases_are_strata() -> None:
    """A difference that each of many cases shows a little is real over all of them."""
    few, many = (sensitivity(*counted("ppppp", "ppfff", cases=cases)) for cases in (1, 12))
    assert few is not None
    assert many is not None
    assert many.sd == pytest.approx(few.sd)
    assert few.p > 0.05 >= many.p


def test_hard_cases_are_no_sensitivity() -> None:
    """Cases that differ while wordings do not: nothing is due to the wording."""
    variants = several(3)
    counts = Counts(variants)
    for case in range(6):
        for variant in variants:
            for run in range(6):
                good = case % 2 == 0
                outcome = Outcome.PASSED if good else Outcome.FAILED
                counts.record(Sample(Attempt(f"case {case}", variant, run, run), outcome))
    found = sensitivity(counts, over(variants, 6))
    assert found is not None
    assert (found.sd, found.p) == (0.0, 1.0)
