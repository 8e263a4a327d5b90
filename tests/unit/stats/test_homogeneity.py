"""The permutation test against brute force, scipy, its own exact form, and its promised level."""

import random
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import comb, prod
from typing import Any

import pytest

from pytest_llmrel.stats import homogeneity
from pytest_llmrel.stats.homogeneity import homogeneity_p


def brute_force(groups: list[tuple[int, int]]) -> float:
    """The definition, in fractions: sum n (rate - common)^2 over every table of the same totals."""
    sizes, total = [n for _, n in groups], sum(x for x, _ in groups)
    common = Fraction(total, sum(sizes))

    def statistic(table: tuple[int, ...]) -> Fraction:
        return sum(
            (n * (Fraction(x, n) - common) ** 2 for x, n in zip(table, sizes, strict=True)), start=Fraction(0)
        )

    observed = statistic(tuple(x for x, _ in groups))
    hits = sum(
        prod(comb(n, x) for x, n in zip(table, sizes, strict=True))
        for table in product(*(range(n + 1) for n in sizes))
        if sum(table) == total and statistic(table) >= observed
    )
    return hits / comb(sum(sizes), total)


def test_the_worked_example(shared_data: Callable[[str], Any]) -> None:
    """The exact p of the shared example."""
    row = shared_data("stat_oracles.json")["paraphrase_example"]
    groups = [(passed, row["r"]) for passed in row["counts"]]
    assert homogeneity_p([groups]) == pytest.approx(row["exact_permutation_p"], rel=1e-12)


@pytest.mark.parametrize(
    "groups",
    [
        [(5, 5), (5, 5), (4, 5), (1, 5), (5, 5)],
        [(2, 3), (0, 2), (4, 4)],
        [(1, 1), (0, 1), (3, 7), (2, 2)],
        [(4, 6), (2, 6), (6, 6)],
        [(3, 10), (9, 10)],
    ],
)
def test_the_exact_form_is_the_definition(groups: list[tuple[int, int]]) -> None:
    """Small tables, equal and unequal groups, counted one by one."""
    assert homogeneity_p([groups]) == pytest.approx(brute_force(groups), rel=1e-14)


def test_two_groups_are_fishers_exact_test() -> None:
    """For two groups of one size the tables at least as far apart are the two-sided Fisher tables."""
    fisher_exact = pytest.importorskip("scipy.stats").fisher_exact
    for first, second in [(3, 9), (0, 4), (10, 7), (5, 5)]:
        theirs = fisher_exact([[first, 10 - first], [second, 10 - second]]).pvalue
        assert homogeneity_p([[(first, 10), (second, 10)]]) == pytest.approx(theirs, rel=1e-9)


