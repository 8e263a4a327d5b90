"""Means over cases against real runs, scipy, simulated coverage and the edges where nothing is known."""

import random
from collections import defaultdict
from collections.abc import Callable
from statistics import fmean, stdev
from typing import Any

import pytest

from pytest_llmrel.stats.clusters import Clustered, cluster_bootstrap, clustered_mean, one_sided_t_bounds
from pytest_llmrel.stats.passk import pass_hat_k

RATES = [0.2, 0.4, 0.4, 0.6, 0.6, 0.6, 0.8, 0.8, 1.0, 1.0, 1.0, 0.0]


def tau_tasks(rows: list[dict[str, str]]) -> list[tuple[int, int]]:
    """``(passed, n)`` of each task of tau-bench airline."""
    passes: defaultdict[str, list[bool]] = defaultdict(list)
    for row in rows:
        passes[row["task_id"]].append(abs(float(row["reward"]) - 1) <= 1e-6)
    return [(sum(runs), len(runs)) for runs in passes.values()]


def test_tau_bench(shared_data: Callable[[str], Any]) -> None:
    """50 tasks of 4 runs: .420 with a standard error of .052, correlation .40, design effect 2.2."""
    result = clustered_mean(tau_tasks(shared_data("tau_trials.csv")))
    assert (result.cases, result.runs) == (50, 200)
    assert result.mean == pytest.approx(0.42)
    assert result.se == pytest.approx(0.052, abs=5e-4)
    assert result.icc == pytest.approx(0.40, abs=0.005)
    assert result.design_effect == pytest.approx(2.2, abs=0.05)


@pytest.mark.parametrize(
    ("k", "mean", "se"), [(1, 0.42, 0.052), (2, 0.2733, 0.056), (3, 0.22, 0.057), (4, 0.2, 0.057)]
)
def test_the_errors_of_pass_hat_k_of_tau_bench(
    shared_data: Callable[[str], Any], k: int, mean: float, se: float
) -> None:
    """The published means over tasks and their errors; the bootstrap and t agree on them."""
    values = [pass_hat_k(n, c, k) for c, n in tau_tasks(shared_data("tau_trials.csv"))]
    assert fmean(values) == pytest.approx(mean, abs=5e-5)
    assert stdev(values) / 50**0.5 == pytest.approx(se, abs=6e-4)
    low, high = cluster_bootstrap(values)
    assert high - low == pytest.approx(2 * 1.96 * se, rel=0.08)
    lower, upper = one_sided_t_bounds(values)
    assert upper - lower == pytest.approx(2 * 1.6766 * se, rel=0.01)


def test_the_interval_is_students() -> None:
    """As scipy computes it from the rates of the cases."""
    stats = pytest.importorskip("scipy.stats")
    groups = [(round(rate * 5), 5) for rate in RATES]
    result = clustered_mean(groups)
    theirs = stats.t.interval(0.95, len(RATES) - 1, loc=fmean(RATES), scale=stats.sem(RATES))
    assert (result.low, result.high) == pytest.approx(theirs, abs=1e-9)
    lower, upper = one_sided_t_bounds(RATES, 0.9)
    assert (lower, upper) == pytest.approx(
        stats.t.interval(0.8, len(RATES) - 1, loc=fmean(RATES), scale=stats.sem(RATES)), abs=1e-9
    )


def test_every_case_counts_the_same() -> None:
    """A case of many runs is still one case: the mean of the rates, not of the runs."""
    result = clustered_mean([(100, 100), (0, 2)])
    assert result.mean == 0.5
    assert result.se == pytest.approx(0.5)
    assert (result.cases, result.runs) == (2, 102)


def test_few_cases_have_no_interval() -> None:
    """Nine are too few, ten are enough."""
    groups = [(round(rate * 5), 5) for rate in RATES]
    nine, ten = clustered_mean(groups[:9]), clustered_mean(groups[:10])
    assert nine.low is nine.high is None
    assert nine.se is not None
    assert 0 <= ten.low < ten.mean < ten.high <= 1


def test_one_case_has_no_error() -> None:
    """What one case says about the others is not 0."""
    assert clustered_mean([(3, 5)]) == Clustered(
        mean=0.6, se=None, low=None, high=None, cases=1, runs=5, icc=None, design_effect=None
    )


def test_single_runs_have_no_correlation() -> None:
    """With one run of a case its luck cannot be told from its rate; the mean has its error all the same."""
    result = clustered_mean([(1, 1), (0, 1), (3, 5)])
    assert (result.icc, result.design_effect) == (None, None)
    assert result.se is not None


