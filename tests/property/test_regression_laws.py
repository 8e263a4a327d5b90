"""Laws of the regression rule, whatever the counts."""

from math import sqrt
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_llmrel.core.baseline import Cell, pooled
from pytest_llmrel.core.model import Status
from pytest_llmrel.stats.stratified import Stratum, stratified_p
from pytest_llmrel.verdict.regression import Rule, compare, guard_of, judge_suite, strata_of

ORDER = (Status.PASS, Status.INCONCLUSIVE, Status.FAIL)


@st.composite
def _stratum(draw: st.DrawFn) -> Stratum:
    n0, n1 = draw(st.integers(1, 60)), draw(st.integers(1, 20))
    return Stratum(draw(st.integers(0, n0)), n0, draw(st.integers(0, n1)), n1)


strata = st.lists(_stratum(), min_size=1, max_size=3)
suites = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), strata, min_size=1, max_size=12)
alphas = st.sampled_from([0.001, 0.01, 0.05, 0.3])


@given(suites, alphas, st.randoms(use_true_random=False))
def test_the_order_of_the_tests_does_not_matter(tests, alpha, random) -> None:
    """Tests and their wordings in any order: same status, same p-values, same names."""
    names = random.sample(sorted(tests), len(tests))
    one = judge_suite(tests, alpha)
    two = judge_suite({name: random.sample(tests[name], len(tests[name])) for name in names}, alpha)
    assert one.status is two.status
    assert one.adjusted == pytest.approx(two.adjusted, rel=1e-6, abs=1e-12)
    assert set(one.named) == set(two.named)


@given(suites, alphas, st.data())
def test_fewer_passes_never_make_a_test_greener(tests, alpha, data) -> None:
    """One pass less anywhere: the p-value of that test falls, and what failed for it still fails."""
    name = data.draw(st.sampled_from(sorted(tests)))
    place = data.draw(st.integers(0, len(tests[name]) - 1))
    before = tests[name][place]
    assume(before.x1 > 0)
    changed = [*tests[name]]
    changed[place] = before._replace(x1=before.x1 - 1)
    rule = Rule(alpha, len(tests))
    one, two = (compare(tuple(counts), None, rule) for counts in (tests[name], changed))
    assert two.p <= one.p * (1 + 1e-9)
    assert ORDER.index(two.finding.status) >= ORDER.index(one.finding.status)
    drifts = [judge_suite(suite, alpha).findings[0] for suite in (tests, {**tests, name: changed})]
    assert ORDER.index(drifts[1].status) >= ORDER.index(drifts[0].status)


@given(suites, alphas)
def test_what_an_item_fails_the_suite_names(tests, alpha) -> None:
    """A test that is red by its first runs alone is among the named ones: items and suite agree."""
    found, rule = judge_suite(tests, alpha), Rule(alpha, len(tests))
    red = [
        name
        for name, counts in tests.items()
        if compare(tuple(counts), None, rule).finding.status is Status.FAIL
    ]
    assert set(red) <= set(found.named)
    assert (found.status is Status.FAIL) is any(finding.status is Status.FAIL for finding in found.findings)
    assert set(found.named) <= set(tests)
    assert found.named == () or found.status is Status.FAIL


@given(suites)
def test_adjusted_values_are_probabilities_above_the_raw_ones(tests) -> None:
    """P <= adjusted <= m p, and all within 0..1."""
    found = judge_suite(tests, 0.01)
    for name, counts in tests.items():
        raw = stratified_p(counts)
        assert raw * (1 - 1e-9) <= found.adjusted[name] <= 1
    least = min(stratified_p(counts) for counts in tests.values())
    assert min(found.adjusted.values()) <= least * len(tests) * (1 + 1e-9)


@given(suites, alphas, alphas)
def test_a_larger_alpha_is_never_greener(tests, one, two) -> None:
    """What fails at a small chance of a false alarm fails at a larger one."""
    small, large = sorted((one, two))
    if judge_suite(tests, small).status is Status.FAIL:
        assert judge_suite(tests, large).status is Status.FAIL


@given(suites, alphas)
def test_tests_that_cannot_fail_cost_nothing(tests, alpha) -> None:
    """Tests that always passed, then and now, change no p-value but that of the drift, which they cannot help."""
    more = {**tests, **{f"always {n}": [Stratum(50, 50, 10, 10)] for n in range(30)}}
    one, two = judge_suite(tests, alpha), judge_suite(more, alpha)
    assert {name: two.adjusted[name] for name in tests} == pytest.approx(one.adjusted, rel=1e-9)
    assert one.status is two.status


@given(st.integers(1, 80), st.integers(1, 20), st.integers(1, 50), st.data())
def test_a_guard_is_one_of_three(n0, k, tests, data) -> None:
    """A drop within the rate of the baseline, or blind; below fifty runs never fully guarded."""
    x0 = data.draw(st.integers(0, n0))
    guard = guard_of([Stratum(x0, n0, 0, k)], Rule(0.01, tests))
    if guard.detectable_drop is None:
        assert guard.kind == "blind"
    else:
        assert 0 <= guard.detectable_drop <= x0 / n0 + 1e-9
        assert guard.kind == ("weak" if n0 < 50 else "guarded")


cells = st.lists(
    st.builds(
        lambda v, n, p: Cell("", v, min(p, n), n),
        st.sampled_from("abc"),
        st.integers(0, 9),
        st.integers(0, 9),
    )
)


@given(cells, cells)
def test_strata_hold_the_counts_of_what_is_common(before, now) -> None:
    """Pooled cells in any number: each common wording once, with all of its runs on both sides."""
    found = strata_of(pooled(before), pooled(now))
    common = {
        key for key in "abc"
        if sum(c.n for c in before if c.variant == key) and sum(c.n for c in now if c.variant == key)
    }  # fmt: skip
    assert len(found) == len(common)
    assert sum(s.n0 for s in found) == sum(c.n for c in before if c.variant in common)
    assert sum(s.x1 for s in found) == sum(c.passed for c in now if c.variant in common)


@pytest.mark.parametrize(
    ("rates", "n0", "k"),
    [([0.95] * 20, 50, 10), ([1.0] * 8 + [0.95, 0.9, 0.8, 0.6] * 3, 20, 5), ([0.5] * 10, 10, 10)],
)
def test_false_alarms_are_rarer_than_alpha(rates, n0, k) -> None:
    """Drift and min-p on unchanged tests: red in at most two thirds of alpha and three standard errors."""
    random, alpha, sessions = Random(7), 0.3, 400

    def passes(rate: float, n: int) -> int:
        return sum(random.random() < rate for _ in range(n))

    red = 0
    for _ in range(sessions):
        tests = {f"t{i}": [Stratum(passes(rate, n0), n0, passes(rate, k), k)] for i, rate in enumerate(rates)}
        red += judge_suite(tests, alpha).status is Status.FAIL
    bound = 2 / 3 * alpha
    assert red / sessions <= bound + 3 * sqrt(bound * (1 - bound) / sessions)
