"""The flow of one ``krun`` item: shared fixtures, runs, verdict, and what pytest gets to see of it."""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from queue import SimpleQueue
from typing import Any

import pytest

from pytest_llmrel.core.model import Outcome, Status, Summary
from pytest_llmrel.core.plan import RunPlan, attempts
from pytest_llmrel.errors import GateFailure, PlanError
from pytest_llmrel.glue.capture import routed_output
from pytest_llmrel.glue.collect import plan_of
from pytest_llmrel.glue.crew import Staffing, crew_for, staffing_of
from pytest_llmrel.glue.endings import Reporter
from pytest_llmrel.glue.runnode import RunFactory, set_up_shared
from pytest_llmrel.glue.session import SessionResults
from pytest_llmrel.reports.explanation import explain
from pytest_llmrel.reports.junit import properties
from pytest_llmrel.reports.result import Result, result_entry
from pytest_llmrel.reports.safe import printable
from pytest_llmrel.runtime.drive import Inbox, drive
from pytest_llmrel.runtime.schedule import Schedule
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.summary import Aggregate

__all__ = ["adopt", "result_of"]

_RESULT = pytest.StashKey[Result]()


def adopt(item: pytest.Function) -> None:
    """Make ``item`` run k times when pytest runs it.

    Raises:
        pytest.UsageError: its marks are wrong, and came too late to be reported at collection.
    """
    try:
        plan = plan_of(item)
    except PlanError as error:
        raise pytest.UsageError(f"{item.nodeid}: {error}") from error
    vars(item).update(
        setup=partial(set_up_shared, item),
        runtest=partial(_run_and_judge, item, plan),
        repr_failure=partial(_repr_failure, item),
    )


def result_of(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> Result | None:
    """What the report of a phase of a ``krun`` item has to carry, if anything."""
    if call.when == "setup" and report.failed and isinstance(item, pytest.Function):
        plan = plan_of(item)
        planned = len(attempts(plan, item.nodeid))
        summary = Aggregate(plan, planned).summary("the set-up of its shared fixtures failed")
        return _publish(item, plan, summary, notes=())
    return item.stash.get(_RESULT, None) if call.when == "call" else None


def _run_and_judge(item: pytest.Function, plan: RunPlan) -> None:
    """Run all attempts, judge them, and tell pytest: nothing, a skip, an xfail or a failure."""
    __tracebackhide__ = True
    todo = attempts(plan, item.nodeid)
    aggregate = Aggregate(plan, len(todo))
    staffing = staffing_of(item, plan)
    schedule = Schedule(todo, staffing.concurrency)
    try:
        _run_all(item, plan, staffing, schedule, aggregate)
    except BaseException as error:
        schedule.stop(f"interrupted by {type(error).__name__}")
        result = _publish(item, plan, aggregate.summary(schedule.stop_reason), staffing.notes)
        SessionResults.of(item.config).add(result)  # pytest makes no report of an interrupted item
        raise
    summary = aggregate.summary(schedule.stop_reason)
    _tell_pytest(item, summary, _publish(item, plan, summary, staffing.notes))


def _run_all(
    item: pytest.Function, plan: RunPlan, staffing: Staffing, schedule: Schedule, aggregate: Aggregate
) -> None:
    inbox: Inbox = SimpleQueue()
    reporter = Reporter(item)
    factory = RunFactory(item, staffing.forbidden, bridge_async=not staffing.foreign)
    with ExitStack() as stack:
        stack.enter_context(routed_output(item.config, alone=staffing.alone))
        crew = stack.enter_context(crew_for(item, plan, staffing, factory, reporter, inbox))
        drive(schedule, crew, inbox, aggregate.record)


def _publish(item: pytest.Function, plan: RunPlan, summary: Summary, notes: tuple[str, ...]) -> Result:
    """Judge, and leave the result where the report will take it from."""
    verdict = decide(plan, summary, float(item.config.getini("llmrel_max_error_rate")))
    result = item.stash[_RESULT] = result_entry(item.nodeid, summary, verdict, notes)
    item.user_properties.extend(properties(result))
    return result


def _tell_pytest(item: pytest.Function, summary: Summary, result: Result) -> None:
    __tracebackhide__ = True
    if summary.runs and not summary.unfinished and not summary.teardowns:
        _pass_on(summary, Outcome.SKIPPED, pytest.skip)
        _pass_on(summary, Outcome.XFAILED, pytest.xfail)
    if result["verdict"] == Status.INCONCLUSIVE and item.config.getini("llmrel_inconclusive") == "warn":
        item.warn(pytest.PytestWarning(explain(result)))
    elif result["verdict"] != Status.PASS:
        raise GateFailure(explain(result))


def _pass_on(summary: Summary, outcome: Outcome, signal: Any) -> None:
    """End the item as all of its runs ended."""
    __tracebackhide__ = True
    if summary.counts[outcome] == summary.runs:
        signal(printable(summary.groups[0].evidence.message))


def _repr_failure(item: pytest.Function, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
    shown: Any
    if not isinstance(excinfo.value, GateFailure):
        return type(item).repr_failure(item, excinfo)
    # The explanation in place of a traceback; the headline in pytest's one-line summary.
    headline = excinfo.value.headline
    if item.config.getoption("tbstyle", "auto") == "line":
        excinfo = pytest.ExceptionInfo.from_exception(GateFailure(headline).with_traceback(excinfo.tb))
    shown = excinfo.getrepr(style="value", chain=False)
    line = (item.location[1] or 0) + 1
    crash = replace(shown.reprcrash, path=str(item.path), lineno=line, message=headline)
    return type(shown)([(shown.reprtraceback, crash, None)])
