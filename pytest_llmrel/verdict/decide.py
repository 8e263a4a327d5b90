"""How a verdict falls: findings from a summary, and the worst of them."""

from collections.abc import Sequence
from dataclasses import replace
from math import nan

from pytest_llmrel.core.gate import FAITHFUL_RATE, FAITHFULNESS, SPENDING, TOTALS, Gate, GateMode
from pytest_llmrel.core.model import Decision, Estimate, Finding, Outcome, Status, Summary, Verdict
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.core.score import Scoring
from pytest_llmrel.core.shown import Sensitivity, Shown
from pytest_llmrel.verdict.evidence import LEVEL, status_of

__all__ = ["decide", "worst"]

_ORDER = (Status.PASS, Status.INCONCLUSIVE, Status.FAIL)


def worst(statuses: list[Status]) -> Status:
    """The worst of them: FAIL over INCONCLUSIVE over PASS; INCONCLUSIVE if there is none."""
    return max(statuses, key=_ORDER.index, default=Status.INCONCLUSIVE)


def decide(
    plan: RunPlan,
    summary: Summary,
    max_error_rate: float,
    regression: Sequence[Finding] = (),
    escalation: Summary | None = None,
) -> Verdict:
    """Judge a test by its gates and its baseline, or by "every run must pass" where it has neither.

    Args:
        plan: what was asked for.
        summary: what happened.
        max_error_rate: share of erring runs, 0..1, above which nothing is concluded.
        regression: what the comparison with the baseline found, if there is one.
        escalation: of the runs that were made only for that comparison.
    """
    findings = [_judge(gate, plan, summary, max_error_rate) for gate in plan.gates]
    findings += regression
    if not findings:
        findings = [_all_must_pass(summary)]
    findings += _completeness(summary, max_error_rate)
    if escalation is not None:
        findings += _completeness(escalation, max_error_rate)
    if summary.cut_off or (escalation is not None and escalation.cut_off):
        findings = [_left_open(finding) for finding in findings]
    return Verdict(worst([finding.status for finding in findings]), tuple(findings))


def _left_open(finding: Finding) -> Finding:
    """A failure that is none: the budget ended the test, and what it got to see may be anything."""
    if finding.status is not Status.FAIL or finding.metric in {*SPENDING, "teardown"}:
        return finding
    said = f"{finding.explanation}; left open, because the budget ended the test before its last run"
    return replace(finding, status=Status.INCONCLUSIVE, explanation=said)


def _judge(gate: Gate, plan: RunPlan, summary: Summary, most_missing: float) -> Finding:
    if gate in summary.decisions:
        return _decided(gate, summary.decisions[gate])
    score = FAITHFULNESS if gate.metric == FAITHFUL_RATE else gate.metric
    unrecorded = Estimate.undefined(f"no run recorded a score {score!r}")
    estimate = summary.metrics.get(gate.metric, unrecorded)
    if estimate.point is None:
        return _undecidable(gate, f"{gate.metric} is n/a ({estimate.method})")
    return _judge_value(gate, plan, summary, estimate, estimate.point, most_missing)


def _judge_value(
    gate: Gate, plan: RunPlan, summary: Summary, estimate: Estimate, value: float, most_missing: float
) -> Finding:
    scoring = summary.scorings.get(FAITHFULNESS if gate.metric == FAITHFUL_RATE else gate.metric, Scoring())
    if reason := _too_often_missing(scoring, estimate.n, most_missing):
        return _undecidable(gate, f"{gate.metric} is n/a {reason}")
    if gate.metric == "sensitivity" and summary.sensitivity is not None:
        return _judge_sensitivity(gate, summary.sensitivity)
    label = _label(gate, scoring) + _recorded(
        gate, summary, estimate.n + sum(scoring.not_applicable.values())
    )
    if gate.metric == FAITHFUL_RATE:
        return _compare_cautiously(gate, estimate, value, label)
    if plan.mode is GateMode.OBSERVED or gate.metric in TOTALS:
        return _compare(gate, estimate, value, label)
    return _weigh(gate, plan.mode, estimate, summary.shown[gate], label)


