"""Counts become metrics: who is in which denominator, and what is undefined."""

from collections.abc import Callable
from contextlib import suppress
from math import inf, nan
from typing import Any

import pytest

from pytest_llmrel.core.gate import RATES, SPENDING, TIMES
from pytest_llmrel.core.model import Attempt, Failure, Outcome, Sample, Tally, Variant
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.core.run import Run
from pytest_llmrel.core.score import Score
from pytest_llmrel.stats.intervals import wilson
from pytest_llmrel.verdict.summary import Aggregate

Maker = Callable[..., Any]


def points(summary: Any) -> dict[str, float | None]:
    """The points of all metrics."""
    return {name: estimate.point for name, estimate in summary.metrics.items()}


def test_the_denominators(make_plan: Maker, aggregated: Maker) -> None:
    """Valid are passed, failed and abstained; errors stand beside them; skips and xfails are nowhere."""
    found = aggregated(make_plan(), "ppppffaeesxx")
    assert found.counts == {
        Outcome.PASSED: 4, Outcome.FAILED: 2, Outcome.ABSTAINED: 1,
        Outcome.ERROR: 2, Outcome.SKIPPED: 1, Outcome.XFAILED: 2,
    }  # fmt: skip
    assert (found.runs, found.valid, found.unfinished) == (12, 7, 0)
    shown = points(found)
    assert shown["pass_rate"] == 4 / 7
    assert shown["wrong_rate"] == 2 / 7
    assert shown["abstention_rate"] == 1 / 7
    assert shown["error_rate"] == 2 / 9


def test_a_rate_has_its_wilson_interval_and_n(make_plan: Maker, aggregated: Maker) -> None:
    """No bare float: point, ends, how many runs, which method."""
    rate = aggregated(make_plan(), "pppfe").metrics["pass_rate"]
    assert (rate.point, rate.low, rate.high, rate.n) == (0.75, *wilson(3, 4), 4)
    assert "Wilson" in rate.method


@pytest.mark.parametrize("letters", ["", "eee", "sss", "xx", "es"])
def test_without_valid_runs_the_rates_are_undefined(
    make_plan: Maker, aggregated: Maker, letters: str
) -> None:
    """Never 0 and never 1, and the reason is said."""
    found = aggregated(make_plan(), letters)
    for name in ("pass_rate", "wrong_rate", "abstention_rate", "latency_p50", "latency_p95"):
        estimate = found.metrics[name]
        assert (estimate.point, estimate.low, estimate.high) == (None, None, None)
        assert estimate.method == "no valid run"


def test_the_error_rate_of_errors_alone_is_one(make_plan: Maker, aggregated: Maker) -> None:
    """And of skips alone it is undefined."""
    assert points(aggregated(make_plan(), "ee"))["error_rate"] == 1.0
    assert points(aggregated(make_plan(), "ss"))["error_rate"] is None


def test_every_built_in_metric_is_always_there(make_plan: Maker, aggregated: Maker) -> None:
    """A gate on one always finds it, defined or not; what is of calls is shown only where there are some."""
    of_calls = SPENDING | {"call_latency_p50", "call_latency_p95"}
    assert set(aggregated(make_plan(), "").metrics) >= (RATES | TIMES) - of_calls
    gated = make_plan(10, *(f"{name} <= 1" for name in sorted(RATES | TIMES | SPENDING)))
    assert set(aggregated(gated, "").metrics) >= RATES | TIMES | SPENDING


def test_latency_is_that_of_valid_runs(make_plan: Maker) -> None:
    """An error may have taken a minute to time out: that says nothing of the model."""
    aggregate = Aggregate(make_plan(), 5)
    durations = ((0.3, Outcome.PASSED), (0.1, Outcome.FAILED), (0.2, Outcome.ABSTAINED), (60, Outcome.ERROR))
    for run, (seconds, outcome) in enumerate(durations):
        aggregate.record(Sample(Attempt("", Variant(), run, 0), outcome, seconds))
    shown = aggregate.summary().metrics
    assert (shown["latency_p50"].point, shown["latency_p95"].point, shown["latency_p95"].n) == (0.2, 0.3, 3)


