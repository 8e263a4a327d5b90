"""The regression rule: did the tests get worse than their baselines, at one false alarm rate per session?

``P(red | no test got worse) <= alpha``, whatever the true rates: a third of alpha each for a drift of the
suite (exact stratified test), for single tests (exact min-p), and for single tests after an escalation. Only
the first k runs of a test go into the first two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_llmrel.core.baseline import Cell, Standing
from pytest_llmrel.core.model import Finding, Status
from pytest_llmrel.stats.multiplicity import benjamini_hochberg, min_p
from pytest_llmrel.stats.power import detectable_drop
from pytest_llmrel.stats.stratified import Stratum, null_distribution, stratified_p

__all__ = [
    "Comparison",
    "Guard",
    "Rule",
    "Suite",
    "compare",
    "guard_of",
    "judge_suite",
    "judge_test",
    "strata_of",
    "without_comparison",
]

_SHARES = 3
"""Parts that alpha is split into: drift, single tests, escalation."""
_SUSPECTS = 0.10
"""False discovery rate of the tests that are named beside a drift of the suite; they decide nothing."""
_FULL_GUARD = 50
"""Baseline runs below which a test is weakly guarded: luck in recording it makes or hides too many alarms."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule as it applies to the tests of one session.

    Attributes:
        alpha: chance of a red session although no test got worse, within (0, 1).
        tests: how many tests of the session have a baseline to be compared with, at least 1.
    """

    alpha: float
    tests: int

    flag = 0.10
    """p-value of the first k runs up to which more runs are made at once."""
    factor = 3
    """How many times k they are."""

    def is_suspicious(self, p: float) -> bool:
        """Whether ``p`` of the first k runs asks for more of them; a lower one has failed already."""
        return self.level < p <= self.flag

    @property
    def share(self) -> float:
        """Level of each of the three tests."""
        return self.alpha / _SHARES

    @property
    def level(self) -> float:
        """Level at which a single test fails on its own: the share over all tests (Bonferroni)."""
        return self.share / self.tests


@dataclass(frozen=True, slots=True)
class Guard:
    """How well a test is guarded by its baseline.

    Attributes:
        kind: ``"guarded"``, ``"weak"`` (fewer than 50 baseline runs) or ``"blind"`` (no result can fail it).
        detectable_drop: smallest drop of the pass rate, 0..1, that is detected four times out of five;
            ``None`` where there is none.
    """

    kind: str
    detectable_drop: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test against its baseline.

    Attributes:
        strata: counts of its first k runs, by case and wording.
        p: of these.
        pooled: counts of all of its runs, ``None`` if there was no escalation.
        guard: how well the test is guarded.
        finding: for the verdict of the test.
    """

    strata: tuple[Stratum, ...]
    p: float
    pooled: tuple[Stratum, ...] | None
    guard: Guard
    finding: Finding


@dataclass(frozen=True, slots=True)
class Suite:
    """The judgement on all tests of a session.

    Attributes:
        status: FAIL, or PASS.
        findings: one for the drift, one for the single tests.
        adjusted: node id -> p-value adjusted for all tests.
        named: tests that are worse, or under suspicion where only the suite as a whole is.
    """

    status: Status
    findings: tuple[Finding, ...]
    adjusted: Mapping[str, float]
    named: tuple[str, ...]


def strata_of(baseline: Sequence[Cell], current: Sequence[Cell]) -> tuple[Stratum, ...]:
    """Baseline against current counts of every case and wording that both have runs of."""
    before = {(cell.case, cell.variant): cell for cell in baseline if cell.n}
    now = [(before.get((cell.case, cell.variant)), cell) for cell in current if cell.n]
    return tuple(Stratum(old.passed, old.n, new.passed, new.n) for old, new in now if old is not None)


def guard_of(strata: Sequence[Stratum], rule: Rule) -> Guard:
    """How well a test is guarded, from its baseline; wordings and cases are taken together.

    Args:
        strata: of its first k runs; how many of those pass makes no difference.
        rule: of the session.
    """
    x0, n0, _, k = (sum(column) for column in zip(*strata, strict=True)) if strata else (0, 0, 0, 0)
    extra = rule.factor * k
    drop = detectable_drop(x0, n0, k, level=rule.level, flag=rule.flag, extra=extra) if n0 and k else None
    kind = "blind" if drop is None else "weak" if n0 < _FULL_GUARD else "guarded"
    return Guard(kind, drop)


def compare(strata: tuple[Stratum, ...], pooled: tuple[Stratum, ...] | None, rule: Rule) -> Comparison:
    """Compare one test with its baseline, for the verdict of the test itself.

    Args:
        strata: of its first k runs, not empty.
        pooled: of all of its runs, ``None`` if there was no escalation.
        rule: of the session.
    """
    p, finding = judge_test(strata, pooled, rule)
    return Comparison(strata, p, pooled, guard_of(strata, rule), finding)


