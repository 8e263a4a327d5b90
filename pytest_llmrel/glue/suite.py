"""The failure of a suite as a whole, told to pytest as a report of its own: exit status, summary, JUnit."""

import pytest

from pytest_llmrel.glue.session import SUITE
from pytest_llmrel.reports.guards import suite_failure
from pytest_llmrel.reports.safe import printable
from pytest_llmrel.verdict.regression import Suite

__all__ = ["report_failure"]


def report_failure(session: pytest.Session, suite: Suite) -> None:
    """Report the failure of all tests together as that of one more test."""
    session.testscollected += 1
    report = pytest.TestReport(
        nodeid=SUITE,
        location=(SUITE.partition("::")[0], None, "regression"),
        keywords={},
        outcome="failed",
        longrepr=printable(suite_failure(suite)),
        when="call",
    )
    session.config.hook.pytest_runtest_logreport(report=report)