def test_pass_k_of_one_wording(make_plan: Maker, aggregated: Maker) -> None:
    """Of k runs, and of 5; the interval is that of the pass rate, transformed."""
    found = aggregated(make_plan(10), "pppppppfff").metrics
    assert {name for name in found if "@" in name or "^" in name} == {
        "pass@5",
        "pass^5",
        "pass@10",
        "pass^10",
    }
    low, high = wilson(7, 10)
    assert found["pass^5"].point == pytest.approx(21 / 252)
    assert (found["pass^5"].low, found["pass^5"].high) == pytest.approx((low**5, high**5))
    assert found["pass@5"].point == pytest.approx(1 - 0 / 252)
    assert (found["pass@5"].low, found["pass@5"].high) == pytest.approx(
        (1 - (1 - low) ** 5, 1 - (1 - high) ** 5)
    )
    assert found["pass^10"].point == 0.0
    assert found["pass^5"].n == 10


def test_pass_k_of_several_wordings_is_their_mean(make_plan: Maker, aggregated: Maker) -> None:
    """Each wording is a task with its own runs: pooling them would be wrong."""
    found = aggregated(make_plan(2, wordings="ab"), "pp", "ff").metrics
    assert (found["pass^2"].point, found["pass@2"].point) == (0.5, 0.5)
    assert (found["pass^2"].low, found["pass^2"].n) == (None, 4)


def test_pass_k_uses_each_wordings_own_n(make_plan: Maker, aggregated: Maker) -> None:
    """An error in one wording changes that wording's denominator only."""
    found = aggregated(make_plan(4, "pass^2 >= 0.1", wordings="ab"), "ppfe", "pppp").metrics
    assert found["pass^2"].point == pytest.approx((1 / 3 + 1) / 2)


@pytest.mark.parametrize(
    ("letters", "fewest"),
    [(("ppe", "ppp"), 2), (("ppp",), 0), (("ppp", "eee"), 0), ((), 0), (("ppp", "s"), 0)],
)
def test_pass_k_is_undefined_where_any_wording_has_too_few_runs(
    make_plan: Maker, aggregated: Maker, letters: tuple[str, ...], fewest: int
) -> None:
    """Nothing is extrapolated, and a wording without runs is not forgotten."""
    found = aggregated(make_plan(3, "pass^3 >= 0.1", wordings="ab"), *letters).metrics["pass^3"]
    assert (found.point, found.low, found.high) == (None, None, None)
    assert f"at least 3 valid runs per wording, there are {fewest}" in found.method


def test_a_gated_k_is_computed_whatever_it_is(make_plan: Maker, aggregated: Maker) -> None:
    """pass^3 under a gate, and pass@1 which is the pass rate."""
    found = points(aggregated(make_plan(4, "pass^3 >= 0.1", "pass@1 >= 0.1"), "pppf"))
    assert found["pass^3"] == pytest.approx(1 / 4)
    assert found["pass@1"] == found["pass^1"] == found["pass_rate"] == 0.75


def test_a_single_run_has_no_pass_k(make_plan: Maker, aggregated: Maker) -> None:
    """k=1 would only repeat the pass rate."""
    assert not [name for name in aggregated(make_plan(1), "p").metrics if "^" in name or "@" in name]


def test_scores_are_means_over_the_runs_that_recorded_them(make_plan: Maker) -> None:
    """A run without the score is not a zero, and an error's score is not counted."""
    aggregate = Aggregate(make_plan(), 4)
    runs = ((Outcome.PASSED, 1.0), (Outcome.FAILED, 0.5), (Outcome.PASSED, None), (Outcome.ERROR, 9.0))
    for run, (outcome, value) in enumerate(runs):
        scores = () if value is None else (Score("tone", value),)
        aggregate.record(Sample(Attempt("", Variant(), run, 0), outcome, scores=scores))
    tone = aggregate.summary().metrics["tone"]
    assert (tone.point, tone.n, tone.method) == (0.75, 2, "mean")


