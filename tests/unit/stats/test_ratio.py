"""The ratio of two means: Fieller's interval against the t test that defines it, simulation and invariances."""

import math
from array import array
from collections.abc import Callable, Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from pytest_llmrel.stats import ratio as ratio_module
from pytest_llmrel.stats.ratio import Ratio, ratio_interval

costs = st.lists(st.floats(1e-7, 1.0), min_size=3, max_size=30)


def t_of(numerators: list[float], denominators: list[float], ratio: float) -> float:
    """Student's t of the hypothesis that this is the ratio, by numpy."""
    rest = np.array(numerators) - ratio * np.array(denominators)
    return float(abs(rest.mean()) / (rest.std(ddof=1) / math.sqrt(len(rest))))


def sample(rng: Random, n: int, rate: float = 0.8) -> tuple[list[float], list[float]]:
    """Costs of runs that do not depend on whether they pass, and passes."""
    return [rng.lognormvariate(-7, 0.6) for _ in range(n)], [float(rng.random() < rate) for _ in range(n)]


@pytest.mark.parametrize("n", [6, 10, 50, 500])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_ends_are_where_the_test_begins_to_reject(n: int, confidence: float) -> None:
    """At both ends the t statistic is the quantile of scipy; within them it is less."""
    numerators, denominators = sample(Random(n), n, rate=0.9)
    found = ratio_interval(numerators, denominators, confidence)
    quantile = stats.t.ppf((1 + confidence) / 2, n - 1)
    assert found.low is not None
    assert found.high is not None
    assert t_of(numerators, denominators, found.low) == pytest.approx(quantile, rel=1e-7)
    assert t_of(numerators, denominators, found.high) == pytest.approx(quantile, rel=1e-7)
    assert found.low < found.point < found.high


@pytest.mark.parametrize("n", [3, 10, 50])
def test_another_way_to_the_ends(n: int) -> None:
    """The roots that scipy finds of the t statistic less its quantile, on either side of the point."""
    numerators, denominators = sample(Random(n), n, rate=0.95)
    found = ratio_interval(numerators, denominators)
    quantile = stats.t.ppf(0.975, n - 1)

    def excess(ratio: float) -> float:
        return t_of(numerators, denominators, ratio) - quantile

    assert found.low is not None
    assert found.high is not None
    above = optimize.brentq(excess, found.point, found.point * 50, xtol=1e-15)
    assert found.high == pytest.approx(above, rel=1e-8)
    below = optimize.brentq(excess, -found.point * 50, found.point, xtol=1e-15)
    assert found.low == pytest.approx(max(0.0, below), rel=1e-8)


@pytest.mark.parametrize(("n", "samples"), [(10, 20_000), (50, 4_000)])
def test_the_interval_holds_the_truth(n: int, samples: int) -> None:
    """In 92 to 98 of 100 samples, so many that luck decides nothing; hardly one has no interval."""
    truth = math.exp(-7 + 0.18) / 0.8
    rng = Random(n)
    drawn = [sample(rng, n) for _ in range(samples)]
    found = [ratio_interval(*pair) for pair in drawn if any(pair[1])]
    bounded = [(ratio.low, ratio.high) for ratio in found if ratio.low is not None and ratio.high is not None]
    hits = sum(low <= truth <= high for low, high in bounded)
    assert len(bounded) > 0.99 * samples
    assert 0.92 < hits / len(bounded) < 0.98


@given(costs, st.floats(1e-6, 1e6))
def test_money_of_another_country(values: list[float], rate: float) -> None:
    """All costs times a factor give the interval times that factor."""
    passes = [1.0] * (len(values) - 1) + [0.0]
    here, there = ratio_interval(values, passes), ratio_interval([value * rate for value in values], passes)
    assert there.point == pytest.approx(here.point * rate)
    assert (here.high is None) == (there.high is None)
    if here.high is not None and here.low is not None:
        assert there.high == pytest.approx(here.high * rate, rel=1e-6)
        assert there.low == pytest.approx(here.low * rate, rel=1e-6, abs=1e-9 * here.point * rate)


