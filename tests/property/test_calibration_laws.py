"""Laws of the corrected rate and of agreement, for every judge and every count of runs."""

from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_llmrel.core.calibration import Calibration
from pytest_llmrel.stats.agreement import Agreement, cohen_kappa, kappa_interval, youden, youden_interval
from pytest_llmrel.stats.calibration import rogan_gladen
from pytest_llmrel.verdict.judging import corrected_rate, judge_quality, why_not_usable

shares = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
tables = st.builds(Agreement, *[st.integers(0, 300)] * 4)
good_judges = st.integers(30, 200).flatmap(
    lambda m: st.tuples(*[st.tuples(st.integers(m * 8 // 10, m), st.just(m))] * 2)
)
groups = st.lists(shares, min_size=1, max_size=25)
CLOSE = 1e-9


def record(table: Agreement) -> Calibration:
    """The record of a judge with these counts."""
    return Calibration("m", "1", "0" * 16, 1.0, "2026-11-23T09:30:00Z", "0.1.0", "0" * 64, *table)


@given(shares, shares, shares)
def test_the_interval_holds_the_point(runs, sensitivity, specificity) -> None:
    """Wherever there is one; it is never a point."""
    found = rogan_gladen(runs[0] / runs[1], runs[1], sensitivity, specificity)
    assume(found is not None)
    assert found.low <= found.point <= found.high
    assert found.low < found.high


@given(st.integers(1, 400), st.data(), shares, shares)
def test_more_passes_are_a_higher_rate(n, data, sensitivity, specificity) -> None:
    """The corrected rate is strictly monotone in the raw one."""
    less = data.draw(st.integers(0, n - 1))
    more = data.draw(st.integers(less + 1, n))
    one, other = (rogan_gladen(x / n, n, sensitivity, specificity) for x in (less, more))
    assume(one is not None)
    assert one.point < other.point


@given(shares, st.integers(1, 400), st.integers(1, 400))
def test_a_perfect_judge_changes_nothing(runs, good, bad) -> None:
    """To the last digit; but its interval knows that it was seen on few items only."""
    rate = runs[0] / runs[1]
    found = rogan_gladen(rate, runs[1], (good, good), (bad, bad))
    better = rogan_gladen(rate, runs[1], (good * 1000, good * 1000), (bad * 1000, bad * 1000))
    assert found is not None
    assert better is not None
    assert found.point == better.point == rate
    assert found.high - found.low > better.high - better.low - CLOSE


@given(shares, shares, shares)
def test_exchanged_labels_mirror_the_rate(runs, sensitivity, specificity) -> None:
    """Whoever calls failures passes exchanges sensitivity and specificity, and gets 1 less the rate."""
    (passed, n) = runs
    one = rogan_gladen(passed / n, n, sensitivity, specificity)
    other = rogan_gladen((n - passed) / n, n, specificity, sensitivity)
    assert (one is None) == (other is None)
    assume(one is not None)
    for mine, theirs in ((one.point, other.point), (one.low, other.high), (one.high, other.low)):
        assert abs(mine - (1 - theirs)) < CLOSE * max(1, abs(mine))


@given(shares, st.integers(60, 100), st.integers(60, 100), st.integers(2, 50))
def test_more_labels_narrow_the_interval(runs, q1, q0, factor) -> None:
    """The same shares of more items: of a judge that is much better than a coin."""
    rate = runs[0] / runs[1]
    widths = [
        found.high - found.low
        for times in (1, factor)
        if (found := rogan_gladen(rate, runs[1], (q1 * times, 100 * times), (q0 * times, 100 * times)))
    ]
    assume(len(widths) == 2)
    # The shrinkage by two items goes, too: it may make a weak judge stronger, and its interval a bit wider.
    assert widths[1] <= widths[0] * 1.05


@given(st.floats(0.2, 0.8), st.integers(10, 400), good_judges, st.floats(1, 10))
def test_more_variance_widens_the_interval(rate, n, judge, factor) -> None:
    """Clustered runs know less than independent ones."""
    variance = rate * (1 - rate) / n
    one = rogan_gladen(rate, n, *judge, variance=variance)
    other = rogan_gladen(rate, n, *judge, variance=variance * factor)
    assert one is not None
    assert other is not None
    assert other.high - other.low >= (one.high - one.low) * (1 - 1e-6)


@given(tables)
def test_agreement_is_within_its_interval_and_range(table) -> None:
    """Kappa and J, where there are items of both kinds."""
    for value, ends in (
        (cohen_kappa(table), kappa_interval(table, resamples=50)),
        (youden(table), youden_interval(table)),
    ):
        assert (value is None) == (ends is None) == (not (table.tp + table.fn and table.tn + table.fp))
        if value is not None and ends is not None:
            assert -1 <= ends[0] <= value <= ends[1] <= 1


@given(tables)
def test_agreement_does_not_care_which_label_is_called_pass(table) -> None:
    """Exchanged labels give the same kappa and the same J."""
    mirrored = Agreement(table.tn, table.fp, table.tp, table.fn)
    for figure in (cohen_kappa, youden):
        one, other = figure(table), figure(mirrored)
        assert (one is None) == (other is None)
        assert one is None or abs(one - other) < CLOSE


@given(groups, tables)
def test_what_is_shown_is_a_rate(cases, table) -> None:
    """Within 0..1, low to high; or undefined with a reason and without numbers."""
    passes, n = (sum(numbers) for numbers in zip(*cases, strict=True))
    for found in (corrected_rate(passes, n, record(table)), corrected_rate(passes, n, record(table), cases)):
        assert found.n == n
        assert found.method
        if found.point is None:
            assert found.low is None
            assert found.high is None
        elif found.low is not None:
            assert 0 <= found.low <= found.point <= found.high <= 1


@given(tables.filter(sum))
def test_every_judge_is_described(table) -> None:
    """Whatever the counts: each figure is a number, or undefined with its reason; mistakes only add reasons."""
    quality = judge_quality(record(table))
    for name in quality.__dataclass_fields__:
        estimate = getattr(quality, name)
        assert estimate.method
    perfect = record(Agreement(table.tp + table.fn, 0, table.tn + table.fp, 0))
    assert len(why_not_usable(perfect)) <= len(why_not_usable(record(table)))
