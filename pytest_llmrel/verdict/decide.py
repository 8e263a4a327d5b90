"""How a verdict falls: findings from a summary, and the worst of them."""

from pytest_llmrel.core.gate import Gate
from pytest_llmrel.core.model import Estimate, Finding, Outcome, Status, Summary, Verdict
from pytest_llmrel.core.plan import RunPlan

__all__ = ["decide", "worst"]

_ORDER = (Status.PASS, Status.INCONCLUSIVE, Status.FAIL)


def worst(statuses: list[Status]) -> Status:
    """The worst of them: FAIL over INCONCLUSIVE over PASS; INCONCLUSIVE if there is none."""
    return max(statuses, key=_ORDER.index, default=Status.INCONCLUSIVE)


def decide(plan: RunPlan, summary: Summary, max_error_rate: float) -> Verdict:
    """Judge a test by its gates, or by "every run must pass" where it has none.

    Args:
        plan: what was asked for.
        summary: what happened.
        max_error_rate: share of erring runs, 0..1, above which nothing is concluded.
    """
    findings = [_judge(gate, summary) for gate in plan.gates] or [_all_must_pass(summary)]
    findings += _completeness(summary, max_error_rate)
    return Verdict(worst([finding.status for finding in findings]), tuple(findings))


def _judge(gate: Gate, summary: Summary) -> Finding:
    estimate = summary.metrics.get(gate.metric)
    if estimate is None:
        estimate = Estimate.undefined(f"no run recorded a score {gate.metric!r}")
    if estimate.point is None:
        reason = f"{gate.metric} is n/a ({estimate.method}), so the gate '{gate}' cannot be decided"
        return Finding(gate.metric, gate.limit, "n/a", Status.INCONCLUSIVE, reason)
    met = gate.met_by(estimate.point)
    straddles = _straddles(gate, estimate)
    observed = _shown(estimate.point, gate.bar)
    interval = "" if estimate.low is None else f" (95 % {estimate.low:.2f} to {estimate.high:.2f})"
    said = f"{gate.metric} is {observed}{interval}, {'within' if met else 'outside'} the bar {gate.limit}"
    if straddles:
        said += "; the interval contains the bar, more runs could overturn this"
    status = Status.PASS if met else Status.FAIL
    return Finding(gate.metric, gate.limit, observed, status, said, straddles)


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
