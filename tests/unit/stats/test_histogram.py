"""Quantiles from buckets against those of the values themselves."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.stats.histogram import PRECISION, bucketed, bucketed_quantile
from pytest_llmrel.stats.quantiles import nearest_rank

seconds = st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=50)


@given(seconds, st.floats(0.01, 1))
def test_a_quantile_is_within_the_precision(values: list[float], share: float) -> None:
    """Of the one that the values have."""
    exact = nearest_rank(values, share)
    assert bucketed_quantile(bucketed(values), share) == pytest.approx(exact, rel=PRECISION * 1.001)


@given(seconds, seconds)
def test_buckets_add_up(one: list[float], other: list[float]) -> None:
    """Two samples together are the sum of their buckets."""
    assert Counter(bucketed(one)) + Counter(bucketed(other)) == Counter(bucketed(one + other))


def test_nothing_takes_no_time() -> None:
    """Zero seconds have a bucket, too."""
    assert bucketed_quantile(bucketed([0.0]), 1) == pytest.approx(1e-6, rel=0.1)


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0), ([1.0], 1.5)])
def test_there_is_no_such_quantile(values: list[float], share: float) -> None:
    """Of nothing, or out of range."""
    with pytest.raises(ValueError, match="no quantile"):
        bucketed_quantile(bucketed(values), share)