@given(costs, st.randoms(use_true_random=False))
def test_the_order_is_no_matter(values: list[float], rng: Random) -> None:
    """Pairs in any order give the same, to the last digits."""
    pairs = [(value, float(place % 3 > 0)) for place, value in enumerate(values)]
    shuffled = rng.sample(pairs, len(pairs))
    one, other = ratio_interval(*zip(*pairs, strict=True)), ratio_interval(*zip(*shuffled, strict=True))
    assert one.point == pytest.approx(other.point, rel=1e-12)
    assert one.high == (None if other.high is None else pytest.approx(other.high, rel=1e-9))


@pytest.mark.parametrize("cost", [0.0, 1e-7, 0.1, 1e-320, 1e308])
@pytest.mark.parametrize("n", [2, 3, 7, 10])
def test_nothing_varies(n: int, cost: float) -> None:
    """Equal costs, all passed: the interval is the point, to the last digit; what is free costs 0."""
    assert ratio_interval([cost] * n, [1.0] * n) == Ratio(cost, cost, cost, n)


@given(costs)
def test_the_point_is_within(values: list[float]) -> None:
    """Rounding does not move an end to the other side, even where costs are nearly the same."""
    found = ratio_interval([1 + value * 1e-15 for value in values], [1.0] * len(values))
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.point <= found.high


@pytest.mark.parametrize("power", [-1000, -560, -30, 500])
def test_the_smallest_sums_keep_their_digits(power: int) -> None:
    """Costs whose squares are no floats have the interval of others times a power of two, exactly."""
    values, passes = [1.0, 2.0, 1.5, 3.0], [1.0, 1.0, 1.0, 0.99]
    here = ratio_interval(values, passes)
    there = ratio_interval([math.ldexp(value, power) for value in values], passes)
    assert here.low is not None
    assert here.high is not None
    assert (there.point, there.low, there.high) == tuple(
        math.ldexp(value, power) for value in (here.point, here.low, here.high)
    )


def test_a_negative_side_has_no_floor() -> None:
    """Refunds may make the lower end negative; costs alone do not."""
    passes = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0]
    refunded = ratio_interval([0.01, -0.02, 0.05, 0.0, 0.01, 0.0], passes)
    paid = ratio_interval([0.01, 0.0, 0.05, 0.0, 0.01, 0.0], passes)
    assert refunded.low is not None
    assert refunded.low < 0
    assert paid.low == 0.0


@pytest.mark.parametrize("kind", [list, tuple, lambda values: array("d", values)])
def test_numpy_comes_to_the_same(
    kind: Callable[[list[float]], Sequence[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From many units on it does the sums, of whatever sequence they are in."""
    numerators, denominators = map(kind, sample(Random(1), 2000))
    here = ratio_interval(numerators, denominators)
    monkeypatch.setattr(ratio_module, "_LARGE", 100)
    there = ratio_interval(numerators, denominators)
    assert (there.point, there.low, there.high) == pytest.approx((here.point, here.low, here.high), rel=1e-12)


def test_few_passes_leave_it_open() -> None:
    """One pass of five says that the rate may be next to nothing, and the ratio without end."""
    found = ratio_interval([1.0] * 5, [1.0, 0, 0, 0, 0])
    assert (found.point, found.low, found.high, found.n) == (5.0, None, None, 5)


def test_one_unit_has_no_interval() -> None:
    """There is nothing to see of how units differ."""
    assert ratio_interval([1.0], [2.0]) == Ratio(0.5, None, None, 1)


@pytest.mark.parametrize(
    ("numerators", "denominators", "confidence", "said"),
    [
        ([], [], 0.95, "at least|a unit"),
        ([1.0], [1.0, 2.0], 0.95, "a unit"),
        ([math.nan], [1.0], 0.95, "finite"),
        ([1.0], [math.inf], 0.95, "finite"),
        ([1.0, 2.0], [0.0, 0.0], 0.95, "add up to 0"),
        ([1.0, 2.0, 3.0], [3.0, -1.0, -2.0], 0.95, "add up to 0"),
        ([1.0, 2.0], [1e-320, 1e-320], 0.95, "too large"),
        ([1.0, 2.0], [1.0, 1.0], 0.0, "no confidence"),
        ([1.0, 2.0], [1.0, 1.0], 1.0, "no confidence"),
    ],
)
def test_what_has_no_ratio(
    numerators: list[float], denominators: list[float], confidence: float, said: str
) -> None:
    """Is refused, and never 0."""
    with pytest.raises(ValueError, match=said):
        ratio_interval(numerators, denominators, confidence)
