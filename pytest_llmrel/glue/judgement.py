"""From the summary of a test to its result: judges, baseline, verdict. Needs no item: it may be elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from pytest_llmrel.core.baseline import Standing, pooled
from pytest_llmrel.core.model import Finding, Status, Summary
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.glue.judges import Judges, compared_by_judges
from pytest_llmrel.reports.comparison import baseline_entry
from pytest_llmrel.reports.result import Result, result_entry
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.regression import Comparison, Rule, compare, strata_of, without_comparison
from pytest_llmrel.wire.redaction import Redactor

__all__ = ["Judgement", "refused", "without_secrets"]


class Judgement:
    """On one test, once its runs are over.

    Args:
        config: of the session.
        nodeid: of the test.
        plan: of the test.
        standing: of its baseline.
        summary: of the planned runs.

    Attributes:
        escalation: of further runs, which only the regression rule sees; ``None`` without any.
        is_open: whether it looks worse than its baseline, and neither that nor the opposite was shown.
    """

    def __init__(
        self, config: pytest.Config, nodeid: str, plan: RunPlan, standing: Standing, summary: Summary
    ) -> None:
        self._config = config
        self._nodeid = nodeid
        self._plan = plan
        self._summary = summary
        self._judges = Judges(config, summary)
        self._standing = compared_by_judges(standing, summary)
        self._comparison: Comparison | None = None
        self._found: list[Finding] = []
        self.escalation: Summary | None = None
        self.is_open = False

    def compare(self, rule: Rule, escalate: Callable[[], Summary | None]) -> None:
        """Compare the runs with the baseline, if there is one and all were made.

        Args:
            rule: of the session.
            escalate: makes further runs where these are suspicious; ``None`` where there can be none.
        """
        entry = self._standing.entry
        if not self._standing.compare or entry is None or self._summary.unfinished:
            return
        strata = strata_of(entry.cells, self._summary.cells)
        if not strata:
            return
        self._comparison = compare(strata, None, rule)
        if rule.is_suspicious(self._comparison.p):
            self.escalation = escalate()
            self.is_open = self.escalation is None and self._comparison.finding.status is not Status.FAIL
        if self.escalation is not None:
            cells = pooled((*self._summary.cells, *self.escalation.cells))
            self._comparison = compare(strata, strata_of(entry.cells, cells), rule)

    def add(self, finding: Finding) -> None:
        """Add what is neither of the runs nor of the baseline."""
        self._found.append(finding)

    def result(
        self,
        notes: Sequence[str],
        later_notes: Sequence[str] = (),
        tape: Mapping[str, Any] | None = None,
    ) -> Result:
        """The verdict and everything it rests on.

        Args:
            notes: what a reader has to know of how the runs were made.
            later_notes: what is said after what there is to say of baseline and judges.
            tape: what there is to say of the tape.
        """
        most_errors = float(self._config.getini("llmrel_max_error_rate"))
        summary = self._judges.with_rate(self._summary)
        found = [*self._judges.findings(self._plan), *self._found, *self._regression()]
        verdict = decide(self._plan, summary, most_errors, found, self.escalation)
        baseline = baseline_entry(self._standing, self._comparison, self._summary, self.escalation)
        standing = [self._standing.note] if self._standing.note else []
        return result_entry(
            self._nodeid,
            summary,
            verdict,
            [*notes, *standing, *self._judges.notes, *later_notes],
            baseline=baseline,
            escalation=self.escalation,
            tape=tape,
        )

    def _regression(self) -> list[Finding]:
        if self._comparison is not None:
            return [self._comparison.finding]
        return without_comparison(self._standing, self._summary.valid, gated=bool(self._plan.gates))


def refused(signal: object) -> Finding:
    """A call outside of any run that was not answered, whoever may have caught what was raised."""
    return Finding("calls", "every call is answered", "one was not", Status.INCONCLUSIVE, str(signal))


def without_secrets(result: Result, redactor: Redactor) -> Result:
    """What leaves this process: to the terminal, to files, to the controller of xdist."""
    kept = {name: result[name] for name in ("nodeid", "baseline")}
    cleaned: Result = redactor.clean_data(result | dict.fromkeys(kept))
    return cleaned | kept
