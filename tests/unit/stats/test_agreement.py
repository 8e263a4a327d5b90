"""Agreement of a judge with people and itself: published tables, other ways to compute it, and coverage."""

from random import Random

import numpy as np
import pytest
from scipy import stats

from pytest_llmrel.stats.agreement import (
    Agreement,
    cohen_kappa,
    kappa_interval,
    within_variance,
    youden,
    youden_interval,
)


def drawn(rng: Random, n: int, prevalence: float, q1: float, q0: float) -> Agreement:
    """Items at random, of this prevalence, before a judge of this sensitivity and specificity."""
    cells = [0, 0, 0, 0]
    for _ in range(n):
        good = rng.random() < prevalence
        right = rng.random() < (q1 if good else q0)
        cells[(0 if right else 1) if good else (2 if right else 3)] += 1
    return Agreement(*cells)


@pytest.mark.parametrize(
    ("table", "kappa"), [(Agreement(40, 9, 45, 6), 0.70), (Agreement(80, 10, 5, 5), 0.32)]
)
def test_the_paradox_of_kappa(table: Agreement, kappa: float) -> None:
    """Two tables with the same agreement of .85 and kappas far apart: Feinstein and Cicchetti 1990, J. Clin. Epidemiol. 43, 543."""
    assert (table.tp + table.tn) / sum(table) == 0.85
    assert cohen_kappa(table) == pytest.approx(kappa, abs=0.005)


def test_kappa_by_hand() -> None:
    """Of 50 items 35 agree (.7), by chance half of them would: (.7 - .5) / (1 - .5) = .4, to the last digit."""
    assert cohen_kappa(Agreement(20, 5, 15, 10)) == 0.4


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        (Agreement(30, 0, 70, 0), 1.0),
        (Agreement(0, 50, 0, 50), -1.0),
        (Agreement(25, 25, 25, 25), 0.0),
        (Agreement(30, 0, 0, 70), 0.0),
    ],
)
def test_the_ends_of_kappa(table: Agreement, kappa: float) -> None:
    """Perfect agreement, perfect contradiction, coins, and a judge that passes everything."""
    assert cohen_kappa(table) == kappa


@pytest.mark.parametrize(
    "table", [Agreement(10, 0, 0, 0), Agreement(5, 5, 0, 0), Agreement(0, 0, 7, 1), Agreement(0, 0, 0, 0)]
)
def test_one_kind_of_items_tells_nothing(table: Agreement) -> None:
    """Where people passed all or none, every figure is undefined: neither 0 nor 1."""
    assert cohen_kappa(table) is None
    assert kappa_interval(table) is None
    assert youden(table) is None
    assert youden_interval(table) is None


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_of_j_is_the_published_one(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """Table II of Newcombe 1998, Stat. Med. 17, 873: differences of two proportions, method 10."""
    (passed, good), (missed, bad) = one, other
    found = youden_interval(Agreement(passed, good - passed, bad - missed, missed))
    assert found == pytest.approx((low, high), abs=5e-5)


def test_j_is_what_it_says() -> None:
    """Sensitivity .9 and specificity .8."""
    assert youden(Agreement(45, 5, 40, 10)) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("n", "prevalence", "q1", "q0"),
    [(100, 0.5, 0.9, 0.85), (100, 0.8, 0.95, 0.9), (100, 0.5, 0.99, 0.98), (200, 0.5, 0.7, 0.6)],
)
def test_the_interval_of_kappa_covers(n: int, prevalence: float, q1: float, q0: float) -> None:
    """In 91 to 98.5 of 100 samples it holds the true kappa, of nearly perfect judges, too."""
    observed = prevalence * q1 + (1 - prevalence) * q0
    passed = prevalence * q1 + (1 - prevalence) * (1 - q0)
    chance = prevalence * passed + (1 - prevalence) * (1 - passed)
    truth = (observed - chance) / (1 - chance)
    rng, hits, samples = Random(n), 0, 800
    for seed in range(samples):
        ends = kappa_interval(drawn(rng, n, prevalence, q1, q0), resamples=400, seed=seed)
        assert ends is not None
        hits += ends[0] <= truth <= ends[1]
    assert 0.91 < hits / samples < 0.985


def test_the_draws_are_those_of_a_dirichlet_distribution() -> None:
    """The interval is that of numpy's own draws, as far as two random samples can agree."""
    table = Agreement(45, 5, 40, 10)
    cells = np.random.default_rng(1).dirichlet(np.array(table) + 0.5, size=40_000)
    tp, fn, tn, fp = cells.T
    chance = (tp + fn) * (tp + fp) + (tn + fp) * (tn + fn)
    ends = np.quantile((tp + tn - chance) / (1 - chance), [0.025, 0.975])
    assert kappa_interval(table, resamples=20_000) == pytest.approx(tuple(ends), abs=0.006)


def test_no_mistake_so_far_is_no_certainty() -> None:
    """A judge that was right 40 times may still err; the upper end is what was observed."""
    low, high = kappa_interval(Agreement(20, 0, 20, 0)) or (1.0, 0.0)
    assert (0.7 < low < 0.97, high) == (True, 1.0)


def test_the_interval_of_kappa_is_the_same_every_time() -> None:
    """By its seed; another seed moves it by little."""
    table = Agreement(45, 5, 40, 10)
    assert kappa_interval(table) == kappa_interval(table)
    assert kappa_interval(table) != kappa_interval(table, seed=1)
    assert kappa_interval(table, seed=1) == pytest.approx(kappa_interval(table), abs=0.03)


def test_the_variance_of_one_verdict() -> None:
    """Half the share of pairs that differ is, on average, p(1 - p): three judgements each of items of rate .3."""
    rng = np.random.default_rng(0)
    x = rng.binomial(3, 0.3, size=50_000)
    differing = int((x * (3 - x)).sum())
    assert within_variance(150_000, differing) == pytest.approx(0.21, abs=0.002)
    pairs = stats.binom.expect(lambda k: k * (3 - k), args=(3, 0.3)) / 3
    assert pairs / 2 == pytest.approx(0.21)


def test_without_pairs_there_is_no_variance() -> None:
    """It is undefined; where none differs it is 0."""
    assert within_variance(0, 0) is None
    assert within_variance(9, 0) == 0.0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cohen_kappa(Agreement(-1, 1, 1, 1)), "negative"),
        (lambda: youden(Agreement(1, 1, 1, -1)), "negative"),
        (lambda: kappa_interval(Agreement(1, 1, 1, 1), resamples=0), "impossible"),
        (lambda: kappa_interval(Agreement(1, 1, 1, 1), confidence=1.0), "impossible"),
        (lambda: within_variance(1, 2), "impossible"),
        (lambda: within_variance(1, -1), "impossible"),
    ],
)
def test_what_is_impossible(call, said: str) -> None:
    """Is refused."""
    with pytest.raises(ValueError, match=said):
        call()
