"""The flow of one ``krun`` item: shared fixtures, runs, verdict, and what pytest gets to see of it."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from pytest_llmrel.core.model import Outcome, Status, Summary
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.errors import GateFailure, PlanError
from pytest_llmrel.glue.collect import plan_of
from pytest_llmrel.glue.experiment import Experiment
from pytest_llmrel.glue.hunting import HuntExperiment
from pytest_llmrel.glue.lookahead import Lookahead
from pytest_llmrel.glue.runnode import set_up_shared
from pytest_llmrel.glue.session import SessionResults
from pytest_llmrel.glue.wire import session_wire, tape_damage
from pytest_llmrel.reports.explanation import explain
from pytest_llmrel.reports.junit import properties
from pytest_llmrel.reports.result import Result
from pytest_llmrel.reports.safe import printable

__all__ = ["adopt", "complete"]

_RESULT = pytest.StashKey[Result]()
_EXPERIMENT = pytest.StashKey[Experiment]()


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
        setup=partial(_set_up, item, plan),
        runtest=partial(_run_and_judge, item, plan),
        repr_failure=partial(_repr_failure, item),
    )


def complete(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Make the report of a phase tell what pytest does not know, and nothing that nobody may see."""
    vars(report)["llmrel_result"] = _result_of(item, call, report)
    _without_secrets(item, report)
    experiment = item.stash.get(_EXPERIMENT, None)
    if call.when == "call" and experiment is not None:  # its runs may have begun before it was its turn
        report.duration = max(report.duration, experiment.seconds)
        report.start = report.stop - report.duration
    elif experiment is not None and call.when == "teardown":
        # A session of a million runs cannot keep what belongs to each of them.
        del item.stash[_EXPERIMENT]


def _without_secrets(item: pytest.Item, report: pytest.TestReport) -> None:
    """Take out of a report what nobody may see: of its traceback, and of what was captured."""
    clean = session_wire(item.config).redactor.clean
    report.sections = [(title, clean(text)) for title, text in report.sections]
    if isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, clean(reason))
    elif report.longrepr is not None and clean(str(report.longrepr)) != str(report.longrepr):
        report.longrepr = clean(str(report.longrepr))


def _result_of(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> Result | None:
    """What the report of a phase of a ``krun`` item has to carry, if anything."""
    if call.when == "setup" and report.failed and isinstance(item, pytest.Function):
        return _publish(item, Experiment(item, plan_of(item)))
    return item.stash.get(_RESULT, None) if call.when == "call" else None


def _set_up(item: pytest.Function, plan: RunPlan) -> None:
    __tracebackhide__ = True
    if _is_hunt(item):
        obstacle = tape_damage(item)
    else:
        item.stash[_EXPERIMENT] = Lookahead.of(item.session).take(item, plan)
        obstacle = item.stash[_EXPERIMENT].obstacle
    if obstacle:
        pytest.fail(obstacle, pytrace=False)
    set_up_shared(item)


def _run_and_judge(item: pytest.Function, plan: RunPlan) -> None:
    """Run all attempts, judge them, and tell pytest: nothing, a skip, an xfail or a failure."""
    __tracebackhide__ = True
    experiment = HuntExperiment(item, plan) if _is_hunt(item) else item.stash[_EXPERIMENT]
    try:
        if isinstance(experiment, Experiment):
            experiment.execute(Lookahead.of(item.session).open_next)
        else:
            experiment.execute()
    except BaseException:
        result = _publish(item, experiment)
        SessionResults.of(item.config).add(result)  # pytest makes no report of an interrupted item
        raise
    _tell_pytest(item, experiment.summary, _publish(item, experiment))


def _is_hunt(item: pytest.Function) -> bool:
    return item.config.getoption("llmrel_hunt") is not None


def _publish(item: pytest.Function, experiment: Experiment | HuntExperiment) -> Result:
    """Judge, and leave the result where the report will take it from."""
    result = item.stash[_RESULT] = experiment.result()
    item.user_properties.extend(properties(result))
    return result


def _tell_pytest(item: pytest.Function, summary: Summary, result: Result) -> None:
    __tracebackhide__ = True
    if summary.runs and not summary.unfinished and not summary.teardowns:
        _pass_on(item, summary, Outcome.SKIPPED, pytest.skip)
        _pass_on(item, summary, Outcome.XFAILED, pytest.xfail)
    if result["verdict"] == Status.INCONCLUSIVE and item.config.getini("llmrel_inconclusive") == "warn":
        item.warn(pytest.PytestWarning(explain(result)))
    elif result["verdict"] != Status.PASS:
        raise GateFailure(explain(result))


def _pass_on(item: pytest.Function, summary: Summary, outcome: Outcome, signal: Any) -> None:
    """End the item as all of its runs ended."""
    __tracebackhide__ = True
    if summary.counts[outcome] == summary.runs:
        said = summary.groups[0].evidence.message
        signal(printable(session_wire(item.config).redactor.clean(said)))


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
