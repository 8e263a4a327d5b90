"""Power against enumeration of all outcomes, simulation, and the published table of runs."""

from collections.abc import Callable
from itertools import product
from math import nan
from random import Random
from time import perf_counter
from typing import Any

import pytest

from pytest_llmrel.stats.binomial import binomial_pmf
from pytest_llmrel.stats.fisher import fisher_worse
from pytest_llmrel.stats.power import (
    alarm_probability,
    average_alarm,
    detectable_drop,
    fisher_power,
    runs_needed,
)

RULES = [
    (50, 50, 5, {"level": 0.003, "flag": 0.1, "extra": 20}),
    (48, 50, 10, {"level": 0.0005, "flag": 0.1, "extra": 30}),
    (9, 10, 6, {"level": 0.02, "flag": 0.3, "extra": 6}),
    (7, 10, 6, {"level": 0.05, "flag": 0.05, "extra": 4}),
    (20, 20, 8, {"level": 0.01, "flag": 0.2, "extra": 0}),
    (0, 10, 5, {"level": 0.05, "flag": 0.1, "extra": 10}),
]


def _red(baseline: tuple[int, int], first: tuple[int, int], second: tuple[int, int], rule: Any) -> bool:
    """The rule, as it reads; each stage as its passes and its runs."""
    p1 = fisher_worse(*baseline, *first)
    if p1 <= rule["level"]:
        return True
    pooled = (first[0] + second[0], first[1] + second[1])
    return p1 <= rule["flag"] and fisher_worse(*baseline, *pooled) <= rule["level"]


@pytest.mark.parametrize(("x0", "n0", "k", "rule"), RULES)
@pytest.mark.parametrize("rate", [0.0, 0.3, 0.7, 0.95, 1.0])
def test_the_alarm_is_the_enumeration(x0: int, n0: int, k: int, rule: Any, rate: float) -> None:
    """All outcomes of both stages, weighted by their chances."""
    extra = rule["extra"]
    expected = sum(
        first * second
        for (x1, first), (x2, second) in product(
            enumerate(binomial_pmf(k, rate)), enumerate(binomial_pmf(extra, rate))
        )
        if _red((x0, n0), (x1, k), (x2, extra), rule)
    )
    assert alarm_probability(x0, n0, k, rate, **rule) == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_the_power_of_one_stage() -> None:
    """Without a second look the alarm is Fisher's power."""
    for rate in (0.0, 0.4, 0.9):
        expected = sum(
            chance for x1, chance in enumerate(binomial_pmf(10, rate)) if fisher_worse(48, 50, x1, 10) <= 0.01
        )
        assert fisher_power(48, 50, 10, rate, 0.01) == pytest.approx(expected, rel=1e-12)
        alarm = alarm_probability(48, 50, 10, rate, level=0.01, flag=0.5, extra=0)
        assert alarm == pytest.approx(expected, rel=1e-12)
    assert fisher_power(5, 5, 5, 0.0, 0.001) == 0.0


def test_a_p_value_at_the_level_is_significant() -> None:
    """At most the level, not below it."""
    level = fisher_worse(48, 50, 6, 10)
    below = sum(binomial_pmf(10, 0.5)[:7])
    assert fisher_power(48, 50, 10, 0.5, level) == pytest.approx(below, rel=1e-12)


def test_the_average_is_over_the_baselines() -> None:
    """All baselines, weighted by their chances; at equal rates it is the false alarm, below the level."""
    rule = {"level": 0.01, "flag": 0.1, "extra": 20}
    for rate1 in (0.5, 0.9):
        expected = sum(
            chance * alarm_probability(x0, 30, 10, rate1, **rule)
            for x0, chance in enumerate(binomial_pmf(30, 0.9))
        )
        assert average_alarm(0.9, rate1, 30, 10, **rule) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("n0", "k", "extra"), [(50, 5, 20), (50, 10, 30), (10, 10, 30), (100, 20, 40)])
@pytest.mark.parametrize("rate", [0.5, 0.9, 0.95, 1.0])
def test_false_alarms_stay_below_the_level(n0: int, k: int, extra: int, rate: float) -> None:
    """The last look alone is exact at its level, and the first adds at most as much again."""
    level = 0.05 / 3 / 20
    assert average_alarm(rate, rate, n0, k, level=level, flag=0.1, extra=extra) <= 2 * level
    assert average_alarm(rate, rate, n0, k, level=level, flag=level, extra=0) <= level


