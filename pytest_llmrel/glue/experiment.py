"""The experiment of one item: its runs, more of them where they look worse than the baseline, a verdict."""

from math import ceil

import pytest

from pytest_llmrel.core.baseline import pooled
from pytest_llmrel.core.model import Attempt, Finding, Summary
from pytest_llmrel.core.plan import RunPlan, attempts
from pytest_llmrel.glue.crew import Staffing, staffing_of
from pytest_llmrel.glue.guards import SessionGuards
from pytest_llmrel.glue.stage import Stage
from pytest_llmrel.reports.comparison import baseline_entry
from pytest_llmrel.reports.result import Result, result_entry
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.regression import Comparison, compare, strata_of, without_comparison
from pytest_llmrel.verdict.stopping import stopping_for
from pytest_llmrel.verdict.summary import Aggregate

__all__ = ["Experiment"]


class Experiment:
    """What happens to one ``krun`` item between set-up and verdict.

    Attributes:
        summary: of the planned runs, as far as they got.
    """

    def __init__(self, item: pytest.Function, plan: RunPlan) -> None:
        self._item = item
        self._plan = plan
        guards = SessionGuards.of(item.config)
        self._rule = guards.rule
        self._standing = guards.standing(item)
        self._runs = self._number_of_runs()
        self._notes: tuple[str, ...] = ()
        self._comparison: Comparison | None = None
        self._escalation: Summary | None = None
        self.summary = Aggregate(plan, len(self._attempts(0, self._runs))).summary(
            "the set-up of its shared fixtures failed"
        )

    def execute(self) -> None:
        """Make the runs; what ends the session is raised, after it was summed up."""
        staffing = staffing_of(self._item, self._plan)
        self._notes = staffing.notes
        todo = self._attempts(0, self._runs)
        is_free = not self._standing.compare and not self._standing.record
        most_errors = float(self._item.config.getini("llmrel_max_error_rate"))
        stopping = stopping_for(self._plan, len(todo), most_errors) if is_free else None
        stage = Stage(self._plan, todo, staffing.concurrency, stopping)
        try:
            stage.execute(self._item, staffing)
        finally:
            self.summary = stage.summary()
        self._compare(staffing)

    def result(self) -> Result:
        """The verdict and everything it rests on."""
        config = self._item.config
        most_errors = float(config.getini("llmrel_max_error_rate"))
        verdict = decide(self._plan, self.summary, most_errors, self._regression(), self._escalation)
        baseline = baseline_entry(self._standing, self._comparison, self.summary, self._escalation)
        notes = (*self._notes, self._standing.note) if self._standing.note else self._notes
        return result_entry(
            self._item.nodeid, self.summary, verdict, notes, baseline=baseline, escalation=self._escalation
        )

    def _attempts(self, first: int, last: int) -> list[Attempt]:
        return attempts(self._plan, self._item.nodeid, range(first, last))

    def _number_of_runs(self) -> int:
        """Of each case and wording: k, or more where a baseline begins."""
        if self._standing.record not in {"begin", "replace"}:
            return self._plan.k
        wanted: int = self._item.config.getoption("llmrel_baseline_runs")
        return max(self._plan.k, ceil(wanted / len(self._plan.variants)))

    def _compare(self, staffing: Staffing) -> None:
        entry = self._standing.entry
        if not self._standing.compare or entry is None or self.summary.unfinished:
            return
        strata = strata_of(entry.cells, self.summary.cells)
        if not strata:
            return
        self._comparison = compare(strata, None, self._rule)
        if self._rule.is_suspicious(self._comparison.p):
            further = self._escalate(staffing)
            cells = pooled((*self.summary.cells, *further.cells))
            self._comparison = compare(strata, strata_of(entry.cells, cells), self._rule)

    def _escalate(self, staffing: Staffing) -> Summary:
        """More runs at once; only the regression rule sees them."""
        k = self._plan.k
        todo = self._attempts(k, k + self._rule.factor * k)
        stage = Stage(self._plan, todo, staffing.concurrency)
        try:
            stage.execute(self._item, staffing)
        finally:
            self._escalation = stage.summary()
        return self._escalation

    def _regression(self) -> list[Finding]:
        if self._comparison is not None:
            return [self._comparison.finding]
        return without_comparison(self._standing, self.summary.valid, gated=bool(self._plan.gates))