def test_sampling_agrees_with_the_exact_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same groups with enumeration switched off: within four standard errors."""
    for groups in ([(5, 5), (5, 5), (4, 5), (1, 5), (5, 5)], [(2, 3), (0, 2), (4, 4), (3, 6)], [(3, 5)] * 4):
        exact = homogeneity_p([groups])
        with monkeypatch.context() as patch:
            patch.setattr(homogeneity, "_TABLES", 0)
            sampled = homogeneity_p([groups], resamples=40_000)
        assert sampled == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 40_000) ** 0.5 + 1e-4)


def test_cases_are_not_compared_with_each_other() -> None:
    """One easy and one hard case without differing wordings is no evidence; pooled it would look so."""
    assert homogeneity_p([[(10, 10)] * 3, [(1, 10), (0, 10), (1, 10)]]) == 1.0
    assert homogeneity_p([[(10, 10), (0, 10)]]) < 1e-4


def test_evidence_adds_up_over_cases() -> None:
    """The same slight preference of one wording, seen in many cases, becomes significant."""
    slight = [(5, 5), (4, 5), (2, 5)]
    assert homogeneity_p([slight]) > 0.1
    assert homogeneity_p([slight] * 10) < 0.001


def test_two_cases_against_their_exact_distribution() -> None:
    """Two strata: the sampled p is that of all pairs of tables."""
    strata = [[(3, 3), (1, 3)], [(0, 4), (3, 4)]]

    def distribution(groups: list[tuple[int, int]]) -> list[tuple[Fraction, Fraction]]:
        (_, n), (_, m) = groups
        total = sum(x for x, _ in groups)
        return [
            (
                Fraction(comb(n, x) * comb(m, total - x), comb(n + m, total)),
                Fraction(x * x, n) + Fraction((total - x) ** 2, m),
            )
            for x in range(max(0, total - m), min(n, total) + 1)
        ]

    observed = sum(Fraction(x * x, n) for groups in strata for x, n in groups)
    exact = float(sum(p * q for (p, s), (q, t) in product(*map(distribution, strata)) if s + t >= observed))
    sampled = homogeneity_p(strata, resamples=40_000)
    assert sampled == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 40_000) ** 0.5)


def test_without_variation_p_is_1() -> None:
    """All pass, all fail, or one group only: exactly 1."""
    assert homogeneity_p([[(5, 5)] * 30]) == 1.0
    assert homogeneity_p([[(0, 5), (0, 9)]]) == 1.0
    assert homogeneity_p([[(3, 5)]]) == 1.0
    assert homogeneity_p([[(300, 500)]] * 2) == 1.0


def test_the_level_is_kept() -> None:
    """400 sets of wordings that do not differ: at most 5 % significant, within three standard errors."""
    rng = random.Random(5)
    alarms = 0
    for _ in range(400):
        groups = [(sum(rng.random() < 0.7 for _ in range(5)), 5) for _ in range(5)]
        alarms += homogeneity_p([groups]) <= 0.05
    assert alarms <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5


def test_the_published_power() -> None:
    """One wording of rate .3 among four of .95, 10 runs each: found in 96 % of cases."""
    rng = random.Random(6)
    rates = [0.3, 0.95, 0.95, 0.95, 0.95]
    found = sum(
        homogeneity_p([[(sum(rng.random() < p for _ in range(10)), 10) for p in rates]], resamples=999)
        <= 0.05
        for _ in range(150)
    )
    assert found / 150 == pytest.approx(0.96, abs=0.05)


def test_the_seed_decides() -> None:
    """The same seed gives the same p, another one a slightly different p."""
    groups = [(x, 20) for x in (18, 17, 13, 18, 19, 20, 17, 16, 15, 18)]
    assert homogeneity_p([groups]) == homogeneity_p([groups])
    assert homogeneity_p([groups], seed=1) != homogeneity_p([groups], seed=2)
    assert homogeneity_p([groups], seed=1) == pytest.approx(homogeneity_p([groups], seed=2), abs=0.03)


def test_the_smallest_sampled_p_is_not_0() -> None:
    """The observed table is one of the permutations."""
    assert homogeneity_p([[(20, 20)] * 10 + [(0, 20)] * 10], resamples=999) == 1 / 1000


def test_twenty_wordings_of_twenty_runs_are_fast() -> None:
    """Less than 50 ms once numpy is there; the best of three, since machines are busy."""
    pytest.importorskip("numpy.random")
    groups = [(x, 20) for x in (18, 17, 16, 12, 19, 20, 17, 16, 15, 18) * 2]
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        homogeneity_p([groups])
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05


@pytest.mark.parametrize("strata", [[], [[]], [[(0, 0), (1, 2)]], [[(3, 2), (1, 2)]], [[(-1, 2), (1, 2)]]])
def test_impossible_counts_are_refused(strata: list[list[tuple[int, int]]]) -> None:
    """No groups, groups without runs, more passes than runs."""
    with pytest.raises(ValueError, match=r"nothing to compare|impossible"):
        homogeneity_p(strata)


def test_no_resamples_are_refused() -> None:
    """Also where none would be needed."""
    with pytest.raises(ValueError, match="at least 1"):
        homogeneity_p([[(1, 2), (2, 2)]], resamples=0)
