"""How a verdict falls: gates, or every run; and what keeps a good metric from being a pass."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from pytest_llmrel.core.gate import GateMode
from pytest_llmrel.core.model import Finding, Outcome, Sample, Status, Summary, Verdict
from pytest_llmrel.verdict.decide import decide, worst
from pytest_llmrel.verdict.summary import Aggregate

Maker = Callable[..., Any]
P, I, F = Status.PASS, Status.INCONCLUSIVE, Status.FAIL  # noqa: E741


@pytest.fixture
def judge(make_plan: Maker, aggregated: Maker) -> Callable[..., Verdict]:
    """Judges ten runs given as letters by gates."""

    def judged(
        letters: str, *gates: str, planned: int | None = None, allowed: float = 0.1, **more: Any
    ) -> Verdict:
        plan = make_plan(10, *gates)
        return decide(plan, aggregated(plan, letters, planned=planned, **more), allowed)

    return judged


def only(verdict: Verdict) -> Finding:
    """The single finding."""
    (finding,) = verdict.findings
    return finding


def test_the_worst_finding_wins() -> None:
    """FAIL over INCONCLUSIVE over PASS, in any order; nothing judged is no pass."""
    for length in (1, 2, 3):
        for statuses in product((P, I, F), repeat=length):
            expected = F if F in statuses else I if I in statuses else P
            assert worst(list(statuses)) is expected
    assert worst([]) is I


@pytest.mark.parametrize(
    ("letters", "status", "observed"),
    [
        ("pppppppppp", P, "10 of 10"),
        ("pppppppppf", F, "9 of 10"),
        ("pppppppppa", F, "9 of 10"),
        ("ppppppppss", P, "8 of 8"),
        ("ppppppppxx", P, "8 of 8"),
        ("ffffffffff", F, "0 of 10"),
    ],
)
def test_without_a_gate_every_run_must_pass(
    judge: Callable[..., Verdict], letters: str, status: Status, observed: str
) -> None:
    """As in any pytest test, and the message says so; skipped runs are left out."""
    verdict = judge(letters)
    finding = only(verdict)
    assert (verdict.status, finding.observed, finding.expected) == (status, observed, "every run passes")
    assert "no gate and no baseline, so every run must pass" in finding.explanation


@pytest.mark.parametrize("letters", ["", "ssssssssss", "xxx"])
def test_nothing_to_judge_is_no_pass(judge: Callable[..., Verdict], letters: str) -> None:
    """No run that came to an end is INCONCLUSIVE, never PASS."""
    assert only(judge(letters)).status is I


def test_errors_are_neither_passes_nor_failures(judge: Callable[..., Verdict]) -> None:
    """Without a gate one error makes the rest INCONCLUSIVE, and a failure beside it FAIL."""
    assert only(judge("pppppppppe")).status is I
    assert judge("ppppppppfe").status is F
    assert judge("eeeeeeeeee").status is I


@pytest.mark.parametrize(
    ("gate", "status"),
    [
        ("pass_rate >= 0.8", P),
        ("pass_rate > 0.8", F),
        ("pass_rate >= 0.81", F),
        ("wrong_rate <= 0.2", P),
        ("wrong_rate < 0.2", F),
        ("pass^5 >= 0.2", P),
        ("pass^5 >= 0.3", F),
        ("pass@5 >= 1", P),
        ("latency_p50 <= 0.4", P),
        ("latency_p95 < 0.9", F),
        ("error_rate <= 0", P),
    ],
)
def test_a_gate_compares_what_is_written(judge: Callable[..., Verdict], gate: str, status: Status) -> None:
    """Eight of ten runs pass; durations are 0.0 to 0.9 seconds."""
    verdict = judge("ppppppppff", gate)
    assert (verdict.status, only(verdict).metric) == (status, gate.partition(" ")[0])


def test_with_a_gate_not_every_run_must_pass(judge: Callable[..., Verdict]) -> None:
    """The gate replaces the rule, it does not add to it."""
    assert judge("pffffffffff"[:10], "pass_rate >= 0.1").status is P


def test_a_finding_tells_metric_value_interval_and_bar(judge: Callable[..., Verdict]) -> None:
    """Everything a reader needs to agree or not."""
    finding = only(judge("ppppppppff", "pass_rate >= 0.9"))
    assert (finding.expected, finding.observed) == (">= 0.9", "0.8")
    assert finding.explanation.startswith("pass_rate is 0.8 (95 % 0.49 to 0.94), outside the bar >= 0.9")


def test_a_bar_is_not_rounded_in_a_finding(judge: Callable[..., Verdict]) -> None:
    """0.9999999 is not 1."""
    assert "0.9999999" in only(judge("pppppppppp", "pass_rate >= 0.9999999")).expected


@pytest.mark.parametrize(
    ("gate", "straddles"),
    [
        ("pass_rate >= 0.9", True),
        ("pass_rate >= 0.5", True),
        ("pass_rate >= 0.4", False),
        ("pass_rate >= 0.95", False),
        ("wrong_rate <= 0.5", True),
        ("wrong_rate <= 0.6", False),
        ("latency_p95 <= 1", False),
    ],
)
def test_a_result_that_more_runs_could_overturn_is_flagged(
    judge: Callable[..., Verdict], gate: str, straddles: bool
) -> None:
    """Eight of ten: 0.49 to 0.94. The verdict stands; the flag and a word say that the bar lies within."""
    finding = only(judge("ppppppppff", gate))
    assert finding.straddles is straddles
    assert ("more runs could overturn this" in finding.explanation) is straddles


@pytest.mark.parametrize("gate", ["tone >= 0.5", "tone <= 0.5", "pass^11 >= 0", "latency_p95 <= 99"])
def test_a_gate_on_the_undefined_is_inconclusive(judge: Callable[..., Verdict], gate: str) -> None:
    """A score nobody recorded, too few runs, no valid run: n/a, with the reason, never a pass."""
    finding = judge("ssssssssss", gate).findings[0]
    assert (finding.status, finding.observed) == (I, "n/a")
    assert f"the gate '{gate}' cannot be decided" in finding.explanation


def test_a_score_that_is_not_finite_is_inconclusive(judge: Callable[..., Verdict]) -> None:
    """NaN meets no bar and misses none."""
    assert judge("pp", "mark >= 0", scores=[1.0, float("nan")]).status is I


def test_all_gates_are_judged(judge: Callable[..., Verdict]) -> None:
    """In the order of the mark, and a failed one does not hide the others."""
    verdict = judge("ppppppppff", "pass_rate >= 0.9", "tone >= 1", "wrong_rate <= 0.5")
    assert [finding.status for finding in verdict.findings] == [F, I, P]
    assert verdict.status is F


@pytest.mark.parametrize(("errors", "status"), [(0, P), (1, P), (2, I), (9, I)])
def test_too_many_errors_are_inconclusive(judge: Callable[..., Verdict], errors: int, status: Status) -> None:
    """Exactly the allowed share is allowed; above it nothing is concluded from the rest."""
    verdict = judge("p" * (10 - errors) + "e" * errors, "pass_rate >= 0.5")
    assert verdict.status is status
    if errors > 1:
        assert verdict.findings[-1].metric == "error_rate"
        assert f"{errors} of 10 runs" in verdict.findings[-1].explanation
        assert "llmrel_max_error_rate" in verdict.findings[-1].explanation


def test_too_many_errors_do_not_excuse_a_failure(judge: Callable[..., Verdict]) -> None:
    """FAIL is worse."""
    assert judge("ffffffffee", "pass_rate >= 0.5").status is F


def test_the_allowed_share_of_errors_is_the_callers(judge: Callable[..., Verdict]) -> None:
    """Zero allows none, one allows all but says nothing of the rate."""
    assert judge("pppppppppe", "pass_rate >= 0.5", allowed=0).status is I
    assert judge("peeeeeeeee", "pass_rate >= 0.5", allowed=1).status is P


def test_missing_runs_are_inconclusive(judge: Callable[..., Verdict]) -> None:
    """Even where all that ended passed; the count and the reason are named."""
    verdict = judge("ppp", planned=10)
    assert verdict.status is I
    assert "7 of 10 runs are missing" in verdict.findings[-1].explanation


def test_the_reason_for_missing_runs_is_told(make_plan: Maker) -> None:
    """Why it was stopped stands where the verdict is explained."""
    plan = make_plan(5)
    verdict = decide(plan, Aggregate(plan, 5).summary("HTTP 401"), 0.1)
    assert "5 of 5 runs are missing: HTTP 401" in verdict.findings[-1].explanation


def test_a_raising_tear_down_fails(make_plan: Maker, make_failure: Maker) -> None:
    """All runs passed, and still the test is not PASS."""
    plan = make_plan(1)
    aggregate = Aggregate(plan, 1)
    sample = Sample(make_failure().describe().attempt, Outcome.PASSED, teardown=make_failure("down"))
    aggregate.record(sample)
    verdict = decide(plan, aggregate.summary(), 0.1)
    assert verdict.status is F
    assert "the tear-down of 1 of 1 runs raised" in verdict.findings[-1].explanation


def test_no_verdict_of_any_mixture_is_pass_by_mistake(make_plan: Maker, aggregated: Maker) -> None:
    """All mixtures of four runs: without a gate PASS means that something passed, and nothing else was judged."""
    plan = make_plan(4)
    for letters in product("pfasxe", repeat=4):
        summary: Summary = aggregated(plan, "".join(letters))
        passed = decide(plan, summary, 1.0).status is P
        assert passed == ("p" in letters and not set(letters) & set("fae"))


@pytest.mark.parametrize(
    ("letters", "gate", "expected", "said"),
    [
        ("p" * 29, "pass_rate >= 0.9", (P, P), "shown to meet the bar >= 0.9"),
        ("p" * 28, "pass_rate >= 0.9", (P, I), "not shown to m"),
        ("ff", "pass_rate >= 0.9", (F, F), "shown to miss the bar >= 0.9"),
        ("p", "wrong_rate <= 0.5", (I, I), "cannot be decided"),
        ("pppp", "wrong_rate <= 0.1", (P, I), "not shown to m"),
        ("", "pass_rate >= 0.9", (I, I), "pass_rate is n/a (no valid run)"),
        ("sss", "latency_p95 <= 9", (I, I), "latency_p95 is n/a (no valid run)"),
        ("ppp", "tone >= 0.5", (I, I), "no run recorded a score 'tone'"),
    ],
)
def test_what_the_runs_show_against_the_bar(
    make_plan: Maker, aggregated: Maker, letters: str, gate: str, expected: tuple[Status, Status], said: str
) -> None:
    """Evidence fails on a shown miss, proof passes on a shown meeting; a finding says which and by what test."""
    for mode, status in zip((GateMode.EVIDENCE, GateMode.PROOF), expected, strict=True):
        plan = replace(make_plan(len(letters) or 1, gate), mode=mode)
        finding = decide(plan, aggregated(plan, letters), 1.0).findings[0]
        assert finding.status is status
        assert said in finding.explanation
        assert "PASS" not in finding.explanation


@pytest.mark.parametrize("mode", list(GateMode))
def test_no_mode_passes_without_a_valid_run(make_plan: Maker, aggregated: Maker, mode: GateMode) -> None:
    """All mixtures of three runs that do not count, for every kind of metric."""
    gates = ("pass_rate >= 0", "wrong_rate <= 1", "abstention_rate <= 1", "pass^1 >= 0", "pass@1 >= 0", "tone >= 0",
             "latency_p50 <= 9", "latency_p95 <= 9")  # fmt: skip
    for gate in gates:
        plan = replace(make_plan(3, gate), mode=mode)
        for letters in product("sxe", repeat=3):
            assert decide(plan, aggregated(plan, "".join(letters)), 1.0).status is I


@pytest.mark.parametrize(
    ("words", "status", "straddles"),
    [(("ppppp", "ppppp"), P, False), (("ppppp", "ppfff"), P, True), (("ppppp", "fffff"), F, False)],
)
def test_sensitivity_is_red_if_exceeded_and_real(
    make_plan: Maker, aggregated: Maker, words: tuple[str, str], status: Status, straddles: bool
) -> None:
    """No spread; a spread that noise gives as well, flagged; and one that it does not."""
    for mode in (GateMode.OBSERVED, GateMode.EVIDENCE):
        plan = replace(make_plan(5, "sensitivity <= 0.1", wordings=["a", "b"]), mode=mode)
        finding = only(decide(plan, aggregated(plan, *words), 1.0))
        assert (finding.status, finding.straddles) == (status, straddles)