@pytest.mark.parametrize("odd", [nan, inf, -inf])
def test_a_score_that_is_not_finite_makes_the_mean_undefined(
    make_plan: Maker, aggregated: Maker, odd: float
) -> None:
    """Dropping it would be a pass for a crashed scorer."""
    found = aggregated(make_plan(), "ppp", scores=[1.0, odd, 1.0]).metrics["mark"]
    assert (found.point, found.n) == (None, 3)
    assert "1 of 3" in found.method


def test_huge_scores_do_not_stop_the_summary(make_plan: Maker, aggregated: Maker) -> None:
    """The sum of finite values may leave the range of floats; their mean does not."""
    found = aggregated(make_plan(), "pp", scores=[1.5e308, 1.5e308]).metrics["mark"]
    assert found.point is None or found.point == pytest.approx(1.5e308)


@pytest.mark.parametrize("name", [*sorted(RATES | TIMES)])
def test_a_recorded_score_never_replaces_a_built_in_metric(
    make_plan: Callable[..., RunPlan], name: str
) -> None:
    """Otherwise ``llmrel.score("pass_rate", 1)`` would make any gate on it pass."""
    run = Run(Attempt("", Variant(), 0, 0))
    with suppress(ValueError):  # refusing the name is one way to keep the law
        run.score(name, 0.123)
    aggregate = Aggregate(make_plan(1), 1)
    aggregate.record(Sample(run.attempt, Outcome.FAILED, 7.0, tuple(run.scores)))
    metric = aggregate.summary().metrics.get(name)
    assert metric is None or metric.point != 0.123


def test_tallies_of_the_wordings(make_plan: Maker, aggregated: Maker) -> None:
    """One per planned wording, in the order of the mark, those without runs included."""
    plan = make_plan(3, wordings=("a", "b", "c"))
    found = aggregated(plan, "ppe", "afs")
    keys = [variant.key for variant in plan.inputs.variants]
    assert found.variants == (Tally(keys[0], "a", 2, 2), Tally(keys[1], "b", 0, 2), Tally(keys[2], "c", 0, 0))


def test_no_tallies_without_paraphrase(make_plan: Maker, aggregated: Maker) -> None:
    """A test in one wording has no table of wordings."""
    assert aggregated(make_plan(), "pp").variants == ()


def test_missing_runs_are_counted(make_plan: Maker, aggregated: Maker) -> None:
    """What was planned and has no sample is unfinished, and the reason travels along."""
    assert aggregated(make_plan(), "ppf", planned=10).unfinished == 7
    assert Aggregate(make_plan(), 3).summary("Ctrl-C").stop_reason == "Ctrl-C"


def test_failures_and_raising_tear_downs_are_kept_apart(
    make_plan: Maker, make_failure: Callable[..., Failure]
) -> None:
    """A run that passed may have a tear-down that raised."""
    aggregate = Aggregate(make_plan(), 2)
    attempts = [Attempt("", Variant(), run, run) for run in range(2)]
    aggregate.record(Sample(attempts[0], Outcome.PASSED, teardown=make_failure("down")))
    aggregate.record(Sample(attempts[1], Outcome.FAILED, failure=make_failure("up")))
    found = aggregate.summary()
    assert [group.key.message for group in found.groups] == ["up"]
    assert [group.key.message for group in found.teardowns] == ["down"]


def test_a_summary_is_a_snapshot(make_plan: Maker) -> None:
    """Runs recorded later do not change a summary made before."""
    aggregate = Aggregate(make_plan(), 2)
    before = aggregate.summary()
    aggregate.record(Sample(Attempt("", Variant(), 0, 0), Outcome.PASSED))
    assert (before.runs, before.metrics["pass_rate"].point) == (0, None)
    assert aggregate.summary().runs == 1
