"""The flow of one ``krun`` item: shared fixtures, runs, verdict, and what pytest gets to see of it."""

from functools import partial
from typing import Any

import pytest

from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.errors import GateFailure, PlanError
from pytest_llmrel.glue.collect import plan_of
from pytest_llmrel.glue.experiment import Experiment
from pytest_llmrel.glue.hunting import HuntExperiment
from pytest_llmrel.glue.lookahead import Lookahead
from pytest_llmrel.glue.runnode import set_up_shared
from pytest_llmrel.glue.session import SessionResults
from pytest_llmrel.glue.telling import shown_failure, tell_pytest
from pytest_llmrel.glue.threadsafety import bound_elsewhere
from pytest_llmrel.glue.wire import session_wire, tape_damage
from pytest_llmrel.reports.junit import properties
from pytest_llmrel.reports.result import Result

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
    if obstacle := bound_elsewhere(item):
        pytest.fail(obstacle, pytrace=False)


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
    tell_pytest(item, experiment.summary, _publish(item, experiment))


def _is_hunt(item: pytest.Function) -> bool:
    return item.config.getoption("llmrel_hunt") is not None


def _publish(item: pytest.Function, experiment: Experiment | HuntExperiment) -> Result:
    """Judge, and leave the result where the report will take it from."""
    result = item.stash[_RESULT] = experiment.result()
    item.user_properties.extend(properties(result))
    return result


def _repr_failure(item: pytest.Function, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
    if not isinstance(excinfo.value, GateFailure):
        return type(item).repr_failure(item, excinfo)
    return shown_failure(item.config, excinfo, item.path, item.location[1])
