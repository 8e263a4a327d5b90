"""The exact stratified test against enumeration, reference figures and scipy, and its speed."""

from collections import defaultdict
from collections.abc import Callable
from itertools import product
from math import comb
from random import Random
from time import perf_counter
from typing import Any

import pytest

from pytest_llmrel.stats.fisher import fisher_worse
from pytest_llmrel.stats.stratified import NullDistribution, Stratum, null_distribution, stratified_p

MIXED = [
    Stratum(5, 5, 1, 3),
    Stratum(7, 10, 2, 4),
    Stratum(0, 6, 0, 2),
    Stratum(4, 4, 4, 4),
    Stratum(7, 10, 2, 4),
]


def _enumerated(strata: list[Stratum]) -> dict[int, float]:
    """Chance of every total: all ways of all strata, counted in integers."""
    ways: dict[int, int] = defaultdict(int)
    possible = [range(max(0, s.x0 + s.x1 - s.n0), min(s.n1, s.x0 + s.x1) + 1) for s in strata]
    for now in product(*possible):
        weight = 1
        for x, s in zip(now, strata, strict=True):
            weight *= comb(s.n1, x) * comb(s.n0, s.x0 + s.x1 - x)
        ways[sum(now)] += weight
    everything = sum(ways.values())
    return {total: ways[total] / everything for total in sorted(ways)}


def _suite(m: int, n0: int, n1: int, *, spread: int = 0, rate: float = 0.8) -> list[Stratum]:
    random = Random(5)
    sizes = [(n0 + random.randint(0, spread), n1 + random.randint(0, spread)) for _ in range(m)]
    return [
        Stratum(
            sum(random.random() < rate for _ in range(a)), a, sum(random.random() < rate for _ in range(b)), b
        )
        for a, b in sizes
    ]


def test_it_is_the_enumeration() -> None:
    """Different margins, equal ones, and two that leave no choice."""
    chances = _enumerated(MIXED)
    null = null_distribution(MIXED)
    assert null.offset == min(chances)
    assert len(null.cumulative) == len(chances)
    below = 0.0
    for total, chance in chances.items():
        below += chance
        assert null.p_value(total) == pytest.approx(below, rel=1e-12)


def test_outside_the_possible_totals_it_is_certain() -> None:
    """Less than can be never is, and up to the most always, exactly."""
    null = null_distribution(MIXED)
    assert null.p_value(null.offset - 1) == 0.0
    assert null.p_value(null.offset - 1_000) == 0.0
    assert null.p_value(null.offset + len(null.cumulative) - 1) == 1.0
    assert null.p_value(10**9) == 1.0


def test_strata_without_choice_only_shift() -> None:
    """Always passed, never passed, and not run at all: one total, with certainty."""
    null = null_distribution(
        [Stratum(5, 5, 3, 3), Stratum(0, 9, 0, 4), Stratum(3, 6, 0, 0), Stratum(0, 0, 1, 2)]
    )
    assert null == NullDistribution(4, (1.0,))
    assert stratified_p([]) == 1.0


def test_attainable_values() -> None:
    """The largest that is at most p: itself at its place, the one before just below, 0 below the first."""
    null = null_distribution([Stratum(50, 50, 3, 5)])
    first, second = null.cumulative[:2]
    assert first == pytest.approx(fisher_worse(50, 50, 3, 5), rel=1e-12)
    assert null.attainable(first) == first
    assert null.attainable(second) == second
    assert null.attainable((first + second) / 2) == first
    assert null.attainable(first * 0.999) == 0.0
    assert null.attainable(0.0) == 0.0
    assert null.attainable(1.0) == 1.0


def test_values_that_differ_in_the_last_digits_are_one() -> None:
    """Ties computed in two ways: a relative 1e-9 is no difference, 1e-8 is one."""
    null = null_distribution([Stratum(19, 20, 14, 20)])
    for value in null.cumulative:
        assert null.attainable(value * (1 - 5e-10)) == value
        assert null.attainable(value * (1 - 1e-8)) < value


