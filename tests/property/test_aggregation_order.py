"""Runs end in any order: what is concluded from them is the same."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.model import Outcome, Status, Summary
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.summary import Aggregate

from .strategies import gates, plans, samples


def summarised(plan: RunPlan, runs: list) -> Summary:
    """What the runs amount to, recorded in this order."""
    aggregate = Aggregate(plan, plan.k * len(plan.inputs.variants))
    for run in runs:
        aggregate.record(run)
    return aggregate.summary()


def kinds(summary: Summary) -> dict:
    """Counts and wordings of the kinds of failure, without the sample of each."""
    found = (*summary.groups, *summary.teardowns)
    return {
        (group.key, number < len(summary.groups)): (group.count, dict(group.variants))
        for number, group in enumerate(found)
    }


@given(plans, st.data())
def test_numbers_and_verdict_do_not_depend_on_the_order(plan: RunPlan, data: st.DataObject) -> None:
    """Counts, metrics to the last bit, tallies, kinds of failure, verdict."""
    gated = replace(plan, gates=tuple(data.draw(st.lists(gates, max_size=3))))
    runs = data.draw(samples(plan))
    one, two = summarised(gated, runs), summarised(gated, data.draw(st.permutations(runs)))
    assert one.counts == two.counts
    assert one.metrics == two.metrics
    assert one.variants == two.variants
    assert kinds(one) == kinds(two)
    assert decide(gated, one, 0.1) == decide(gated, two, 0.1)


@given(plans, st.data())
def test_kinds_are_shown_in_the_same_order(plan: RunPlan, data: st.DataObject) -> None:
    """Most frequent first, those that are equally frequent always alike, and so their wordings."""
    runs = data.draw(samples(plan))
    one, two = summarised(plan, runs), summarised(plan, data.draw(st.permutations(runs)))
    for ours, theirs in ((one.groups, two.groups), (one.teardowns, two.teardowns)):
        assert [(group.key, [*group.variants]) for group in ours] == [
            (group.key, [*group.variants]) for group in theirs
        ]


@given(plans, st.data())
def test_counts_add_up(plan: RunPlan, data: st.DataObject) -> None:
    """Every run is in one count, every valid one in one tally, every failure in one group."""
    runs = data.draw(samples(plan))
    seen = data.draw(st.integers(0, len(runs)))
    summary = summarised(plan, runs[:seen])
    assert summary.runs == seen
    assert summary.runs + summary.unfinished == len(runs)
    if plan.inputs.argname:
        assert sum(tally.n for tally in summary.variants) == summary.valid
        assert sum(tally.passed for tally in summary.variants) == summary.counts[Outcome.PASSED]
    assert sum(group.count for group in summary.groups) == sum(run.failure is not None for run in runs[:seen])
    assert sum(group.count for group in summary.teardowns) == sum(
        run.teardown is not None for run in runs[:seen]
    )


@given(plans, st.data())
def test_every_point_is_defined_or_has_a_reason(plan: RunPlan, data: st.DataObject) -> None:
    """Whatever was recorded, non-finite and huge scores included: no exception, no NaN, ends around the point."""
    runs = data.draw(samples(plan, st.floats()))
    for estimate in summarised(plan, runs).metrics.values():
        assert estimate.method
        if estimate.point is None:
            assert (estimate.low, estimate.high) == (None, None)
        else:
            assert abs(estimate.point) < float("inf")
        if estimate.low is not None and estimate.high is not None:
            assert estimate.low <= estimate.high


@given(plans, st.data())
def test_a_pass_needs_passes(plan: RunPlan, data: st.DataObject) -> None:
    """Without a gate PASS means: all runs there, at least one passed, none failed, abstained or erred."""
    runs = data.draw(samples(plan))
    summary = summarised(plan, runs[: data.draw(st.integers(0, len(runs)))])
    others = sum(summary.counts[outcome] for outcome in (Outcome.FAILED, Outcome.ABSTAINED, Outcome.ERROR))
    passed = decide(plan, summary, 1.0).status is Status.PASS
    clean = not summary.unfinished and not summary.teardowns and not others
    assert passed == (clean and summary.counts[Outcome.PASSED] > 0)