def test_the_interval_stays_within_0_and_1() -> None:
    """Student's t does not know of the borders."""
    result = clustered_mean([(5, 5)] * 9 + [(0, 5)])
    assert result.high == 1.0
    assert clustered_mean([(0, 5)] * 9 + [(5, 5)]).low == 0.0


def test_cases_that_are_all_the_same_leave_doubt() -> None:
    """Thirty cases that always pass do not prove a mean of 1, but .05 ** (1 / 30)."""
    assert one_sided_t_bounds([1.0] * 30) == pytest.approx((0.05 ** (1 / 30), 1.0))
    assert one_sided_t_bounds([0.0] * 30) == pytest.approx((0.0, 1 - 0.05 ** (1 / 30)))
    lower, upper = one_sided_t_bounds([0.6] * 30)
    assert lower < 0.6 < upper
    result = clustered_mean([(5, 5)] * 30)
    assert (result.low, result.high) == (pytest.approx(0.025 ** (1 / 30)), 1.0)
    assert result.icc is None


def test_the_bounds_cover() -> None:
    """2000 suites of 20 cases that differ: each bound misses the true mean in about 5 %."""
    rng = random.Random(3)
    too_high = too_low = 0
    for _ in range(2000):
        rates = [rng.betavariate(3, 2) for _ in range(20)]
        values = [sum(rng.random() < p for _ in range(5)) / 5 for p in rates]
        lower, upper = one_sided_t_bounds(values)
        too_high += lower > 0.6
        too_low += upper < 0.6
    assert too_high / 2000 == pytest.approx(0.05, abs=0.02)
    assert too_low / 2000 == pytest.approx(0.05, abs=0.02)


def test_the_bootstrap_is_that_of_scipy() -> None:
    """The percentile method, up to the noise of drawing."""
    stats = pytest.importorskip("scipy.stats")
    numpy = pytest.importorskip("numpy")
    theirs = stats.bootstrap(
        (RATES,), numpy.mean, n_resamples=20_000, method="percentile", random_state=1
    ).confidence_interval
    assert cluster_bootstrap(RATES, resamples=20_000) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_the_bootstrap_repeats_itself() -> None:
    """The same seed gives the same interval, and a higher confidence a wider one."""
    values = [number**0.5 / 4 for number in range(15)]
    low, high = cluster_bootstrap(values)
    assert cluster_bootstrap(values) == (low, high)
    assert cluster_bootstrap(values, seed=7) != (low, high)
    wide_low, wide_high = cluster_bootstrap(values, confidence=0.99)
    assert wide_low < low < fmean(values) < high < wide_high


@pytest.mark.parametrize("function", [cluster_bootstrap, one_sided_t_bounds])
@pytest.mark.parametrize("values", [[], [0.5] * 9, [0.5] * 10 + [float("nan")], [0.5] * 10 + [float("inf")]])
def test_what_has_no_bounds_is_refused(
    function: Callable[[list[float]], tuple[float, float]], values: list[float]
) -> None:
    """Fewer than ten cases, or values that are no numbers."""
    with pytest.raises(ValueError, match=r"at least 10|not finite"):
        function(values)


def test_values_of_another_range_are_refused() -> None:
    """The bounds of cases that are all the same hold for 0..1 only."""
    with pytest.raises(ValueError, match="not within"):
        one_sided_t_bounds([*RATES, 1.1])


@pytest.mark.parametrize("confidence", [0.5, 0.0, 1.0, 95.0])
def test_impossible_confidence_is_refused(confidence: float) -> None:
    """A per cent figure, or one at which lower and upper bound would cross."""
    with pytest.raises(ValueError, match="confidence"):
        one_sided_t_bounds(RATES, confidence)


@pytest.mark.parametrize("options", [{"resamples": 0}, {"confidence": 1.0}, {"confidence": 0.0}])
def test_an_impossible_bootstrap_is_refused(options: dict[str, float]) -> None:
    """No draws, or a confidence that is none."""
    with pytest.raises(ValueError, match="impossible"):
        cluster_bootstrap(RATES, **options)


@pytest.mark.parametrize("groups", [[], [(1, 0)], [(3, 2)], [(-1, 2)]])
def test_impossible_cases_are_refused(groups: list[tuple[int, int]]) -> None:
    """No cases, and counts that cannot be."""
    with pytest.raises(ValueError, match=r"no mean|impossible"):
        clustered_mean(groups)