def judge_test(
    strata: tuple[Stratum, ...], pooled: tuple[Stratum, ...] | None, rule: Rule
) -> tuple[float, Finding]:
    """The p-value of the first k runs of a test, 0..1, and the finding from all of its runs.

    Args:
        strata: of its first k runs, not empty.
        pooled: of all of its runs, ``None`` if there was no escalation.
        rule: of the session.
    """
    p, final = stratified_p(strata), strata if pooled is None else pooled
    last = p if pooled is None else stratified_p(pooled)
    failed = last <= rule.level
    x0, n0, x1, n1 = (sum(column) for column in zip(*final, strict=True))
    said = f"{x1} of {n1} runs passed, against {x0} of {n0} in the baseline (p = {last:.2g})"
    if failed:
        said = f"worse than its baseline: {said}"
    elif pooled is not None:
        said = f"suspicious at first, but not shown to be worse than its baseline: {said}"
    status = Status.FAIL if failed else Status.PASS
    return p, Finding("regression", f"p > {rule.level:.2g}", f"p = {last:.2g}", status, said)


def without_comparison(standing: Standing, valid: int, *, gated: bool) -> list[Finding]:
    """What there is to say of the baseline of a test that is not compared with it.

    A test without gates is judged by its baseline alone: where that says nothing, neither does the verdict.

    Args:
        standing: of the test.
        valid: its valid runs.
        gated: whether it has gates of its own.
    """
    if gated or (standing.status in {"none", "off"} and not standing.record):
        return []
    if standing.record in {"begin", "replace"} and valid:
        said = f"no gate; its {valid} runs are recorded as the baseline"
        return [Finding("regression", "none", "n/a", Status.PASS, said)]
    reason = (
        standing.note if standing.status == "not comparable" else "no valid run that its baseline has, too"
    )
    said = f"no gate, and {reason}; to record anew, use --llmrel-baseline=reset"
    return [Finding("regression", "a comparable baseline", "n/a", Status.INCONCLUSIVE, said)]


def judge_suite(tests: Mapping[str, Sequence[Stratum]], alpha: float) -> Suite:
    """Compare all tests of a session with their baselines at once.

    Args:
        tests: node id -> strata of its first k runs, not empty.
        alpha: chance of a false alarm per session.
    """
    share = Rule(alpha, max(1, len(tests))).share
    nulls = [null_distribution(strata) for strata in tests.values()]
    totals = [sum(stratum.x1 for stratum in strata) for strata in tests.values()]
    pvalues = [null.p_value(total) for null, total in zip(nulls, totals, strict=True)]
    adjusted = dict(zip(tests, min_p(pvalues, nulls), strict=True))
    worse = [name for name, p in adjusted.items() if p <= share]
    drift = stratified_p(stratum for strata in tests.values() for stratum in strata)
    named = worse
    if not worse and drift <= share:
        suspects = dict(zip(tests, benjamini_hochberg(pvalues), strict=True))
        named = [name for name, q in suspects.items() if q <= _SUSPECTS] or _lowest(tests, pvalues)
    findings = (_drift_finding(tests, drift, share), _single_finding(adjusted, worse, share))
    failed = any(finding.status is Status.FAIL for finding in findings)
    return Suite(Status.FAIL if failed else Status.PASS, findings, adjusted, tuple(named))


def _lowest(tests: Mapping[str, Sequence[Stratum]], pvalues: Sequence[float]) -> list[str]:
    """The five tests with the least p-values below one half."""
    ranked = sorted(zip(pvalues, tests, strict=True))
    return [name for p, name in ranked[:5] if p < 0.5]  # noqa: PLR2004


def _drift_finding(tests: Mapping[str, Sequence[Stratum]], p: float, share: float) -> Finding:
    strata = [stratum for strata in tests.values() for stratum in strata]
    x0, n0, x1, n1 = (sum(column) for column in zip(*strata, strict=True)) if strata else (0, 0, 0, 0)
    failed = p <= share
    count = "1 test" if len(tests) == 1 else f"{len(tests)} tests"
    said = (
        f"{'the suite as a whole is worse than its baselines' if failed else 'no drift of the suite'}: "
        f"{x1} of {n1} runs passed in {count}, against {x0} of {n0} in the baselines (p = {p:.2g})"
    )
    status = Status.FAIL if failed else Status.PASS
    return Finding("drift", f"p > {share:.2g}", f"p = {p:.2g}", status, said)


def _single_finding(adjusted: Mapping[str, float], worse: Sequence[str], share: float) -> Finding:
    least = min(adjusted.values(), default=1.0)
    said = f"by their first runs no single test is worse than its baseline (least adjusted p = {least:.2g})"
    if worse:
        one = "1 test is worse than its baseline"
        many = one if len(worse) == 1 else f"{len(worse)} tests are worse than their baselines"
        said = f"{many} (adjusted p up to {max(adjusted[name] for name in worse):.2g})"
    status = Status.FAIL if worse else Status.PASS
    return Finding("regression", f"p > {share:.2g}", f"p = {least:.2g}", status, said)
