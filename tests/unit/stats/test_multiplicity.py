"""Adjusted p-values against hand-made ones, enumeration of all outcomes, and reference figures."""

from collections.abc import Callable
from itertools import product
from math import nan
from random import Random
from time import perf_counter
from typing import Any

import pytest

from pytest_llmrel.stats.fisher import hypergeometric_pmf
from pytest_llmrel.stats.multiplicity import benjamini_hochberg, holm, min_p
from pytest_llmrel.stats.stratified import NullDistribution, Stratum, null_distribution

STRATA = [Stratum(5, 5, 1, 4), Stratum(6, 8, 2, 5), Stratum(4, 4, 4, 4), Stratum(9, 10, 2, 3)]


def _tests(strata: list[Stratum]) -> tuple[list[float], list[NullDistribution]]:
    nulls = [null_distribution([stratum]) for stratum in strata]
    return [null.p_value(stratum.x1) for null, stratum in zip(nulls, strata, strict=True)], nulls


def _chance_of_one_so_small(p: float, strata: list[Stratum]) -> float:
    """All outcomes of all tests, weighted by their chances: how often is the least p-value so small?"""
    outcomes = []
    for s, null in zip(strata, _tests(strata)[1], strict=True):
        low, chances = hypergeometric_pmf(s.n0, s.n1, s.x0 + s.x1)
        outcomes.append([(null.p_value(low + i), chance) for i, chance in enumerate(chances)])
    hit = 0.0
    for combination in product(*outcomes):
        if min(value for value, _ in combination) <= p * (1 + 1e-9):
            weight = 1.0
            for _, chance in combination:
                weight *= chance
            hit += weight
    return hit


def test_holm_by_hand() -> None:
    """The textbook steps: times 4, 3, 2, 1, never less than before, never above 1."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_benjamini_hochberg_by_hand() -> None:
    """Times m over the rank, never more than after."""
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert benjamini_hochberg([0.9, 0.02]) == pytest.approx([0.9, 0.04])
    assert benjamini_hochberg([]) == []


def test_min_p_is_the_enumeration() -> None:
    """Step by step over the tests not yet named, every outcome counted."""
    pvalues, nulls = _tests(STRATA)
    adjusted = min_p(pvalues, nulls)
    order = sorted(range(len(pvalues)), key=lambda i: pvalues[i])
    highest = 0.0
    for rank, index in enumerate(order):
        rest = [STRATA[other] for other in order[rank:]]
        highest = max(highest, _chance_of_one_so_small(pvalues[index], rest))
        assert adjusted[index] == pytest.approx(highest, rel=1e-12)
    assert min(adjusted) == pytest.approx(_chance_of_one_so_small(min(pvalues), STRATA), rel=1e-12)


def test_tests_that_always_pass_cost_nothing() -> None:
    """A thousand of them leave the one p-value as it is, where Holm multiplies it."""
    strata = [Stratum(20, 20, 13, 20)] + [Stratum(20, 20, 20, 20)] * 1_000
    pvalues, nulls = _tests(strata)
    assert min_p(pvalues, nulls)[0] == pytest.approx(pvalues[0], rel=1e-9)
    assert min_p(pvalues, nulls)[1:] == [1.0] * 1_000
    assert holm(pvalues)[0] == 1.0


def test_tiny_values_keep_their_digits() -> None:
    """1e-30 of ten equal tests is 1e-29, and not lost beside 1."""
    pvalues, nulls = _tests([Stratum(60, 60, 0, 40)] * 10)
    assert 0 < pvalues[0] < 1e-25
    assert min_p(pvalues, nulls)[0] == pytest.approx(10 * pvalues[0], rel=1e-9, abs=0)


def test_no_tests_and_one_test() -> None:
    """Nothing of nothing; one test pays nothing."""
    assert min_p([], []) == []
    pvalues, nulls = _tests([Stratum(19, 20, 14, 20)])
    assert min_p(pvalues, nulls) == pytest.approx(pvalues, rel=1e-12)


def test_ties_computed_in_two_ways_are_ties() -> None:
    """The last digit of a p-value from elsewhere does not make the value unattainable."""
    pvalues, nulls = _tests([Stratum(19, 20, 14, 20)] * 3)
    nudged = [pvalues[0] * (1 - 1e-12), pvalues[1], pvalues[2] * (1 + 1e-12)]
    assert min_p(nudged, nulls) == pytest.approx(min_p(pvalues, nulls), rel=1e-9)


def test_the_shared_example(shared_data: Callable[[str], Any]) -> None:
    """The suite of the shared file: Holm, Benjamini-Hochberg, min-p in one step and stepwise, and simulated."""
    suite = shared_data("stat_oracles.json")["suite_example"]
    pvalues, nulls = _tests(
        [Stratum(x0, suite["n0"], x1, suite["k"]) for x0, x1 in zip(suite["x0"], suite["x1"], strict=True)]
    )
    assert pvalues == pytest.approx(suite["fisher_p"], rel=1e-12)
    assert holm(pvalues) == pytest.approx(suite["holm"], rel=1e-12)
    assert benjamini_hochberg(pvalues) == pytest.approx(suite["bh"], rel=1e-12)
    adjusted = min_p(pvalues, nulls)
    assert adjusted == pytest.approx(suite["minp_step_down_adjusted"], rel=1e-12)
    assert min(adjusted) == pytest.approx(suite["minp_single_step_adjusted"], rel=1e-12)
    assert min(adjusted) == pytest.approx(suite["minp_mc"], rel=0.05)


@pytest.mark.parametrize("bad", [-0.1, 1.1, nan])
def test_what_is_no_p_value_is_refused(bad: float) -> None:
    """Above all a NaN, which sorts anywhere."""
    null = NullDistribution(0, (1.0,))
    for adjust in (holm, benjamini_hochberg, lambda pvalues: min_p(pvalues, [null] * 3)):
        with pytest.raises(ValueError, match="no p-value"):
            adjust([0.5, bad, 0.1])


def test_each_p_value_has_its_distribution() -> None:
    """One too few is a mistake of the caller, not a shorter suite."""
    with pytest.raises(ValueError, match="2 p-values and 1 distributions"):
        min_p([0.5, 0.1], [NullDistribution(0, (1.0,))])


@pytest.mark.parametrize("spread", [0, 40])
def test_it_is_fast(spread: int) -> None:
    """Five hundred tests take milliseconds; the bound leaves room for busy machines."""
    random = Random(11)
    strata = []
    for _ in range(500):
        n0, n1 = 50 + random.randint(0, spread), 10 + random.randint(0, spread)
        strata.append(Stratum(n0 - random.randint(0, 15), n0, n1 - random.randint(0, 4), n1))
    pvalues, nulls = _tests(strata)
    begin = perf_counter()
    adjusted = min_p(pvalues, nulls)
    assert perf_counter() - begin < 0.3
    assert len(adjusted) == 500


def test_against_scipy() -> None:
    """Benjamini-Hochberg of random p-values."""
    control = pytest.importorskip("scipy.stats").false_discovery_control
    random = Random(3)
    for m in (1, 2, 7, 100):
        pvalues = [random.random() ** 3 for _ in range(m)]
        assert benjamini_hochberg(pvalues) == pytest.approx(list(control(pvalues)), rel=1e-9)
