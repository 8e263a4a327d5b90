"""Bets on scores: few false alarms for any distribution at any stopping time, and power where there is a drop."""

import random
from collections.abc import Callable
from itertools import product
from math import isfinite, prod

import pytest

from pytest_llmrel.stats.betting import evidence_above, evidence_below

Draw = Callable[[random.Random], float]
FAIR: list[tuple[str, float, Draw]] = [
    ("coin", 0.9, lambda rng: float(rng.random() < 0.9)),
    ("coin, low bar", 0.3, lambda rng: float(rng.random() < 0.3)),
    ("constant", 0.8, lambda _: 0.8),
    ("beta", 0.8, lambda rng: rng.betavariate(8, 2)),
    ("rare disaster", 0.95, lambda rng: 0.0 if rng.random() < 0.05 else 1.0),
    ("rare triumph", 0.1, lambda rng: 1.0 if rng.random() < 0.1 else 0.0),
    ("three values", 0.5, lambda rng: rng.choice([0.0, 0.5, 1.0])),
    ("mild skew", 0.7, lambda rng: 0.4 if rng.random() < 0.5 else 1.0),
]


@pytest.mark.parametrize(("name", "bar", "draw"), FAIR)
def test_false_alarms_at_any_stopping_time(name: str, bar: float, draw: Draw) -> None:
    """The true mean is the bar; looking after each of 100 scores, 1500 times: at most 5 % in each direction."""
    rng = random.Random(name)
    below = above = 0
    for _ in range(1500):
        scores = [draw(rng) for _ in range(100)]
        below += evidence_below(scores, bar) >= 20
        above += evidence_above(scores, bar) >= 20
    assert below / 1500 <= 0.05 + 3 * (0.05 * 0.95 / 1500) ** 0.5
    assert above / 1500 <= 0.05 + 3 * (0.05 * 0.95 / 1500) ** 0.5


@pytest.mark.parametrize("bar", [0.25, 0.5, 0.9])
def test_false_alarms_exactly(bar: float) -> None:
    """All sequences of 12 coins at the bar: the chance that the evidence ever reaches 1/a is at most a."""
    reached = {outcome: evidence_below(outcome, bar) for outcome in product((0.0, 1.0), repeat=12)}
    for level in (0.5, 0.2, 0.1, 0.05, 0.01):
        chance = sum(
            prod(bar if score else 1 - bar for score in outcome)
            for outcome, value in reached.items()
            if value >= 1 / level
        )
        assert chance <= level


def test_dependent_scores_are_no_loophole() -> None:
    """Scores that react to those before, with mean at the bar given the past, cannot win either."""
    rng = random.Random(9)
    alarms = 0
    for _ in range(1500):
        scores = [0.5]
        for _ in range(80):
            width = 0.5 if scores[-1] < 0.5 else 0.1
            scores.append(0.5 + rng.choice([-width, width]))
        alarms += evidence_below(scores, 0.5) >= 20
    assert alarms / 1500 <= 0.05 + 3 * (0.05 * 0.95 / 1500) ** 0.5


@pytest.mark.parametrize(
    ("bar", "draw", "runs", "power"),
    [
        (0.9, lambda rng: rng.betavariate(7, 3), 20, 0.95),
        (0.9, lambda rng: float(rng.random() < 0.7), 50, 0.75),
        (0.8, lambda rng: rng.betavariate(6, 4), 20, 0.95),
        (0.8, lambda rng: rng.betavariate(7, 3), 50, 0.95),
        (0.5, lambda rng: rng.betavariate(3, 7), 20, 0.9),
    ],
)
def test_a_drop_is_found(bar: float, draw: Draw, runs: int, power: float) -> None:
    """Means 10 to 20 points below the bar give evidence of 20 in most repetitions."""
    rng = random.Random(11)
    found = sum(evidence_below([draw(rng) for _ in range(runs)], bar) >= 20 for _ in range(300))
    assert found / 300 >= power


def test_graded_scores_say_more_than_their_verdicts() -> None:
    """Fifteen scores of .7 show a mean below .9; the coin that lands with .7 does not yet."""
    assert evidence_below([0.7] * 15, 0.9) > 1000
    assert evidence_below([0.7] * 15, 0.7) == 1


def test_above_is_below_seen_from_the_other_end() -> None:
    """Scores and their complements."""
    scores = [0.9, 1.0, 0.7, 1.0, 0.95]
    assert evidence_above(scores, 0.5) == pytest.approx(evidence_below([1 - s for s in scores], 0.5))
    assert evidence_above([1.0] * 8, 0.5) > 20
    assert evidence_below([1.0] * 8, 0.5) == 1


def test_evidence_never_shrinks() -> None:
    """More scores can add to it; what was shown stays shown, as one may have stopped there."""
    scores = [0.1, 0.2, 0.0, 1.0, 1.0, 1.0, 0.1, 1.0, 1.0]
    values = [evidence_below(scores[:n], 0.7) for n in range(len(scores) + 1)]
    assert values == sorted(values)
    assert values[3] == values[6]


def test_no_scores_are_no_evidence() -> None:
    """1 is where every bet begins."""
    assert evidence_below([], 0.5) == evidence_above([], 0.5) == 1


def test_the_first_bet_by_hand() -> None:
    """One score of 0 below a bar of .5: the stakes average 1, so the capital is 1 + .5."""
    assert evidence_below([0.0], 0.5) == pytest.approx(1.5)
    assert evidence_below([1.0, 0.0], 0.5) == 1


def test_endless_evidence_stays_a_number() -> None:
    """A thousand disasters below a high bar: huge, but finite, and later scores do no harm."""
    assert isfinite(evidence_below([0.0] * 1000 + [1.0] * 1000, 0.999))
    assert evidence_below([0.0] * 1000, 0.999) > 1e300


@pytest.mark.parametrize("function", [evidence_below, evidence_above])
@pytest.mark.parametrize(
    ("scores", "bar"),
    [
        ([1.1], 0.5),
        ([-0.1], 0.5),
        ([float("nan")], 0.5),
        ([float("inf")], 0.5),
        ([0.5], 0.0),
        ([0.5], 1.0),
        ([], 1.5),
        ([], float("nan")),
    ],
)
def test_what_cannot_be_bet_on_is_refused(
    function: Callable[[list[float], float], float], scores: list[float], bar: float
) -> None:
    """Scores outside 0..1 break the guarantee; a bar of 0 or 1 leaves one side without a bet."""
    with pytest.raises(ValueError, match="0"):
        function(scores, bar)
