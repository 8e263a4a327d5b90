"""The noise-corrected spread against the worked example, enumeration, simulation and hand computation."""

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate, product
from math import comb, prod
from statistics import fmean
from typing import Any

import pytest

from pytest_llmrel.stats.between import (
    between_sd,
    between_variance,
    design_effect,
    expected_spread,
    intraclass_correlation,
    worst_group,
)
from pytest_llmrel.stats.binomial import binomial_pmf

EXAMPLE = [(5, 5), (5, 5), (4, 5), (1, 5), (5, 5)]


def test_the_worked_example(shared_data: Callable[[str], Any]) -> None:
    """Every figure of the shared example that is about spread."""
    row = shared_data("stat_oracles.json")["paraphrase_example"]
    groups = [(passed, row["r"]) for passed in row["counts"]]
    assert between_variance(groups) == pytest.approx(row["sigma2_b"], rel=1e-12)
    assert between_sd([groups]) == pytest.approx(row["sigma_b"], rel=1e-12)
    assert intraclass_correlation(groups) == pytest.approx(row["icc"], rel=1e-12)
    assert expected_spread(groups) == pytest.approx(row["expected_spread_under_noise"], rel=1e-9)


def test_the_worked_example_by_hand() -> None:
    """MSB = .6 and MSW = .08, so the variance is .104 and the correlation .52 / .92."""
    assert between_variance(EXAMPLE) == pytest.approx((0.6 - 0.08) / 5)
    assert intraclass_correlation(EXAMPLE) == pytest.approx(0.52 / 0.92)
    assert design_effect(EXAMPLE) == pytest.approx(1 + 4 * 0.52 / 0.92)


def test_unequal_groups_by_hand() -> None:
    """2 of 2 and 1 of 4: r0 = 6 - 20/6, MSB = 2 (1/2)^2 + 4 (1/4)^2, MSW = 4 (1/4)(3/4) / 4."""
    groups = [(2, 2), (1, 4)]
    size = 6 - Fraction(20, 6)
    variance = (Fraction(3, 4) - Fraction(3, 16)) / size
    assert between_variance(groups) == pytest.approx(float(variance))
    assert between_variance(groups) == pytest.approx(27 / 128)


def test_noise_alone_gives_negative_variances() -> None:
    """Equal rates are less than noise; the estimate says so, and the standard deviation is then 0."""
    groups = [(3, 5)] * 4
    assert between_variance(groups) < 0
    assert between_sd([groups]) == 0
    assert intraclass_correlation(groups) < 0
    assert 0 <= design_effect(groups) < 1


def test_no_variation_has_no_correlation() -> None:
    """All passed, or all failed: the correlation is 0/0, not 0."""
    for groups in ([(5, 5)] * 3, [(0, 4), (0, 7)]):
        assert between_variance(groups) == 0
        assert intraclass_correlation(groups) is None
        assert design_effect(groups) is None


def test_complete_separation() -> None:
    """Some wordings always pass, the others never: correlation 1, and as many calls as a group has count as one."""
    groups = [(0, 4), (4, 4), (4, 4), (0, 4)]
    assert intraclass_correlation(groups) == pytest.approx(1)
    assert design_effect(groups) == pytest.approx(4)
    assert between_sd([[(0, 4), (4, 4)]]) == pytest.approx(0.5**0.5)


def test_cases_are_averaged_before_the_root() -> None:
    """A negative variance of one case takes off from the others; cutting it off first would bias."""
    quiet = [(3, 5)] * 4
    both = (between_variance(EXAMPLE) + between_variance(quiet)) / 2
    assert between_sd([EXAMPLE, quiet]) == pytest.approx(both**0.5)
    assert between_sd([EXAMPLE, quiet]) < (between_variance(EXAMPLE) / 2) ** 0.5


@pytest.mark.parametrize(
    "groups", [EXAMPLE, [(2, 3), (1, 2)], [(3, 4), (0, 2), (2, 2)], [(0, 1), (1, 1), (2, 3)], [(2, 6)] * 3]
)
def test_the_expected_spread_is_the_mean_of_all_permutations(groups: list[tuple[int, int]]) -> None:
    """Every table with the same totals, weighted by the number of ways to get it."""
    total, sizes = sum(x for x, _ in groups), [n for _, n in groups]
    spread = Fraction(0)
    for table in product(*(range(n + 1) for n in sizes)):
        if sum(table) == total:
            rates = [Fraction(x, n) for x, n in zip(table, sizes, strict=True)]
            ways = prod(comb(n, x) for x, n in zip(table, sizes, strict=True))
            spread += ways * (max(rates) - min(rates))
    assert expected_spread(groups) == pytest.approx(float(spread / comb(sum(sizes), total)), rel=1e-12)


