"""The experiment of one item: its runs, more of them where they look worse than the baseline, a verdict."""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

import pytest

from pytest_llmrel.core.baseline import Standing
from pytest_llmrel.core.model import Attempt, Summary
from pytest_llmrel.core.plan import RunPlan, attempts
from pytest_llmrel.glue.book import node_id
from pytest_llmrel.glue.crew import Staffing, staffing_of
from pytest_llmrel.glue.guards import SessionGuards
from pytest_llmrel.glue.judgement import Judgement, refused, without_secrets
from pytest_llmrel.glue.ledger import SessionLedger, TestBook
from pytest_llmrel.glue.stage import Stage
from pytest_llmrel.glue.wire import item_wire, save_tape, tape_damage
from pytest_llmrel.reports.result import Result
from pytest_llmrel.verdict.stopping import stopping_for
from pytest_llmrel.verdict.summary import Aggregate
from pytest_llmrel.wire.session import TapeMode

__all__ = ["Experiment", "planned_runs"]


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
        self._judgement: Judgement | None = None
        self._wire = item_wire(item, plan)
        self._book: TestBook | None = None
        self._tape: dict[str, Any] | None = None
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
        self._judgement = self._judge()
        self._judgement.compare(self._rule, self._escalate)
        if self._book is not None:
            self._book.close()
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
        judgement = self._judgement or self._judge()
        if self._wire.outside.refusal is not None:
            judgement.add(refused(self._wire.outside.refusal))
        result = judgement.result(self._notes, self._wire.notes, self._tape)
        return without_secrets(result, self._wire.session.redactor)

    def _judge(self) -> Judgement:
        item = self._item
        return Judgement(item.config, node_id(item), self._plan, self._standing, self.summary)

    def _attempts(self, first: int, last: int) -> Sequence[Attempt]:
        return attempts(self._plan, node_id(self._item), range(first, last))

    @property
    def _further(self) -> Sequence[Attempt]:
        k = self._plan.k
        return self._attempts(k, k + self._rule.factor * k)

    def _escalate(self) -> Summary | None:
        """More runs at once, unless they are on no tape; only the regression rule sees them."""
        assert self._staffing is not None  # noqa: S101  the planned runs were made
        assert self._judgement is not None  # noqa: S101
        if self._wire.lacks(self._further):
            return None
        stage = Stage(self._plan, self._further, self._staffing.concurrency, self._wire, book=self._book)
        stage.begin(self._item, self._staffing)
        try:
            stage.finish(self._open_next)
        finally:
            self._judgement.escalation = stage.summary()
            self.seconds += stage.seconds
        return self._judgement.escalation
