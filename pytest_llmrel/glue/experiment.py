"""The experiment of one item: its runs, more of them where they look worse than the baseline, a verdict."""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

import pytest

from pytest_llmrel.core.baseline import Standing, pooled
from pytest_llmrel.core.model import Attempt, Finding, Status, Summary
from pytest_llmrel.core.plan import RunPlan, attempts
from pytest_llmrel.glue.crew import Staffing, staffing_of
from pytest_llmrel.glue.guards import SessionGuards
from pytest_llmrel.glue.judges import Judges, compared_by_judges
from pytest_llmrel.glue.ledger import SessionLedger, TestBook
from pytest_llmrel.glue.stage import Stage
from pytest_llmrel.glue.wire import item_wire, save_tape, tape_damage
from pytest_llmrel.reports.comparison import baseline_entry
from pytest_llmrel.reports.result import Result, result_entry
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.regression import Comparison, compare, strata_of, without_comparison
from pytest_llmrel.verdict.stopping import stopping_for
from pytest_llmrel.verdict.summary import Aggregate
from pytest_llmrel.wire.session import TapeMode

__all__ = ["Experiment", "planned_runs", "refused"]


def planned_runs(item: pytest.Item, plan: RunPlan, standing: Standing) -> int:
    """Runs of each case and wording: k, or more where a baseline begins."""
    if standing.record not in {"begin", "replace"}:
        return plan.k
    wanted: int = item.config.getoption("llmrel_baseline_runs")
    return max(plan.k, ceil(wanted / len(plan.inputs.tasks)))