def test_simulated_runs_turn_red_as_often() -> None:
    """Twenty thousand baselines and runs, drawn and judged by the rule."""
    random, red, draws = Random(17), 0, 20_000

    def passes(n: int, rate: float) -> int:
        return sum(random.random() < rate for _ in range(n))

    rule = {"level": 0.05 / 300, "flag": 0.1, "extra": 20}
    known: dict[tuple[int, int, int], bool] = {}
    for _ in range(draws):
        key = (passes(50, 0.95), passes(5, 0.5), passes(20, 0.5))
        if key not in known:
            x0, x1, x2 = key
            known[key] = _red((x0, 50), (x1, 5), (x2, 20), rule)
        red += known[key]
    expected = average_alarm(0.95, 0.5, 50, 5, **rule)
    assert red / draws == pytest.approx(expected, abs=0.015)
    # The published power of the whole rule, of which this stage is nearly all: .69.
    assert expected == pytest.approx(0.69, abs=0.05)


@pytest.mark.parametrize(("x0", "n0", "k", "rule"), RULES[:5])
@pytest.mark.parametrize("power", [0.1, 0.8, 0.99])
def test_the_drop_has_the_power_asked_for(x0: int, n0: int, k: int, rule: Any, power: float) -> None:
    """At that drop it is reached, at a drop a little smaller it is not."""
    drop = detectable_drop(x0, n0, k, **rule, power=power)
    assert drop is not None
    rate = x0 / n0 - drop
    assert 0 <= rate <= 1
    assert alarm_probability(x0, n0, k, rate, **rule) >= power
    assert alarm_probability(x0, n0, k, rate + 2e-6, **rule) < power


def test_a_blind_test_detects_no_drop() -> None:
    """Not even failures only are significant: too few runs, a baseline without passes, or none at all."""
    assert detectable_drop(5, 5, 5, level=0.003, flag=0.1, extra=0) is None
    assert detectable_drop(50, 50, 2, level=0.0005, flag=0.0006, extra=30) is None
    assert detectable_drop(0, 50, 10, level=0.01, flag=0.1, extra=30) is None
    assert detectable_drop(0, 0, 10, level=0.01, flag=0.1, extra=30) is None


def test_the_second_look_opens_the_eyes() -> None:
    """Five runs against five show nothing at this level, fifteen more do."""
    assert detectable_drop(5, 5, 5, level=0.003, flag=0.1, extra=15) == pytest.approx(0.844, abs=5e-4)


def test_more_baseline_detects_smaller_drops() -> None:
    """The cheap lever."""
    drops = [detectable_drop(n0, n0, 10, level=0.001, flag=0.1, extra=30) for n0 in (10, 20, 50, 100)]
    assert None not in drops
    assert drops == sorted(drops, key=lambda drop: -(drop or 0))


def test_a_rule_that_is_nearly_always_red_needs_no_drop() -> None:
    """Every outcome is significant at the level 1."""
    assert detectable_drop(5, 10, 5, level=1.0, flag=1.0, extra=0) == 0.0


@pytest.mark.parametrize("power", [0, 1, -1, 80, nan])
def test_a_power_is_a_chance(power: float) -> None:
    """80 is not 0.8."""
    with pytest.raises(ValueError, match="power"):
        detectable_drop(9, 10, 5, level=0.05, flag=0.1, extra=10, power=power)
    with pytest.raises(ValueError, match="power"):
        runs_needed(0.9, 0.5, 100, 0.05, power=power)


@pytest.mark.parametrize(
    "question",
    [
        lambda: fisher_power(6, 5, 5, 0.5, 0.05),
        lambda: fisher_power(5, 5, 5, 1.5, 0.05),
        lambda: alarm_probability(5, 5, 5, nan, level=0.05, flag=0.1, extra=5),
        lambda: alarm_probability(5, 5, 5, 0.5, level=0.05, flag=0.1, extra=-1),
        lambda: average_alarm(1.1, 0.5, 5, 5, level=0.05, flag=0.1, extra=5),
        lambda: runs_needed(0.9, -0.5, 100, 0.05),
    ],
)
def test_impossible_arguments_are_refused(question: Callable[[], object]) -> None:
    """Counts and rates outside their ranges."""
    with pytest.raises(ValueError, match=r"impossible|no proportions"):
        question()


