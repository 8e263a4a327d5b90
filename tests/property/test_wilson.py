"""Laws of the Wilson interval."""

from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.stats.intervals import wilson

counted = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counted)
def test_it_contains_the_observed_share_within_0_and_1(pair: tuple[int, int]) -> None:
    """0 <= low <= c/n <= high <= 1, and it is never a point."""
    passed, n = pair
    low, high = wilson(passed, n)
    assert 0 <= low <= passed / n <= high <= 1
    assert low < high


@given(counted)
def test_it_is_symmetric(pair: tuple[int, int]) -> None:
    """The interval of the failures is that of the passes, mirrored."""
    passed, n = pair
    low, high = wilson(passed, n)
    other_low, other_high = wilson(n - passed, n)
    assert isclose(low, 1 - other_high, abs_tol=1e-12)
    assert isclose(high, 1 - other_low, abs_tol=1e-12)


@given(counted)
def test_one_more_pass_moves_both_ends_up(pair: tuple[int, int]) -> None:
    """Monotone in the passes."""
    passed, n = pair
    low, high = wilson(passed, n)
    next_low, next_high = wilson(min(passed + 1, n), n)
    assert low <= next_low
    assert high <= next_high


@given(counted, st.integers(2, 20))
def test_the_same_share_of_more_runs_is_known_better(pair: tuple[int, int], times: int) -> None:
    """Narrower, and within the interval of fewer runs."""
    passed, n = pair
    low, high = wilson(passed, n)
    inner_low, inner_high = wilson(passed * times, n * times)
    assert low - 1e-12 <= inner_low
    assert inner_high <= high + 1e-12


@given(st.integers(1, 5_000))
def test_a_border_is_reached_exactly_where_it_was_observed(n: int) -> None:
    """The low end is 0 for no pass only, the high end 1 for passes only."""
    assert wilson(0, n)[0] == 0.0
    assert wilson(n, n)[1] == 1.0
    if n > 1:
        assert wilson(1, n)[0] > 0
        assert wilson(n - 1, n)[1] < 1