def _too_often_missing(scoring: Scoring, n: int, most: float) -> str:
    missing = sum(scoring.not_applicable.values())
    if missing <= most * (missing + n):
        return ""
    reason = next(iter(scoring.not_applicable))
    return (
        f"in {missing} of {missing + n} runs ({reason}), more than the {most:.0%} allowed "
        "(llmrel_max_error_rate)"
    )


def _undecidable(gate: Gate, reason: str) -> Finding:
    said = f"{reason}, so the gate '{gate}' cannot be decided"
    return Finding(gate.metric, gate.limit, "n/a", Status.INCONCLUSIVE, said)


def _decided(gate: Gate, decision: Decision) -> Finding:
    """A gate that was followed run by run."""
    observed = f"{decision.events} of {decision.n}"
    what = {Status.PASS: "passes", Status.FAIL: "fails", Status.INCONCLUSIVE: "cannot be proven"}
    said = f"'{gate}' {what[decision.status]} with {observed} runs"
    said += f": {decision.method}" if decision.early or decision.sequential else ""
    return Finding(gate.metric, gate.limit, observed, decision.status, said)


def _compare(gate: Gate, estimate: Estimate, value: float, label: str) -> Finding:
    """The observed value against the bar: what you wrote is what is compared."""
    met, straddles = gate.met_by(value), _straddles(gate, estimate)
    said = f"{_measured(gate, estimate, value, label)}, {'within' if met else 'outside'} the bar {gate.limit}"
    if straddles:
        said += "; the interval contains the bar, more runs could overturn this"
    status = Status.PASS if met else Status.FAIL
    return Finding(gate.metric, gate.limit, _shown(value, gate.bar), status, said, straddles)


def _compare_cautiously(gate: Gate, estimate: Estimate, value: float, label: str) -> Finding:
    """The end of the interval that speaks against the gate: a judge's rate is known no better."""
    end = estimate.low if gate.wants_more else estimate.high
    if end is None:
        return _undecidable(gate, f"{gate.metric} has no interval ({estimate.method})")
    met = gate.met_by(end)
    side = "lower" if gate.wants_more else "upper"
    said = (
        f"{_measured(gate, estimate, value, label)}; the {side} end is "
        f"{'within' if met else 'outside'} the bar {gate.limit} ({estimate.method})"
    )
    status = Status.PASS if met else Status.FAIL
    return Finding(gate.metric, gate.limit, _shown(end, gate.bar), status, said, _straddles(gate, estimate))


def _weigh(gate: Gate, mode: GateMode, estimate: Estimate, shown: Shown, label: str) -> Finding:
    """What the runs show against the bar."""
    value = estimate.point if estimate.point is not None else nan
    status = status_of(mode, shown)
    if not (shown.can_miss or shown.can_meet):
        return _undecidable(gate, f"there is no {mode} about {gate.metric} ({shown.method})")
    if shown.met or shown.missed:
        said = f"shown to {'meet' if shown.met else 'miss'} the bar {gate.limit}"
    elif status is Status.PASS:
        said = f"not shown to miss the bar {gate.limit}"
    else:
        possible = shown.can_miss if mode is GateMode.EVIDENCE else shown.can_meet
        reason = "more runs may" if possible else "so few runs never could"
        said = f"not shown to {'meet' if mode is GateMode.PROOF else 'miss'} the bar {gate.limit}; {reason}"
    said = f"{_measured(gate, estimate, value, label)}, {said} ({shown.method})"
    straddles = not (shown.met or shown.missed)
    return Finding(gate.metric, gate.limit, _shown(value, gate.bar), status, said, straddles)


