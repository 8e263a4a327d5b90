"""Evidence for a lower pass rate: few false alarms whenever one stops, and power where there is a difference."""

import random
from itertools import product

import pytest

from pytest_llmrel.stats.lower import evidence_lower


def chance_of_reaching(level: float, p0: float, p1: float, runs: int, turns: str) -> float:
    """Exact chance that the evidence ever reaches 1/level, if the two are run in this order, again and again."""
    states, reached = {(0, 0, 0, 0): 1.0}, 0.0
    for turn in range(runs):
        second = turns[turn % len(turns)] == "1"
        following: dict[tuple[int, int, int, int], float] = {}
        for (x0, n0, x1, n1), chance in states.items():
            for passed, p in ((1, p1 if second else p0), (0, 1 - (p1 if second else p0))):
                state = (x0, n0, x1 + passed, n1 + 1) if second else (x0 + passed, n0 + 1, x1, n1)
                if evidence_lower(*state) >= 1 / level:
                    reached += chance * p
                else:
                    following[state] = following.get(state, 0.0) + chance * p
        states = following
    return reached


@pytest.mark.parametrize("level", [0.2, 0.05, 0.01])
@pytest.mark.parametrize("p", [0.3, 0.5, 0.8, 0.9, 0.95, 1.0])
@pytest.mark.parametrize("turns", ["01", "0001", "00000000000001"])
def test_false_alarms_exactly(level: float, p: float, turns: str) -> None:
    """Both pass at the same rate; looking after each of 40 runs, the level is kept."""
    assert chance_of_reaching(level, p, p, 40, turns) <= level


@pytest.mark.parametrize(("p0", "p1"), [(0.8, 0.9), (0.5, 1.0), (0.0, 0.1)])
def test_a_better_second_rate_alarms_even_less(p0: float, p1: float) -> None:
    """The claim is about lower rates only."""
    assert chance_of_reaching(0.05, p0, p1, 40, "01") <= 0.05


def test_choosing_what_to_run_next_is_no_loophole() -> None:
    """Whoever runs the second one while it fails, and the first one else, gains nothing: 2000 tries."""
    rng, alarms = random.Random(3), 0
    for _ in range(2000):
        x0 = n0 = x1 = n1 = 0
        last_failed = False
        while n0 + n1 < 60:
            passed = rng.random() < 0.7
            if last_failed or n1 < n0:
                x1, n1, last_failed = x1 + passed, n1 + 1, not passed
            else:
                x0, n0 = x0 + passed, n0 + 1
            if evidence_lower(x0, n0, x1, n1) >= 20:
                alarms += 1
                break
    assert alarms / 2000 <= 0.05


@pytest.mark.parametrize(
    ("counts", "least"),
    [((20, 20, 0, 3), 800), ((20, 20, 0, 4), 5000), ((19, 20, 0, 4), 800), ((25, 26, 2, 10), 10_000)],
)
def test_a_wording_that_breaks_is_soon_evident(counts: tuple[int, int, int, int], least: float) -> None:
    """A few failures beside twenty passes are evidence against sixty candidates at 5 %."""
    assert evidence_lower(*counts) >= least


@pytest.mark.parametrize("counts", list(product([0, 3, 7], [7], [3, 7], [7])))
def test_no_evidence_unless_the_share_is_lower(counts: tuple[int, int, int, int]) -> None:
    """Equal or higher shares give at most 1."""
    x0, n0, x1, n1 = counts
    if x1 * n0 >= x0 * n1:
        assert evidence_lower(*counts) <= 1


def test_nothing_seen_is_no_evidence() -> None:
    """1 without any run, at most 1 with runs of one of the two only."""
    assert evidence_lower(0, 0, 0, 0) == pytest.approx(1)
    assert evidence_lower(20, 20, 0, 0) <= 1
    assert evidence_lower(0, 0, 0, 20) <= 1


def test_by_hand() -> None:
    """One pass and one failure: (10/11)(2/3) over the most that one rate can give, 1/4."""
    assert evidence_lower(1, 1, 0, 1) == pytest.approx(10 / 11 * 2 / 3 * 4)


def test_it_stays_a_number() -> None:
    """Also where there is more evidence than a float can tell."""
    assert 1e300 < evidence_lower(10_000, 10_000, 0, 10_000) < float("inf")


@pytest.mark.parametrize("counts", [(2, 1, 0, 0), (0, 0, -1, 3), (0, -1, 0, 0)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int, int]) -> None:
    """More passes than runs, or fewer than none."""
    with pytest.raises(ValueError, match="no proportions"):
        evidence_lower(*counts)
