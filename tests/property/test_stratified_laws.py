"""Laws of the exact stratified test."""

from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.stats.fisher import fisher_worse
from pytest_llmrel.stats.stratified import Stratum, null_distribution, stratified_p


def strata_of(most: int) -> st.SearchStrategy[Stratum]:
    """Counts of two samples of at most so many runs."""
    sample = st.integers(0, most).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
    return st.tuples(sample, sample).map(lambda pair: Stratum(*pair[0], *pair[1]))


@given(strata_of(300))
def test_one_stratum_is_fisher(stratum) -> None:
    """The same p-value."""
    assert stratified_p([stratum]) == pytest.approx(fisher_worse(*stratum), rel=1e-12)


@given(st.lists(strata_of(6), max_size=4))
def test_it_is_the_enumeration(strata) -> None:
    """All ways to choose the runs that passed, counted in integers."""
    total = sum(s.x1 for s in strata)
    hit = everything = 0
    for now in product(*(range(s.n1 + 1) for s in strata)):
        ways = 1
        for x, s in zip(now, strata, strict=True):
            before = s.x0 + s.x1 - x
            ways *= comb(s.n1, x) * comb(s.n0, before) if before >= 0 else 0
        everything += ways
        hit += ways * (sum(now) <= total)
    assert stratified_p(strata) == pytest.approx(hit / everything, rel=1e-12)


@given(st.lists(strata_of(40), max_size=12), st.randoms(use_true_random=False))
def test_the_order_does_not_matter(strata, random) -> None:
    """A sum is a sum."""
    shuffled = random.sample(strata, len(strata))
    assert stratified_p(shuffled) == pytest.approx(stratified_p(strata), rel=1e-10)


@given(st.lists(strata_of(40), max_size=8), st.integers(0, 40), st.integers(0, 40))
def test_a_stratum_without_choice_changes_nothing(strata, n0, n1) -> None:
    """All passed or none: no information on a change."""
    p = stratified_p(strata)
    assert stratified_p([*strata, Stratum(n0, n0, n1, n1)]) == pytest.approx(p, rel=1e-10)
    assert stratified_p([Stratum(0, n0, 0, n1), *strata]) == pytest.approx(p, rel=1e-10)


@given(st.lists(strata_of(40), max_size=8))
def test_a_distribution_ascends_to_1(strata) -> None:
    """Each p-value positive, none above 1, the last exactly 1, and the total within it."""
    null = null_distribution(strata)
    assert null.cumulative[0] > 0
    assert list(null.cumulative) == sorted(null.cumulative)
    assert null.cumulative[-1] == 1.0
    assert 0 <= sum(s.x1 for s in strata) - null.offset < len(null.cumulative)


@given(st.lists(strata_of(40), max_size=8), st.floats(0, 1))
def test_what_is_attainable_is_a_value_and_not_above(strata, p) -> None:
    """0 or one of the p-values, at most p (but for rounding), and each p-value attains itself."""
    null = null_distribution(strata)
    found = null.attainable(p)
    assert found in {0.0, *null.cumulative}
    assert found <= p * (1 + 1e-8)
    assert not any(found < value <= p for value in null.cumulative)
    assert all(null.attainable(value) >= value for value in null.cumulative)