def _judge_sensitivity(gate: Gate, found: Sensitivity) -> Finding:
    """Red only when the limit is exceeded and the wordings really differ."""
    met, real = gate.met_by(found.sd), found.p <= LEVEL
    said = (
        f"sensitivity is {found.sd:.2f}, {'within' if met else 'outside'} the bar {gate.limit}; the wordings "
        f"spread over {found.spread:.2f} (noise alone {found.noise_spread:.2f}), p = {found.p:.2g}"
    )
    if not met:
        said += f": {'not noise' if real else 'it may well be noise'}"
    status = Status.PASS if met or not real else Status.FAIL
    return Finding(
        gate.metric, gate.limit, _shown(found.sd, gate.bar), status, said, straddles=not met and not real
    )


def _measured(gate: Gate, estimate: Estimate, value: float, label: str) -> str:
    form = ".4g" if gate.metric in SPENDING else ".2f"
    interval = "" if estimate.low is None else f" (95 % {estimate.low:{form}} to {estimate.high:{form}})"
    return f"{label} is {_shown(value, gate.bar)}{interval}"


def _label(gate: Gate, scoring: Scoring) -> str:
    """The metric as it is told, with who scored it: a tripwire is not to be taken for more."""
    return f"{gate.metric} ({', '.join(scoring.scorers)})" if scoring.scorers else gate.metric


def _recorded(gate: Gate, summary: Summary, n: int) -> str:
    """How many runs recorded the score, if that is not all of them: what was not scored may be anything."""
    if not (gate.is_score or gate.metric == FAITHFUL_RATE) or n >= summary.valid:
        return ""
    return f" in the {n} of {summary.valid} runs that recorded it"


def _straddles(gate: Gate, estimate: Estimate) -> bool:
    if estimate.low is None or estimate.high is None:
        return False
    return gate.met_by(estimate.low) is not gate.met_by(estimate.high)


def _shown(value: float, bar: float) -> str:
    """Four digits, or all of them where four would make the value look equal to the bar."""
    short = f"{value:.4g}"
    return repr(value) if float(short) == bar != value else short


def _all_must_pass(summary: Summary) -> Finding:
    """Without a gate every run must pass, as in any pytest test; skipped runs are left out."""
    passed = summary.counts[Outcome.PASSED]
    judged = summary.valid + summary.counts[Outcome.ERROR]
    observed = f"{passed} of {judged}"
    rule = "no gate and no baseline, so every run must pass"
    if passed < summary.valid:
        status, said = Status.FAIL, f"{observed} runs passed; {rule}"
    elif judged == 0:
        status, said = Status.INCONCLUSIVE, f"no run came to an end that can be judged; {rule}"
    elif passed < judged:
        status, said = Status.INCONCLUSIVE, f"{observed} runs passed, the others are errors; {rule}"
    else:
        status, said = Status.PASS, f"{observed} runs passed; {rule}"
    return Finding("pass_rate", "every run passes", observed, status, said)


def _completeness(summary: Summary, max_error_rate: float) -> list[Finding]:
    """What keeps a good metric from being a pass: errors, missing runs, raising tear-downs."""
    findings = []
    errors, rate = summary.counts[Outcome.ERROR], summary.metrics["error_rate"].point
    if rate is not None and rate > max_error_rate:
        said = (
            f"{errors} of {summary.valid + errors} runs ended in an error (infrastructure or fixture), "
            f"more than the {max_error_rate:.0%} allowed (llmrel_max_error_rate)"
        )
        bar = f"<= {max_error_rate:g}"
        findings.append(Finding("error_rate", bar, f"{rate:.4g}", Status.INCONCLUSIVE, said))
    if summary.unfinished:
        missing = f"{summary.unfinished} of {summary.unfinished + summary.runs} runs are missing"
        said = f"{missing}: {summary.stop_reason or 'they never ended'}"
        findings.append(Finding("runs", "all", str(summary.runs), Status.INCONCLUSIVE, said))
    if summary.teardowns:
        raised = sum(group.count for group in summary.teardowns)
        said = f"the tear-down of {raised} of {summary.runs} runs raised"
        findings.append(Finding("teardown", "none raises", str(raised), Status.FAIL, said))
    return findings
