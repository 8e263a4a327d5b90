"""How gates on scores are decided: not applicable, recorded by some, and the rate of whole answers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_llmrel.core.gate import GateMode
from pytest_llmrel.core.model import Attempt, Estimate, Finding, Outcome, Sample, Status, Variant, Verdict
from pytest_llmrel.core.score import Score
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.summary import Aggregate

Maker = Callable[..., Any]
P, I, F = Status.PASS, Status.INCONCLUSIVE, Status.FAIL  # noqa: E741
NEVER: Any = object()
"""In place of a value: the run recorded none."""


@pytest.fixture
def judged(make_plan: Maker) -> Callable[..., Verdict]:
    """Judges runs that all passed and recorded these values of a score, ``None`` for not applicable."""

    def judge(
        values: list[Any],
        *gates: str,
        name: str = "faithfulness",
        allowed: float = 0.1,
        rate: Estimate | None = None,
        mode: GateMode = GateMode.OBSERVED,
    ) -> Verdict:
        plan = replace(make_plan(len(values), *gates), mode=mode)
        aggregate = Aggregate(plan, len(values))
        for run, value in enumerate(values):
            scores = () if value is NEVER else (Score(name, value, "overlap", said="nothing claimed"),)
            aggregate.record(Sample(Attempt("", Variant(), run, run), Outcome.PASSED, 0.1, scores))
        summary = aggregate.summary()
        if rate is not None:
            summary = replace(summary, metrics={**summary.metrics, "faithful_rate": rate})
        return decide(plan, summary, allowed)

    return judge


def only(verdict: Verdict) -> Finding:
    """The single finding."""
    (finding,) = verdict.findings
    return finding


@pytest.mark.parametrize(
    ("missing", "allowed", "status"),
    [
        (0, 0.1, P),
        (2, 0.1, P),
        (3, 0.1, I),
        (20, 0.1, I),
        (1, 0.0, I),
        (10, 0.5, P),
        (11, 0.5, I),
        (20, 1.0, I),
    ],
)
def test_not_applicable_too_often_is_undecided(
    judged: Callable[..., Verdict], missing: int, allowed: float, status: Status
) -> None:
    """Of 20 runs; exactly the allowed share still is allowed, and no value at all never is."""
    values = [None] * missing + [0.9] * (20 - missing)
    finding = only(judged(values, "faithfulness >= 0.8", allowed=allowed))
    assert finding.status is status
    assert ("nothing claimed" in finding.explanation) is (status is I)
    assert (finding.observed == "n/a") is (status is I)


def test_not_applicable_too_often_hides_no_failure_of_others(judged: Callable[..., Verdict]) -> None:
    """The other gates are judged all the same."""
    verdict = judged([None, None, 1.0], "faithfulness >= 0.5", "latency_p95 <= 0.01")
    assert [finding.status for finding in verdict.findings] == [I, F]
    assert verdict.status is F


def test_a_score_of_some_runs_says_so(judged: Callable[..., Verdict]) -> None:
    """How many of how many; nothing where all have one, and not of other metrics."""
    some = judged([NEVER, NEVER, 0.9, 0.9], "faithfulness >= 0.8", "pass_rate >= 0.5")
    said = [finding.explanation for finding in some.findings]
    assert "in the 2 of 4 runs that recorded it is 0.9" in said[0]
    assert "recorded" not in said[1]
    for values in ([0.9] * 4, [None] + [0.9] * 19):
        assert "recorded" not in only(judged(values, "faithfulness >= 0.8")).explanation


@pytest.mark.parametrize("gate", ["faithfulness >= 0.8", "faithful_rate >= 0.8"])
def test_what_nobody_recorded_is_undecided(judged: Callable[..., Verdict], gate: str) -> None:
    """And the score is named by which the test could have recorded it."""
    finding = only(judged([NEVER] * 3, gate))
    assert finding.status is I
    assert "no run recorded a score 'faithfulness'" in finding.explanation


@pytest.mark.parametrize(
    ("gate", "ends", "status", "observed"),
    [
        ("faithful_rate >= 0.7", (0.71, 0.99), P, "0.71"),
        ("faithful_rate >= 0.7", (0.69, 0.99), F, "0.69"),
        ("faithful_rate >= 0.7", (0.70, 0.99), P, "0.7"),
        ("faithful_rate > 0.7", (0.70, 0.99), F, "0.7"),
        ("faithful_rate <= 0.9", (0.50, 0.91), F, "0.91"),
        ("faithful_rate <= 0.9", (0.50, 0.89), P, "0.89"),
    ],
)
def test_the_rate_is_compared_by_its_cautious_end(
    judged: Callable[..., Verdict], gate: str, ends: tuple[float, float], status: Status, observed: str
) -> None:
    """In every mode: a judge's rate is known no better than its interval."""
    for mode in GateMode:
        rate = Estimate(0.85, *ends, 20, "Rogan-Gladen 95 %")
        finding = only(judged([1.0] * 20, gate, rate=rate, mode=mode))
        assert (finding.status, finding.observed) == (status, observed)
        assert "(Rogan-Gladen 95 %)" in finding.explanation


def test_a_rate_without_an_interval_is_undecided(judged: Callable[..., Verdict]) -> None:
    """As with fewer than ten cases; and one that is n/a says why."""
    bare = only(
        judged([1.0] * 4, "faithful_rate >= 0.1", rate=Estimate(1.0, None, None, 4, "mean of 2 cases"))
    )
    assert (bare.status, bare.observed) == (I, "n/a")
    assert "faithful_rate has no interval (mean of 2 cases)" in bare.explanation
    weak = only(
        judged([1.0] * 4, "faithful_rate >= 0.1", rate=Estimate.undefined("the judge is too weak", 4))
    )
    assert weak.status is I
    assert "the judge is too weak" in weak.explanation


def test_the_rate_is_missing_where_the_score_is(judged: Callable[..., Verdict]) -> None:
    """Runs without a score count against both alike."""
    rate = Estimate(1.0, 0.9, 1.0, 15, "Wilson 95 %")
    finding = only(judged([None] * 5 + [1.0] * 15, "faithful_rate >= 0.5", rate=rate))
    assert (finding.status, finding.observed) == (I, "n/a")
    assert "n/a in 5 of 20 runs (nothing claimed)" in finding.explanation