def _averaged_power(rate0: float, rate1: float, n0: int, k: int, level: float) -> float:
    """The definition of the table: averaged over both arms."""
    return sum(
        chance * fisher_power(x0, n0, k, rate1, level)
        for x0, chance in enumerate(binomial_pmf(n0, rate0))
        if chance > 1e-9
    )


# Equal runs in both arms, then runs now against a baseline of 100, at the levels .05, .005, .0005.
PUBLISHED = [
    (1, 0.9, [(70, 29), (105, 90), (135, 280)]),
    (1, 0.8, [(34, 14), (50, 21), (70, 40)]),
    (1, 0.7, [(21, 5), (34, 14), (44, 18)]),
    (1, 0.5, [(10, 3), (17, 5), (24, 8)]),
    (0.95, 0.8, [(70, 50), (115, 145), (170, None)]),
    (0.95, 0.7, [(34, 18), (56, 36), (80, 60)]),
    (0.95, 0.5, [(14, 6), (23, 12), (34, 16)]),
    (0.8, 0.6, [(75, 58), (130, 190), (185, None)]),
    (0.8, 0.4, [(23, 12), (38, 22), (54, 36)]),
]


@pytest.mark.parametrize(("rate0", "rate1", "published"), PUBLISHED)
def test_the_published_table_of_runs(
    rate0: float, rate1: float, published: list[tuple[int, int | None]]
) -> None:
    """Within the steps of the table (1, 2, 5, above 100 more), and never more than it says."""
    for level, (equal, against_100) in zip((0.05, 0.005, 0.0005), published, strict=True):
        for n0, expected in ((None, equal), (100, against_100)):
            if expected is None:
                assert _averaged_power(rate0, rate1, 100, 410, level) < 0.8
                continue
            ours = runs_needed(rate0, rate1, n0, level, most=expected)
            assert ours is not None
            step = 1 if expected <= 24 else 2 if expected < 60 else 5 if expected < 150 else 12
            assert expected - step <= ours <= expected


@pytest.mark.parametrize(
    ("rate0", "rate1", "n0", "level", "power"),
    [
        (0.95, 0.5, 40, 0.01, 0.8),
        (1, 0.9, 100, 0.005, 0.5),
        (1, 0.8, None, 0.05, 0.95),
        (0.8, 0.4, None, 0.001, 0.8),
        (0.9, 0.5, 15, 0.02, 0.8),
    ],
)
def test_the_fewest_runs_are_the_fewest(
    rate0: float, rate1: float, n0: int | None, level: float, power: float
) -> None:
    """Every smaller number has less power than was asked for."""
    needed = runs_needed(rate0, rate1, n0, level, power)
    assert needed is not None
    powers = [_averaged_power(rate0, rate1, n0 or k, k, level) for k in range(1, needed + 1)]
    assert powers[-1] >= power
    assert max(powers[:-1]) < power


def test_the_power_falls_in_between() -> None:
    """P-values come in steps: that is why the search may not halve its range."""
    powers = [fisher_power(100, 100, k, 0.9, 0.005) for k in range(1, 60)]
    assert powers != sorted(powers)


def test_what_many_runs_do_not_find() -> None:
    """Equal rates, or a baseline that is too small."""
    assert runs_needed(0.9, 0.9, 50, 0.05, most=60) is None
    assert runs_needed(1, 0.9, 5, 0.001, most=100) is None
    assert runs_needed(1, 0.5, None, 0.05, most=9) is None
    assert runs_needed(1, 0.5, 0, 0.05, most=20) is None


def test_it_is_fast() -> None:
    """A detectable drop takes less than a millisecond; the bound leaves room for busy machines."""
    begin = perf_counter()
    for x0 in range(35, 51):
        detectable_drop(x0, 50, 10, level=0.05 / 300, flag=0.1, extra=30)
    assert perf_counter() - begin < 16 * 0.005
