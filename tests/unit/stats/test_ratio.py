"""The ratio of two means: Fieller's interval against the t test that defines it, simulation and invariances."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_llmrel.stats.ratio import ratio_interval

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


@pytest.mark.parametrize("n", [10, 50])
def test_the_interval_holds_the_truth(n: int) -> None:
    """In 95 of 100 samples, give or take what 1000 of them leave open; those without an interval apart."""
    truth = math.exp(-7 + 0.18) / 0.8
    found = [
        ratio_interval(*sample(Random(seed), n)) for seed in range(1000) if any(sample(Random(seed), n)[1])
    ]
    bounded = [ratio for ratio in found if ratio.low is not None and ratio.high is not None]
    hits = sum(ratio.low <= truth <= ratio.high for ratio in bounded)  # type: ignore[operator]
    assert len(bounded) > 950
    assert 0.91 < hits / len(bounded) < 0.98


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


def test_nothing_varies() -> None:
    """Equal costs, all passed: the interval is the point."""
    found = ratio_interval([2e-7] * 10, [1.0] * 10)
    assert (found.point, found.low, found.high) == pytest.approx((2e-7, 2e-7, 2e-7))


def test_few_passes_leave_it_open() -> None:
    """One pass of five says that the rate may be next to nothing, and the ratio without end."""
    found = ratio_interval([1.0] * 5, [1.0, 0, 0, 0, 0])
    assert (found.point, found.low, found.high, found.n) == (5.0, None, None, 5)


def test_one_unit_has_no_interval() -> None:
    """There is nothing to see of how units differ."""
    assert ratio_interval([1.0], [2.0]).high is None


@pytest.mark.parametrize(
    ("numerators", "denominators", "confidence", "said"),
    [
        ([], [], 0.95, "at least|a unit"),
        ([1.0], [1.0, 2.0], 0.95, "a unit"),
        ([math.nan], [1.0], 0.95, "finite"),
        ([1.0], [math.inf], 0.95, "finite"),
        ([1.0, 2.0], [0.0, 0.0], 0.95, "add up to 0"),
        ([1.0, 2.0], [1.0, 1.0], 1.0, "no confidence"),
    ],
)
def test_what_has_no_ratio(
    numerators: list[float], denominators: list[float], confidence: float, said: str
) -> None:
    """Is refused, and never 0."""
    with pytest.raises(ValueError, match=said):
        ratio_interval(numerators, denominators, confidence)
