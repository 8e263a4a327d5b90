"""Runs a part of a split test in a worker of xdist, and tells the controller; pytest gets to see nothing."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from pytest_llmrel.core.call import Traffic
from pytest_llmrel.core.model import Attempt, Outcome, Sample
from pytest_llmrel.core.plan import RunPlan, attempts
from pytest_llmrel.glue.collect import plan_of
from pytest_llmrel.glue.crew import staffing_of
from pytest_llmrel.glue.experiment import planned_runs
from pytest_llmrel.glue.guards import SessionGuards
from pytest_llmrel.glue.ledger import SessionLedger
from pytest_llmrel.glue.lookahead import Lookahead
from pytest_llmrel.glue.runnode import renew, set_up_shared
from pytest_llmrel.glue.stage import Stage
from pytest_llmrel.glue.wire import item_wire, session_wire
from pytest_llmrel.glue.xdist.split import ChunkItem, Part, split_items
from pytest_llmrel.glue.xdist.workers import Link, share_of
from pytest_llmrel.ledger.codec import encode

__all__ = ["split"]


def split(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put chunks in the place of large tests, and see to it that they are run."""
    if split_items(config, items):
        config.pluginmanager.register(_Chunks(), "llmrel-chunks")


class _Chunks:
    """The hook of a worker of xdist that runs parts of tests."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a part of a test in place of everybody else; the controller reports the whole."""
        if not isinstance(item, ChunkItem):
            return None
        _run(item, nextitem)
        return True


def _run(item: ChunkItem, nextitem: pytest.Item | None) -> None:
    """Set the test up, make the runs of this chunk, tear it down, and send what came of it."""
    test = renew(item.test)
    chunk = _Chunk(test, plan_of(test), item.part)
    vars(test).update(setup=partial(set_up_shared, test), runtest=chunk.execute)
    reports: list[dict[str, Any]] = []
    hook, config = test.ihook, test.config
    try:
        with Lookahead.of(test.session).turn(test, nextitem):
            reports.extend(
                hook.pytest_report_to_serializable(config=config, report=report)
                for report in _phases(test, nextitem)
            )
    finally:
        link = Link.of(config)
        assert link is not None  # noqa: S101  there are no chunks without it
        told = json.dumps({**chunk.told, "reports": reports})  # which can carry lone surrogates
        link.send("chunk", test.nodeid, item.part.number, told)
        # The controller looks at what it was told when it hears of this, in the thread of its session.
        hook.pytest_runtest_logfinish(nodeid=test.nodeid, location=test.location)


def _phases(test: pytest.Function, nextitem: pytest.Item | None) -> Iterator[pytest.TestReport]:
    """The course of an item as pytest has it, with reports that nobody sees."""
    hook = test.ihook
    setup = _phase(test, "setup", partial(hook.pytest_runtest_setup, item=test))
    yield setup
    if setup.passed:
        yield _phase(test, "call", partial(hook.pytest_runtest_call, item=test))
    yield _phase(test, "teardown", partial(hook.pytest_runtest_teardown, item=test, nextitem=nextitem))


def _phase(test: pytest.Function, when: Any, begin: Callable[[], object]) -> pytest.TestReport:
    call = pytest.CallInfo.from_call(begin, when=when, reraise=(pytest.exit.Exception, KeyboardInterrupt))
    report: pytest.TestReport = test.ihook.pytest_runtest_makereport(item=test, call=call)
    return report


class _Chunk:
    """The runs of one chunk.

    Attributes:
        told: of them to the controller, plain data without secrets.
    """

    def __init__(self, test: pytest.Function, plan: RunPlan, part: Part) -> None:
        self._test = test
        self._plan = plan
        runs = planned_runs(test, plan, SessionGuards.of(test.config).standing(test))
        self._todo = part.slice(attempts(plan, test.nodeid, range(runs)))
        self._places = {attempt: place for place, attempt in enumerate(self._todo)}
        self._clean = session_wire(test.config).redactor.clean_data
        self._stage: Stage | None = None
        self.told: dict[str, Any] = {"samples": []}

    def execute(self) -> None:
        """Make them."""
        test, plan = self._test, self._plan
        wire, staffing = item_wire(test, plan), staffing_of(test, plan)
        book = SessionLedger.of(test.config).book(test, plan, in_parts=True)
        most = share_of(test.config, staffing.concurrency)
        stage = self._stage = Stage(plan, self._todo, most, wire, keep=self._keep, book=book)
        try:
            stage.begin(test, staffing)
            stage.finish(Lookahead.of(test.session).open_next)
        finally:
            outside = Sample(self._todo[0], Outcome.ERROR, traffic=Traffic(tuple(stage.outside)))
            refusal = wire.outside.refusal
            self.told |= self._clean(
                {
                    "outside": encode(outside),
                    "refusal": "" if refusal is None else str(refusal),
                    "notes": list(staffing.notes),
                    "stopped": stage.stopped,
                    "cut_off": stage.summary().cut_off,
                }
            )

    def _keep(self, sample: Sample) -> None:
        assert self._stage is not None  # noqa: S101  it makes the samples
        data = encode(sample, evidence=self._stage.wants_evidence(sample))
        place: Attempt = sample.attempt
        self.told["samples"].append([self._places[place], self._clean(data)])
