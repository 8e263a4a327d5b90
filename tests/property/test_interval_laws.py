"""Laws of the exact and of the Bayesian interval."""

from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.stats.binomial import binomial_pmf
from pytest_llmrel.stats.intervals import clopper_pearson, jeffreys, lower_bound, upper_bound, wilson

counted = st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
confidences = st.floats(0.01, 0.999)
intervals = st.sampled_from([clopper_pearson, jeffreys])
CLOSE = 1e-10


@given(counted, confidences, intervals)
def test_it_lies_within_0_and_1_and_is_never_a_point(pair, confidence, interval) -> None:
    """0 <= low < high <= 1."""
    low, high = interval(*pair, confidence)
    assert 0 <= low < high <= 1


@given(counted, confidences)
def test_the_exact_interval_holds_the_observed_share(pair, confidence) -> None:
    """Whatever the confidence."""
    low, high = clopper_pearson(*pair, confidence)
    assert low <= pair[0] / pair[1] <= high


@given(counted, st.tuples(confidences, confidences).map(sorted), intervals)
def test_more_confidence_is_a_wider_interval(pair, both, interval) -> None:
    """Nested: that of the lower confidence lies in that of the higher."""
    low, high = interval(*pair, both[0])
    wider_low, wider_high = interval(*pair, both[1])
    assert wider_low <= low + CLOSE
    assert high <= wider_high + CLOSE


@given(counted, confidences, intervals)
def test_one_more_pass_moves_both_ends_up(pair, confidence, interval) -> None:
    """Monotone in the passes."""
    passed, n = pair
    low, high = interval(passed, n, confidence)
    next_low, next_high = interval(min(passed + 1, n), n, confidence)
    assert low <= next_low
    assert high <= next_high


@given(counted, confidences, intervals)
def test_it_is_symmetric(pair, confidence, interval) -> None:
    """The interval of the failures is that of the passes, mirrored."""
    passed, n = pair
    low, high = interval(passed, n, confidence)
    other_low, other_high = interval(n - passed, n, confidence)
    assert isclose(low, 1 - other_high, abs_tol=CLOSE)
    assert isclose(high, 1 - other_low, abs_tol=CLOSE)


@given(counted, st.floats(0.5, 0.99))
def test_the_bounds_are_the_ends_of_an_interval_with_half_the_tails(pair, confidence) -> None:
    """One-sided at 95 % is two-sided at 90 %."""
    low, high = clopper_pearson(*pair, 2 * confidence - 1 or 1e-9)
    assert isclose(lower_bound(*pair, confidence), low, rel_tol=1e-6, abs_tol=CLOSE)
    assert isclose(upper_bound(*pair, confidence), high, rel_tol=1e-6, abs_tol=CLOSE)


@given(counted)
def test_the_exact_interval_is_wider_than_that_of_jeffreys(pair) -> None:
    """Being sure costs width, in both directions (Brown, Cai and DasGupta 2001)."""
    low, high = clopper_pearson(*pair)
    inner_low, inner_high = jeffreys(*pair)
    assert low <= inner_low
    assert inner_high <= high
    assert wilson(*pair)[1] > low


@given(st.integers(1, 60), st.sampled_from([0.5, 0.8, 0.95, 0.99]), st.floats(0, 1))
def test_the_exact_ones_cover_at_least_as_often_as_they_say(n, confidence, rate) -> None:
    """The chance that the interval, or the bound, holds the true rate: all outcomes counted."""
    both = above = below = 0.0
    for passed, chance in enumerate(binomial_pmf(n, rate)):
        low, high = clopper_pearson(passed, n, confidence)
        both += chance * (low <= rate <= high)
        above += chance * (lower_bound(passed, n, confidence) <= rate)
        below += chance * (rate <= upper_bound(passed, n, confidence))
    assert min(both, above, below) >= confidence - 1e-9
