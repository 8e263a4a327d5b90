"""Laws of the spread between groups."""

from fractions import Fraction
from itertools import product
from math import prod
from statistics import variance

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmrel.stats.between import (
    between_sd,
    between_variance,
    design_effect,
    expected_spread,
    intraclass_correlation,
    worst_group,
)
from pytest_llmrel.stats.binomial import binomial_pmf

group = st.integers(2, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
many_groups = st.lists(group, min_size=2, max_size=8)
Groups = list[tuple[int, int]]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.fractions(0, 1, max_denominator=10), st.integers(2, 4)), min_size=2, max_size=3))
def test_the_variance_is_unbiased(truth: list[tuple[Fraction, int]]) -> None:
    """Over all outcomes its mean is what the rates vary; for unequal groups, weighted as they are."""
    sizes = [n for _, n in truth]
    pmfs = [binomial_pmf(n, float(p)) for p, n in truth]
    mean = sum(
        prod(pmf[x] for pmf, x in zip(pmfs, table, strict=True))
        * between_variance(list(zip(table, sizes, strict=True)))
        for table in product(*(range(n + 1) for n in sizes))
    )
    runs = sum(sizes)
    common = sum(p * n for p, n in truth) / runs
    size = (runs - Fraction(sum(n * n for n in sizes), runs)) / (len(sizes) - 1)
    noise = sum(p * (1 - p) * (1 - Fraction(n, runs)) for p, n in truth) / (len(sizes) - 1)
    within = sum(p * (1 - p) * (n - 1) for p, n in truth) / (runs - len(sizes))
    spread = sum(n * (p - common) ** 2 for p, n in truth) / (len(sizes) - 1)
    assert mean == pytest.approx(float((spread + noise - within) / size), abs=1e-12)
    if len(set(sizes)) == 1:
        assert mean == pytest.approx(float(variance([p for p, _ in truth])), abs=1e-12)
    if len({p for p, _ in truth}) == 1:
        assert mean == pytest.approx(0, abs=1e-12)


@given(many_groups, st.randoms(use_true_random=False))
def test_the_order_of_the_groups_does_not_matter(groups: Groups, rng: object) -> None:
    """Every figure is the same, and the same wording is the worst."""
    shuffled = groups.copy()
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    for figure in (between_variance, intraclass_correlation, design_effect, expected_spread):
        assert figure(shuffled) == pytest.approx(figure(groups), abs=1e-12)
    assert between_sd([shuffled]) ** 2 == pytest.approx(between_sd([groups]) ** 2, abs=1e-12)
    assert worst_group(shuffled)[1] == pytest.approx(worst_group(groups)[1], abs=1e-9)


@given(many_groups)
def test_pass_and_fail_are_only_labels(groups: Groups) -> None:
    """With failures counted instead the spread is the same."""
    flipped = [(n - x, n) for x, n in groups]
    for figure in (between_variance, intraclass_correlation, design_effect, expected_spread):
        assert figure(flipped) == pytest.approx(figure(groups), abs=1e-12)


@given(many_groups)
def test_the_ranges(groups: Groups) -> None:
    """What the docstrings promise."""
    assert between_variance(groups) <= 0.5 + 1e-12
    assert 0 <= between_sd([groups]) <= 0.5**0.5 + 1e-12
    assert -1e-12 <= expected_spread(groups) <= 1 + 1e-12
    correlation, effect = intraclass_correlation(groups), design_effect(groups)
    if correlation is None:
        assert effect is None
        assert sum(x for x, _ in groups) in {0, sum(n for _, n in groups)}
    else:
        assert correlation <= 1 + 1e-12
        assert -1e-12 <= effect <= max(n for _, n in groups) + 1e-9


@given(many_groups)
def test_the_worst_rate_lies_between_the_observed_and_the_common_one(groups: Groups) -> None:
    """Shrinkage goes to the common rate and never beyond it."""
    index, rate = worst_group(groups)
    observed = groups[index][0] / groups[index][1]
    common = sum(x for x, _ in groups) / sum(n for _, n in groups)
    assert min(observed, common) - 1e-12 <= rate <= max(observed, common) + 1e-12
    assert 0 <= rate <= 1


@given(st.integers(2, 6), st.integers(2, 10), st.data())
def test_more_wordings_spread_more_by_noise(count: int, runs: int, data: st.DataObject) -> None:
    """The expected spread of more groups with the same rate is larger: why it stands beside the raw one."""
    passed = data.draw(st.integers(0, runs))
    fewer, more = [(passed, runs)] * count, [(passed, runs)] * (2 * count)
    assert expected_spread(fewer) <= expected_spread(more) + 1e-9
