"""Runs of one item that are made together: the planned ones, or more of them where those are suspicious."""

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_llmrel.core.model import Attempt, Sample, Summary
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.glue.capture import OutputRoute
from pytest_llmrel.glue.crew import Staffing, crew_for
from pytest_llmrel.glue.endings import Reporter
from pytest_llmrel.glue.flow import Flow
from pytest_llmrel.glue.ledger import TestBook
from pytest_llmrel.glue.runnode import RunFactory
from pytest_llmrel.glue.xdist.workers import share_of
from pytest_llmrel.runtime.pool import Lane
from pytest_llmrel.runtime.schedule import Schedule
from pytest_llmrel.verdict.stopping import Stopping
from pytest_llmrel.verdict.summary import Aggregate
from pytest_llmrel.wire.item import ItemWire

if TYPE_CHECKING:
    from pytest_llmrel.core.call import Call

__all__ = ["Stage"]

_DECIDED = "every gate is decided"


class Stage:
    """Some attempts, from the schedule to the summary.

    Args:
        plan: of the test.
        todo: the attempts, in the order in which they are started.
        concurrency: most of them in flight.
        wire: of the test.
        stopping: says when enough of them were made, ``None`` to make them all.
        keep: gets every sample.

    Attributes:
        outside: calls that were made in the meantime, and belong to no run.
    """

    def __init__(
        self,
        plan: RunPlan,
        todo: Sequence[Attempt],
        concurrency: int,
        wire: ItemWire,
        stopping: Stopping | None = None,
        keep: Callable[[Sample], None] | None = None,
        *,
        book: TestBook | None = None,
    ) -> None:
        self._plan = plan
        self._todo = todo
        self._keep = keep
        self._book = book
        self._open = ExitStack()
        self._lane: Lane | None = None
        self._drive: Callable[[Callable[[], bool]], None]
        self._wire = wire
        self._cut_off = ""
        self.outside: list[Call] = []
        self._aggregate = Aggregate(plan, len(todo))
        self._schedule = Schedule(todo, concurrency)
        self._stopping = stopping
        if stopping:
            self._schedule.allow(stopping.enough)

    def begin(self, item: pytest.Function, staffing: Staffing) -> None:
        """Let the first runs start as soon as there is room for them; those that are known count at once."""
        self._recall()
        if not self._schedule.finished:
            self._end_if_spent()
        self._wire.alone = staffing.alone
        flow = Flow.of(item.config)
        pool, inbox = flow.pool, flow.pool.inbox()
        factory = RunFactory(item, staffing.forbidden, bridge_async=not staffing.foreign)
        with ExitStack() as stack:
            _route_output(item.config, stack, alone=staffing.alone)
            reporter = Reporter(item, self._wire)
            crew = crew_for(item, self._plan, staffing, factory, reporter, inbox)
            lane = Lane(self._schedule, stack.enter_context(crew), self._record)
            stack.callback(pool.leave, inbox)
            pool.enter(inbox, lane)
            self._open = stack.pop_all()
        most = max(flow.most_in_flight, staffing.concurrency)
        self._drive = partial(pool.drive, inbox, most=partial(share_of, item.config, most))
        self._lane = lane

    def finish(self, open_next: Callable[[], bool] = lambda: False) -> None:
        """Make the runs; what ends the session is raised, and what was recorded stays."""
        try:
            with self._open:
                self._drive(open_next)
        except BaseException as error:
            self._schedule.stop(f"interrupted by {type(error).__name__}")
            raise
        finally:
            self.outside = self._wire.take_outside()
            self._aggregate.record_outside(self.outside)

    def abandon(self) -> None:
        """Give up what is in flight, and start nothing more."""
        self._open.close()
        self._schedule.stop("given up")

    @property
    def seconds(self) -> float:
        """That the runs took all together, from the beginning of the first to the end of the last."""
        return 0.0 if self._lane is None else self._lane.seconds

    @property
    def stopped(self) -> str:
        """Why nothing more is to be run, even if no run was left out; ``""`` if more may be."""
        return self._schedule.stop_reason

    def wants_evidence(self, sample: Sample) -> bool:
        """Whether a failure of this run is going to be described."""
        return self._aggregate.wants_evidence(sample)

    def summary(self) -> Summary:
        """What the runs so far amount to."""
        reason, stopping = self._schedule.stop_reason, self._stopping
        # What stopped for another reason, and was decided by the runs in flight, lacks runs all the same.
        is_decided = stopping is not None and stopping.decided and reason in {"", _DECIDED}
        decisions = stopping.decisions if stopping is not None and is_decided else {}
        followed = stopping is not None
        return self._aggregate.summary(reason, decisions, followed=followed, cut_off=self._cut_off)

    def _end_if_spent(self, signal: str = "") -> None:
        self._cut_off = self._cut_off or self._wire.session.budget.reason or signal
        if self._cut_off:
            self._schedule.stop(self._cut_off)

    def _recall(self) -> None:
        """Count what an interrupted session knows of these runs; only the others are made."""
        if self._book is None:
            return
        known = set[Attempt]()
        for sample in self._book.recall(filter(self._wire.may_recall, self._todo)):
            if self._keep is not None:
                self._keep(sample)
            if sample.cut_off or sample.fatal:  # made again: what ended it may have been put right
                self._aggregate.record_cut_off(sample)
            else:
                known.add(sample.attempt)
                self._count(sample)
                self._follow(sample)
        self._schedule.skip(known)

    def _record(self, sample: Sample) -> None:
        if self._book is not None:
            sample = self._book.keep(sample, evidence=self._aggregate.wants_evidence(sample))
        if self._keep is not None:
            self._keep(sample)
        if sample.cut_off:
            self._aggregate.record_cut_off(sample)
            self._end_if_spent(sample.cut_off)
            return
        self._count(sample)
        self._end_if_spent()
        self._follow(sample)

    def _count(self, sample: Sample) -> None:
        self._aggregate.record(sample)
        if exceeded := self._aggregate.exceeded:
            self._schedule.stop(f"'{exceeded}' is missed whatever comes")

    def _follow(self, sample: Sample) -> None:
        if self._stopping is None:
            return
        self._stopping.record(self._todo.index(sample.attempt), sample.outcome)
        if self._stopping.decided:
            self._schedule.stop(_DECIDED)
        else:
            self._schedule.allow(self._stopping.enough)


def _route_output(config: pytest.Config, stack: ExitStack, *, alone: bool) -> None:
    if not alone:
        Flow.of(config).route_output()
        return
    route = OutputRoute(config, alone=True)
    stack.callback(route.close)
    route.cover(sys.stdout, sys.stderr)
