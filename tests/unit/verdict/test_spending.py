"""What runs spend: totals, the cost of a correct answer, and what is unknown of either."""

from typing import Any

import pytest

from pytest_llmrel.core.call import Call, Traffic, Usage
from pytest_llmrel.core.gate import Gate
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Variant
from pytest_llmrel.verdict.spending import Spending

OUTCOMES = {"p": Outcome.PASSED, "f": Outcome.FAILED, "e": Outcome.ERROR, "s": Outcome.SKIPPED}


def call(cost: float | None = 0.5, tokens: tuple[int, int] | None = (10, 2), **changes: Any) -> Call:
    """One answered call."""
    usage = None if tokens is None else Usage("m", *tokens, cache_read_tokens=1, reasoning_tokens=1)
    return Call("host", "/v1", 200, 0.25, usage, cost, **changes)


def spent_by(letters: str, *calls: Call) -> Spending:
    """Runs that ended as letters say, each with the same calls."""
    spending = Spending()
    for run, letter in enumerate(letters):
        attempt = Attempt("", Variant(), run, run)
        spending.record(Sample(attempt, OUTCOMES[letter], traffic=Traffic(calls)))
    return spending


def test_totals_are_those_of_all_runs() -> None:
    """Whatever became of them: an error has been paid for, too."""
    metrics = spent_by("pfe", call(), call(0.25, (5, 1))).metrics()
    assert (metrics["cost"].point, metrics["cost"].n) == (2.25, 3)
    assert metrics["calls"].point == 6
    assert metrics["tokens"].point == 54
    assert metrics["call_latency_p95"].point == 0.25


def test_cost_per_pass_counts_every_run() -> None:
    """Ten dollars for four answers, wrong ones included; the interval holds it."""
    metric = spent_by("ppppffpppp", call(1.0)).metrics()["cost_per_pass"]
    assert metric.point == pytest.approx(1.25)
    assert metric.low is not None
    assert metric.high is not None
    assert metric.low < 1.25 < metric.high


def test_nothing_passed_has_no_cost_per_pass() -> None:
    """It is n/a, and no number."""
    metric = spent_by("ff", call()).metrics()["cost_per_pass"]
    assert (metric.point, metric.method) == (None, "no run passed")


def test_what_is_unknown_makes_the_cost_unknown() -> None:
    """One call without a price is enough; the tokens are known all the same."""
    metrics = spent_by("p", call(), call(None)).metrics()
    assert metrics["cost"].point is None
    assert metrics["cost_per_pass"].point is None
    assert "1 of 2 calls is unknown: no price of model 'm'" in metrics["cost"].method
    assert metrics["tokens"].point == 24


def test_a_call_without_usage_makes_tokens_unknown() -> None:
    """And says where it was made."""
    metrics = spent_by("p", call(), call(None, None)).metrics()
    assert metrics["tokens"].point is None
    assert "no usage from host/v1" in metrics["cost"].method


def test_no_call_is_no_metric() -> None:
    """Unless a gate asks for it: then it is undefined, and says what to do."""
    spending = spent_by("pp")
    assert spending.metrics() == {}
    wanted = spending.metrics(["cost", "tokens", "calls", "cost_per_pass"])
    assert {metric.point for metric in wanted.values()} == {None}
    assert "llmrel.usage()" in wanted["cost"].method
    assert spending.idle_runs == 2


def test_judges_are_counted_apart() -> None:
    """The judge is not what the feature costs."""
    spending = spent_by("p", call(0.5), call(2.0, judge=True))
    assert (spending.spent.usd, spending.judging.usd) == (0.5, 2.0)
    assert spending.metrics()["cost"].point == 0.5
    assert spending.metrics()["calls"].point == 1


def test_calls_outside_of_runs_are_paid_for_by_the_test() -> None:
    """A total that leaves them out would be too small; spread over the runs they raise the cost of a pass."""
    spending = spent_by("pp", call(1.0))
    spending.record_outside([call(4.0)])
    metrics = spending.metrics()
    assert (metrics["cost"].point, metrics["cost_per_pass"].point) == (6.0, 3.0)


def test_a_run_that_was_cut_off_is_paid_for_and_no_run() -> None:
    """Its calls cost what they cost."""
    spending = spent_by("p", call(1.0))
    spending.record_cut_off(
        Sample(Attempt("", Variant(), 1, 1), Outcome.ERROR, traffic=Traffic((call(2.0),)))
    )
    assert (spending.metrics()["cost"].point, spending.metrics()["cost"].n) == (3.0, 1)


def test_skipped_runs_do_not_count() -> None:
    """Neither as runs without a call, nor as runs that did not pass."""
    assert spent_by("ps", call(1.0)).metrics()["cost_per_pass"].point == 1.0
    assert spent_by("ss").idle_runs == 0


@pytest.mark.parametrize(
    ("metric", "bar", "exceeded"), [("cost", 1.0, False), ("cost", 0.9, True), ("calls", 1, True)]
)
def test_a_bar_that_is_missed_whatever_comes(metric: str, bar: float, exceeded: bool) -> None:
    """Totals only grow."""
    assert spent_by("pp", call(0.5)).exceeds(Gate(metric, "<=", bar)) is exceeded


def test_what_the_runs_show_of_the_cost_of_a_pass() -> None:
    """A bar far above is met, one far below is missed, and one at the point is neither."""
    spending = spent_by("ppppfppppp" * 4, call(1.0))
    met, missed, open_ = (
        spending.shown_about_cost_per_pass(Gate("cost_per_pass", "<=", bar)) for bar in (5.0, 0.5, 1.11)
    )
    assert (met.met, met.missed) == (True, False)
    assert (missed.met, missed.missed) == (False, True)
    assert (open_.met, open_.missed) == (False, False)


def test_many_small_sums_add_up() -> None:
    """Ten thousand times a tenth of a cent is ten dollars, to the cent and beyond."""
    spending = spent_by("p", *[call(0.001)] * 10_000)
    assert spending.spent.usd == pytest.approx(10.0, rel=1e-14)