def test_a_test_that_always_passed_has_no_small_value() -> None:
    """That is why it costs nothing in multiplicity."""
    null = null_distribution([Stratum(50, 50, 10, 10)])
    assert null.attainable(0.999) == 0.0
    assert null.attainable(1.0) == 1.0


@pytest.mark.parametrize(
    "bad", [Stratum(6, 5, 0, 5), Stratum(0, 5, 6, 5), Stratum(-1, 5, 2, 5), Stratum(2, 5, -1, 5)]
)
def test_impossible_counts_are_refused(bad: Stratum) -> None:
    """Also where the margins would be possible."""
    with pytest.raises(ValueError, match="no proportions"):
        stratified_p([Stratum(1, 2, 1, 2), bad])


def test_the_shared_example(shared_data: Callable[[str], Any]) -> None:
    """The suite of the shared file, computed there in two ways."""
    suite = shared_data("stat_oracles.json")["suite_example"]
    strata = [
        Stratum(x0, suite["n0"], x1, suite["k"]) for x0, x1 in zip(suite["x0"], suite["x1"], strict=True)
    ]
    assert stratified_p(strata) == pytest.approx(suite["exact_stratified_p"], rel=1e-12)
    assert stratified_p(strata) == pytest.approx(suite["exact_stratified_p_convolution"], rel=1e-12)


def test_small_tails_of_a_large_suite_keep_their_digits() -> None:
    """200 equal strata, down to 1e-70, as against convolution in integers."""
    weights, power = [comb(10, x) * comb(50, 58 - x) for x in range(8, 11)], [1]
    for _ in range(200):
        longer = [0] * (len(power) + 2)
        for i, have in enumerate(power):
            for j, weight in enumerate(weights):
                longer[i + j] += have * weight
        power = longer
    null = null_distribution([Stratum(50, 50, 8, 10)] * 200)
    everything = sum(power)
    for excess in (160, 170, 200, 300, 340, 399):
        expected = sum(power[: excess + 1]) / everything
        assert null.p_value(1_600 + excess) == pytest.approx(expected, rel=1e-9, abs=0)
    assert sum(power[:161]) / everything < 1e-70


@pytest.mark.parametrize(
    ("m", "n0", "n1", "spread", "seconds"),
    [
        (500, 50, 10, 0, 0.25),
        (500, 50, 10, 60, 0.25),
        (500, 1_000, 1_000, 0, 2.5),
        (3, 100_000, 100_000, 0, 1.0),
    ],
)
def test_it_is_fast(m: int, n0: int, n1: int, spread: int, seconds: float) -> None:
    """Large suites take milliseconds, a million runs less than a second; the bounds leave room for busy machines."""
    strata = _suite(m, n0, n1, spread=spread)
    stratified_p(strata[:2])
    begin = perf_counter()
    p = stratified_p(strata)
    assert perf_counter() - begin < seconds
    assert 0 < p <= 1


def test_the_memory_follows_the_spread() -> None:
    """Strata of a hundred thousand runs: some standard deviations of totals, not one place per run."""
    null = null_distribution([Stratum(95_000, 100_000, 94_900, 100_000)] * 20)
    assert len(null.cumulative) < 20_000


def test_against_scipy() -> None:
    """One stratum is a hypergeometric distribution, two are their convolution."""
    hypergeom = pytest.importorskip("scipy.stats").hypergeom
    for (x0, n0, x1, n1), (y0, m0, y1, m1) in [
        ((48, 50, 6, 10), (20, 50, 9, 30)),
        ((400, 900, 300, 700), (19, 20, 14, 20)),
    ]:
        total = x1 + y1
        expected = sum(
            hypergeom.pmf(j, n0 + n1, x0 + x1, n1) * hypergeom.cdf(total - j, m0 + m1, y0 + y1, m1)
            for j in range(n1 + 1)
        )
        ours = stratified_p([Stratum(x0, n0, x1, n1), Stratum(y0, m0, y1, m1)])
        assert ours == pytest.approx(float(expected), rel=1e-9)