class Experiment:
    """What happens to one ``krun`` item between set-up and verdict.

    Attributes:
        seconds: that the runs took, from the beginning of the first to the end of the last.
    """

    def __init__(self, item: pytest.Function, plan: RunPlan) -> None:
        self._item = item
        self._staffing: Staffing | None = None
        self._stage: Stage | None = None
        self._open_next: Callable[[], bool] = lambda: False
        self.seconds = 0.0
        self._plan = plan
        guards = SessionGuards.of(item.config)
        self._rule = guards.rule
        self._standing = guards.standing(item)
        self._runs = planned_runs(item, plan, self._standing)
        self._notes: tuple[str, ...] = ()
        self._comparison: Comparison | None = None
        self._escalation: Summary | None = None
        self._wire = item_wire(item, plan)
        self._book: TestBook | None = None
        self._tape: dict[str, Any] | None = None
        self._judges = Judges(item, Summary({}, 0, {}))
        self._todo = self._attempts(0, self._runs)
        self._summary: Summary | None = None

    def begin(self, staffing: Staffing) -> None:
        """Let the first runs start; shared fixtures have been set up."""
        self._book = SessionLedger.of(self._item.config).book(self._item, self._plan)
        self._notes = staffing.notes
        is_taped = self._wire.mode is not TapeMode.OFF  # a tape holds all runs, and replays all of them
        is_free = not (self._standing.compare or self._standing.record or is_taped)
        most_errors = float(self._item.config.getini("llmrel_max_error_rate"))
        stopping = stopping_for(self._plan, len(self._todo), most_errors) if is_free else None
        stage = Stage(self._plan, self._todo, staffing.concurrency, self._wire, stopping, book=self._book)
        stage.begin(self._item, staffing)
        self._staffing, self._stage = staffing, stage

    def execute(self, open_next: Callable[[], bool]) -> None:
        """Make the runs; what ends the session is raised, after it was summed up.

        Args:
            open_next: begins with one more test where these runs leave room, and says whether there was one.
        """
        if self._stage is None:
            self.begin(staffing_of(self._item, self._plan))
        assert self._stage is not None  # noqa: S101  it has begun
        assert self._staffing is not None  # noqa: S101
        self._open_next = (lambda: False) if self._staffing.alone else open_next
        try:
            self._stage.finish(self._open_next)
        finally:
            self._summary = self._stage.summary()
            self.seconds = self._stage.seconds
        self._judges = Judges(self._item, self.summary)
        self._standing = compared_by_judges(self._standing, self.summary)
        self._compare(self._staffing)
        self._tape = save_tape(self._item, self._wire)

    @property
    def summary(self) -> Summary:
        """Of the planned runs, as far as they got."""
        if self._summary is None:
            reason = self.obstacle or "the set-up of its shared fixtures failed"
            self._summary = Aggregate(self._plan, len(self._todo)).summary(reason)
        return self._summary

    def abandon(self) -> Summary:
        """Give up what was begun; what had ended is judged by nobody."""
        if self._stage is not None:
            self._stage.abandon()
            self._summary = self._stage.summary()
        return self.summary

    @property
    def obstacle(self) -> str:
        """Why there can be no run as asked, known before anything is set up; ``""`` if nothing is."""
        damage = self._standing.note if self._standing.status == "damaged" else ""
        return damage or tape_damage(self._item) or self._wire.lacks(self._todo)

    def result(self) -> Result:
        """The verdict and everything it rests on."""
        config = self._item.config
        most_errors = float(config.getini("llmrel_max_error_rate"))
        summary = self._judges.with_rate(self.summary)
        found = [*self._judges.findings(self._plan), *self._regression()]
        verdict = decide(self._plan, summary, most_errors, found, self._escalation)
        baseline = baseline_entry(self._standing, self._comparison, self.summary, self._escalation)
        standing = [self._standing.note] if self._standing.note else []
        notes = [*self._notes, *standing, *self._judges.notes, *self._wire.notes]
        result = result_entry(
            self._item.nodeid,
            summary,
            verdict,
            notes,
            baseline=baseline,
            escalation=self._escalation,
            tape=self._tape,
        )
        return self._without_secrets(result)

    def _without_secrets(self, result: Result) -> Result:
        """What leaves this process: to the terminal, to files, to the controller of xdist."""
        clean = self._wire.session.redactor.clean_data
        return {
            name: value if name in {"nodeid", "baseline"} else clean(value) for name, value in result.items()
        }

    def _attempts(self, first: int, last: int) -> Sequence[Attempt]:
        return attempts(self._plan, self._item.nodeid, range(first, last))

    def _compare(self, staffing: Staffing) -> None:
        entry = self._standing.entry
        if not self._standing.compare or entry is None or self.summary.unfinished:
            return
        strata = strata_of(entry.cells, self.summary.cells)
        if not strata:
            return
        self._comparison = compare(strata, None, self._rule)
        if self._rule.is_suspicious(self._comparison.p) and not self._wire.lacks(self._further):
            further = self._escalate(staffing)
            cells = pooled((*self.summary.cells, *further.cells))
            self._comparison = compare(strata, strata_of(entry.cells, cells), self._rule)

    @property
    def _further(self) -> Sequence[Attempt]:
        k = self._plan.k
        return self._attempts(k, k + self._rule.factor * k)

    def _escalate(self, staffing: Staffing) -> Summary:
        """More runs at once; only the regression rule sees them."""
        stage = Stage(self._plan, self._further, staffing.concurrency, self._wire, book=self._book)
        stage.begin(self._item, staffing)
        try:
            stage.finish(self._open_next)
        finally:
            self._escalation = stage.summary()
            self.seconds += stage.seconds
        return self._escalation

    def _regression(self) -> list[Finding]:
        found = [] if self._wire.outside.refusal is None else [refused(self._wire.outside.refusal)]
        if self._comparison is not None:
            return [*found, self._comparison.finding]
        gated = bool(self._plan.gates)
        return [*found, *without_comparison(self._standing, self.summary.valid, gated=gated)]


def refused(signal: BaseException) -> Finding:
    """A call outside of any run that was not answered, whoever may have caught what was raised."""
    return Finding("calls", "every call is answered", "one was not", Status.INCONCLUSIVE, str(signal))
