"""Metrics from counts: over cases where there are several, and n/a where nothing can be said."""

from math import inf, nan, sqrt
from statistics import fmean, stdev

import pytest
from scipy.stats import t

from pytest_llmrel.core.model import Attempt, Decision, Outcome, Sample, Status, Variant
from pytest_llmrel.verdict.counts import Counts
from pytest_llmrel.verdict.metrics import (
    clustering,
    error_rate,
    latency,
    mean,
    pass_over_k,
    rate,
    score_summary,
    stopped_rate,
)

LETTERS = {outcome.value[0]: outcome for outcome in Outcome}


def of_cases(*words: str) -> Counts:
    """One word of letters for each case."""
    counts = Counts([Variant()])
    for case, word in enumerate(words):
        for run, letter in enumerate(word):
            counts.record(Sample(Attempt(f"c{case:02}", Variant(), run, run), LETTERS[letter], 0.1))
    return counts


def test_a_rate_is_the_mean_over_cases() -> None:
    """A case with many runs weighs as much as one with few."""
    estimate = rate(of_cases("p", "ffff"), "pass_rate")
    assert (estimate.point, estimate.low, estimate.high, estimate.n) == (0.5, None, None, 5)
    assert "mean of 2 cases; an interval needs 10" in estimate.method


def test_the_interval_is_one_over_cases() -> None:
    """From ten cases on: Student's t of the rates of the cases, from scipy."""
    words = ["pppp", "ppff", "pfff", "pppf", "ppff", "pppf", "ffff", "ppff", "pppp", "pfff", "ppff"]
    rates = [word.count("p") / 4 for word in words]
    estimate = rate(of_cases(*words), "pass_rate")
    half = t.ppf(0.975, len(rates) - 1) * stdev(rates) / sqrt(len(rates))
    assert estimate.point == pytest.approx(fmean(rates))
    assert (estimate.low, estimate.high) == pytest.approx((fmean(rates) - half, fmean(rates) + half))


def test_runs_of_one_case_are_not_independent() -> None:
    """Forty runs of ten cases that always agree are hardly more than ten runs, and it is said."""
    counts = of_cases(*["pppp"] * 5, *["ffff"] * 5)
    found = clustering(counts)
    assert found is not None
    assert (found.cases, found.icc, found.design_effect, found.advice) == (10, 1.0, 4.0, "more cases")
    estimate = rate(counts, "pass_rate")
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.high - estimate.low > 0.6


def test_runs_that_do_not_depend_on_their_case_ask_for_more_runs() -> None:
    """Where the noise is within cases, more runs of them are worth as much as more cases."""
    found = clustering(of_cases(*["pfpf"] * 10))
    assert found is not None
    assert found.icc < 0
    assert found.advice == "more runs"


@pytest.mark.parametrize(
    "words", [("pppp",), ("pppp", "pppp"), ("p", "f"), ("pp", "f"), ("eeee", "ssss"), ()]
)
def test_where_there_is_no_clustering(words: tuple[str, ...]) -> None:
    """One case, runs that never vary, or a single run of a case."""
    assert clustering(of_cases(*words)) is None


@pytest.mark.parametrize("metric", ["pass_rate", "wrong_rate", "abstention_rate"])
@pytest.mark.parametrize("words", [(), ("eee",), ("sss", "xx")])
def test_no_valid_run(metric: str, words: tuple[str, ...]) -> None:
    """Undefined, with the reason."""
    assert (rate(of_cases(*words), metric).point, rate(of_cases(*words), metric).method) == (
        None,
        "no valid run",
    )
    assert latency(of_cases(*words).durations, 0.95).point is None


def test_the_error_rate() -> None:
    """Skips are in no denominator; without any run it is undefined."""
    assert error_rate(of_cases("peesx")).point == 2 / 3
    assert error_rate(of_cases("ss")).point is None
    assert error_rate(of_cases("ee")).point == 1.0


@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize(("words", "tasks"), [(("pppp", "pp"), 2), (("pppp",), 2), ((), 1), (("eeee",), 1)])
def test_pass_k_needs_k_valid_runs_of_each_task(every: bool, words: tuple[str, ...], tasks: int) -> None:
    """One task short of runs, or missing altogether, and it is n/a."""
    assert pass_over_k(of_cases(*words), 3, every=every, tasks=tasks).point is None


def test_pass_k_is_the_mean_over_tasks() -> None:
    """(1 + 0 + C(3,2)/C(4,2)) / 3, without an interval."""
    estimate = pass_over_k(of_cases("pppp", "ffff", "pppf"), 2, every=True, tasks=3)
    assert (estimate.point, estimate.low) == (pytest.approx(0.5), None)


def test_a_rate_after_an_early_stop() -> None:
    """The estimate of the decision, without an interval; n/a where no gate was on it."""
    decision = Decision(Status.PASS, 9, 9, 0.97, early=True, sequential=False, method="x")
    estimate = stopped_rate(decision)
    assert (estimate.point, estimate.low, estimate.high, estimate.n) == (0.97, None, None, 9)
    assert "unbiased" in estimate.method
    for nothing in (
        None,
        Decision(Status.INCONCLUSIVE, 9, 9, None, early=True, sequential=False, method="x"),
    ):
        assert stopped_rate(nothing).point is None


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_scores_that_are_no_numbers(bad: float) -> None:
    """n/a in the report, and nothing for a baseline."""
    assert mean([0.5, bad]).point is None
    assert "1 of 2" in mean([0.5, bad]).method
    assert score_summary([0.5, bad]) is None


def test_scores_at_the_edge() -> None:
    """Sums that no float holds are n/a; a spread that none holds is left out."""
    assert mean([1.7e308, 1.7e308]).point is None
    summary = score_summary([1.7e308, -1.7e308])
    assert summary is not None
    assert (summary.n, summary.mean, summary.sd) == (2, 0.0, None)
    one = score_summary([0.25])
    assert one is not None
    assert (one.mean, one.sd) == (0.25, None)
