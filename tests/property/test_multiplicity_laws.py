"""Laws of adjusted p-values."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.stats.multiplicity import benjamini_hochberg, holm, min_p
from pytest_llmrel.stats.stratified import Stratum, null_distribution

CLOSE = 1e-12


def _stratum(n0: int, n1: int, x0: int, x1: int) -> Stratum:
    return Stratum(min(x0, n0), n0, min(x1, n1), n1)


sizes = st.integers(0, 30)
suites = st.lists(st.builds(_stratum, sizes, sizes, sizes, sizes), max_size=12)
pvalues = st.lists(st.floats(0, 1), max_size=20)


def _tests(strata):
    nulls = [null_distribution([stratum]) for stratum in strata]
    return [null.p_value(stratum.x1) for null, stratum in zip(nulls, strata, strict=True)], nulls


@given(suites)
def test_min_p_lies_between_the_raw_value_and_holm(strata) -> None:
    """P <= min-p <= Holm: it uses what Holm does not know, and promises the same."""
    raw, nulls = _tests(strata)
    for p, ours, holms in zip(raw, min_p(raw, nulls), holm(raw), strict=True):
        assert p * (1 - 1e-9) <= ours <= holms * (1 + 1e-9)
        assert 0 <= ours <= 1


@given(suites, st.randoms(use_true_random=False))
def test_the_order_of_the_tests_does_not_matter(strata, random) -> None:
    """Each test keeps its values, wherever it stands."""
    raw, nulls = _tests(strata)
    places = random.sample(range(len(raw)), len(raw))
    moved = [raw[place] for place in places]
    for before, after in [
        (min_p(raw, nulls), min_p(moved, [nulls[place] for place in places])),
        (holm(raw), holm(moved)),
        (benjamini_hochberg(raw), benjamini_hochberg(moved)),
    ]:
        assert after == pytest.approx([before[place] for place in places], rel=1e-9)


@given(suites)
def test_the_order_of_the_values_is_kept(strata) -> None:
    """A smaller p-value has no larger adjusted one."""
    raw, nulls = _tests(strata)
    for adjusted in (min_p(raw, nulls), holm(raw), benjamini_hochberg(raw)):
        ascending = [adjusted[index] for index in sorted(range(len(raw)), key=raw.__getitem__)]
        assert all(a <= b + CLOSE for a, b in pairwise(ascending))


@given(suites, st.builds(_stratum, sizes, sizes, sizes, sizes))
def test_one_test_more_makes_no_least_value_smaller(strata, more) -> None:
    """Another test with an unremarkable result can only cost."""
    raw, nulls = _tests(strata)
    (p,), (null,) = _tests([more])
    if raw and p >= max(raw):
        longer = min_p([*raw, p], [*nulls, null])
        assert all(a <= b + CLOSE for a, b in zip(min_p(raw, nulls), longer, strict=False))


@given(pvalues)
def test_benjamini_hochberg_lies_between_the_raw_value_and_holm(raw) -> None:
    """P <= BH <= Holm <= 1."""
    for p, bh, holms in zip(raw, benjamini_hochberg(raw), holm(raw), strict=True):
        assert p - CLOSE <= bh <= holms + CLOSE
        assert holms <= 1