@pytest.mark.parametrize(
    ("p", "count", "runs", "noise"),
    [(0.8, 5, 3, 0.46), (0.8, 5, 5, 0.38), (0.8, 10, 20, 0.27), (0.95, 5, 10, 0.13), (0.5, 10, 3, 0.82)],
)
def test_the_published_noise_floor(p: float, count: int, runs: int, noise: float) -> None:
    """Over all totals that one common rate gives, the mean is that of independent binomial counts."""
    mean = 0.0
    for total, chance in enumerate(binomial_pmf(count * runs, p)):
        dealt = [(min(runs, max(0, total - j * runs)), runs) for j in range(count)]
        mean += chance * expected_spread(dealt)
    up_to = list(accumulate(binomial_pmf(runs, p)))[:-1]
    highest = sum(1 - chance**count for chance in up_to) / runs
    lowest = sum((1 - chance) ** count for chance in up_to) / runs
    assert mean == pytest.approx(highest - lowest, abs=1e-9)
    assert mean == pytest.approx(noise, abs=0.008)


def test_without_variation_no_spread_is_expected() -> None:
    """All passed or all failed: exactly 0, also for unequal groups."""
    assert expected_spread([(5, 5), (3, 3)]) == pytest.approx(0, abs=1e-12)
    assert expected_spread([(0, 5), (0, 3)]) == pytest.approx(0, abs=1e-12)


def test_the_worst_wording_by_hand() -> None:
    """M = .16 / .104 - 1 pulls 1 of 5 up to (.8 M + 1) / (M + 5)."""
    pull = 0.8 * 0.2 / 0.104 - 1
    index, rate = worst_group(EXAMPLE)
    assert index == 3
    assert rate == pytest.approx((0.8 * pull + 1) / (pull + 5))
    assert 1 / 5 < rate < 4 / 5


def test_the_worst_wording_where_spread_is_noise() -> None:
    """Everything is drawn to the common rate; the lowest observed one is still named."""
    assert worst_group([(4, 5), (3, 5), (4, 5), (4, 5)]) == (1, pytest.approx(15 / 20))
    assert worst_group([(5, 5), (5, 5)]) == (0, 1.0)
    assert worst_group([(0, 5), (0, 7)]) == (0, 0.0)


def test_the_worst_wording_where_spread_is_as_large_as_can_be() -> None:
    """Nothing is drawn anywhere: the observed rate is believed."""
    assert worst_group([(5, 5), (0, 5)]) == (1, 0.0)


def test_the_worst_wording_is_not_the_one_of_fewest_runs() -> None:
    """1 of 2 says less than 11 of 20 among wordings that pass: the shrunken rates decide."""
    groups = [(20, 20), (19, 20), (1, 2), (11, 20), (20, 20), (18, 20), (20, 20)]
    assert worst_group(groups)[0] == 3


def test_the_variance_is_unbiased() -> None:
    """Over all outcomes of groups with true rates .5, .7 and .9 the mean is their variance, .04."""
    rates, runs = [0.5, 0.7, 0.9], 4
    pmfs = [binomial_pmf(runs, p) for p in rates]
    mean = sum(
        prod(pmf[x] for pmf, x in zip(pmfs, table, strict=True))
        * between_variance([(x, runs) for x in table])
        for table in product(range(runs + 1), repeat=3)
    )
    assert mean == pytest.approx(0.04, abs=1e-12)


@pytest.mark.parametrize(
    ("groups", "word"),
    [
        ([], "at least 2"),
        ([(3, 5)], "at least 2"),
        ([(1, 1), (3, 5)], "at least 2"),
        ([(6, 5), (1, 5)], "impossible"),
    ],
)
@pytest.mark.parametrize("function", [between_variance, intraclass_correlation, design_effect, worst_group])
def test_what_has_no_spread_is_refused(
    function: Callable[[list[tuple[int, int]]], object], groups: list[tuple[int, int]], word: str
) -> None:
    """One group, or a group of one run: the noise cannot be told from the spread."""
    with pytest.raises(ValueError, match=word):
        function(groups)


def test_the_expected_spread_needs_groups_of_at_least_one_run() -> None:
    """One run each is enough for it, none is not."""
    assert expected_spread([(1, 1), (0, 1)]) == pytest.approx(1)
    for groups in ([(1, 2)], [(0, 0), (1, 2)], [(3, 2), (1, 2)]):
        with pytest.raises(ValueError, match=r"at least|impossible"):
            expected_spread(groups)


def test_no_cases_are_refused() -> None:
    """The mean over nothing is not 0."""
    with pytest.raises(ValueError, match="no spread"):
        between_sd([])


def test_tau_bench(shared_data: Callable[[str], Any]) -> None:
    """Real runs: correlation .40, so that 4 runs of a task are worth less than 2."""
    passes: defaultdict[str, list[bool]] = defaultdict(list)
    for row in shared_data("tau_trials.csv"):
        passes[row["task_id"]].append(float(row["reward"]) == 1)
    groups = [(sum(runs), len(runs)) for runs in passes.values()]
    assert intraclass_correlation(groups) == pytest.approx(0.40, abs=0.005)
    assert design_effect(groups) == pytest.approx(2.2, abs=0.05)
    assert fmean(x / n for x, n in groups) == pytest.approx(0.42)
