"""Laws of the permutation test of one common rate."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmrel.stats.homogeneity import homogeneity_p

group = st.integers(1, 6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
one_stratum = st.lists(group, min_size=1, max_size=5)
strata = st.lists(one_stratum, min_size=1, max_size=3)
FEW = 199
"""Resamples; enough for laws."""


@given(strata)
def test_it_is_a_p_value(cases: list[list[tuple[int, int]]]) -> None:
    """Within (0, 1]; never 0, since what was observed can happen."""
    assert 0 < homogeneity_p(cases, resamples=FEW) <= 1


@given(one_stratum, st.randoms(use_true_random=False))
def test_the_order_of_the_groups_does_not_matter(groups: list[tuple[int, int]], rng: object) -> None:
    """The exact p is the same to the last digit."""
    shuffled = groups.copy()
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert homogeneity_p([shuffled]) == homogeneity_p([groups])


@given(one_stratum)
def test_pass_and_fail_are_only_labels(groups: list[tuple[int, int]]) -> None:
    """With failures counted instead the exact p is the same to the last digit."""
    assert homogeneity_p([[(n - x, n) for x, n in groups]]) == homogeneity_p([groups])


@given(strata)
def test_cases_without_variation_say_nothing(cases: list[list[tuple[int, int]]]) -> None:
    """Adding a case that always passes or always fails leaves p as it is."""
    alone = homogeneity_p(cases, resamples=FEW)
    assert homogeneity_p([[(4, 4)] * 3, *cases, [(0, 2)] * 2], resamples=FEW) == alone


@given(st.integers(2, 5), st.integers(1, 5), st.data())
def test_the_least_spread_of_all_has_p_1(count: int, runs: int, data: st.DataObject) -> None:
    """Groups of the same rate: every permutation spreads at least as much."""
    passed = data.draw(st.integers(0, runs))
    assert homogeneity_p([[(passed, runs)] * count]) == 1


@settings(max_examples=40)
@given(st.lists(group, min_size=2, max_size=4))
def test_p_is_the_chance_of_the_tables_at_least_as_apart(groups: list[tuple[int, int]]) -> None:
    """Under permutation P(p <= a) <= a: the exact p of a table is at least its own chance, and they sum up."""
    from itertools import product
    from math import comb, prod

    sizes, total = [n for _, n in groups], sum(x for x, _ in groups)
    tables = [t for t in product(*(range(n + 1) for n in sizes)) if sum(t) == total]
    chances = {
        t: prod(comb(n, x) for x, n in zip(t, sizes, strict=True)) / comb(sum(sizes), total) for t in tables
    }
    values = {t: homogeneity_p([list(zip(t, sizes, strict=True))]) for t in tables}
    for level in set(values.values()):
        reached = sum(chance for t, chance in chances.items() if values[t] <= level)
        assert reached == pytest.approx(level, rel=1e-9)
