"""What pytest gets to see of a verdict: nothing, a skip, an xfail or a failure that explains itself."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.core.model import Outcome, Status, Summary
from pytest_llmrel.errors import GateFailure
from pytest_llmrel.glue.wire import session_wire
from pytest_llmrel.reports.explanation import explain
from pytest_llmrel.reports.result import Result
from pytest_llmrel.reports.safe import printable

__all__ = ["shown_failure", "tell_pytest"]


def tell_pytest(node: pytest.Item | pytest.Session, summary: Summary, result: Result) -> None:
    """Raise what pytest takes for the outcome; ``node`` is warned where INCONCLUSIVE is no failure.

    Raises:
        GateFailure: the verdict fails the test.
    """
    __tracebackhide__ = True
    if summary.runs and not summary.unfinished and not summary.teardowns:
        _pass_on(node.config, summary, Outcome.SKIPPED, pytest.skip)
        _pass_on(node.config, summary, Outcome.XFAILED, pytest.xfail)
    if result["verdict"] == Status.INCONCLUSIVE and node.config.getini("llmrel_inconclusive") == "warn":
        node.warn(pytest.PytestWarning(explain(result)))
    elif result["verdict"] != Status.PASS:
        raise GateFailure(explain(result))


def _pass_on(config: pytest.Config, summary: Summary, outcome: Outcome, signal: Any) -> None:
    """End the item as all of its runs ended."""
    __tracebackhide__ = True
    if summary.counts[outcome] == summary.runs:
        said = summary.groups[0].evidence.message
        signal(printable(session_wire(config).redactor.clean(said)))


def shown_failure(
    config: pytest.Config, excinfo: pytest.ExceptionInfo[BaseException], path: Path, line: int | None
) -> Any:
    """A ``GateFailure`` as pytest prints failures.

    Args:
        config: of the session.
        excinfo: of the failure.
        path: of the test.
        line: where the test begins, from 0.
    """
    # The explanation in place of a traceback; the headline in pytest's one-line summary.
    headline = getattr(excinfo.value, "headline", str(excinfo.value))
    if config.getoption("tbstyle", "auto") == "line":
        excinfo = pytest.ExceptionInfo.from_exception(GateFailure(headline).with_traceback(excinfo.tb))
    shown: Any = excinfo.getrepr(style="value", chain=False)
    crash = replace(shown.reprcrash, path=str(path), lineno=(line or 0) + 1, message=headline)
    return type(shown)([(shown.reprtraceback, crash, None)])
