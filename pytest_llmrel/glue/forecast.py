"""``--llmrel-plan``: what the collected tests are going to take; nothing is run."""

from collections.abc import Sequence

import pytest

from pytest_llmrel.glue.collect import plan_of
from pytest_llmrel.glue.experiment import planned_runs
from pytest_llmrel.glue.guards import SessionGuards
from pytest_llmrel.reports.forecast import Forecast, forecast_lines, forecast_of

__all__ = ["expected", "show_forecast"]


def show_forecast(session: pytest.Session) -> None:
    """Print the table of all ``krun`` tests that would run."""
    terminal = session.config.pluginmanager.getplugin("terminalreporter")
    forecasts = _forecasts(session.items)
    others = len(session.items) - len(forecasts)
    if terminal is None:
        return
    terminal.section("plan (llmrel): nothing is run")
    for line in forecast_lines(forecasts):
        terminal.write_line(line)
    if others:
        terminal.write_line(f"and {others} tests without krun, which run once")


def _forecasts(items: Sequence[pytest.Item]) -> list[Forecast]:
    return [
        expected(item)
        for item in items
        if isinstance(item, pytest.Function) and item.get_closest_marker("krun") is not None
    ]


def expected(item: pytest.Function) -> Forecast:
    """What a ``krun`` test is going to take, after the baselines have been read."""
    guards, plan = SessionGuards.of(item.config), plan_of(item)
    standing = guards.standing(item)
    runs = planned_runs(item, plan, standing) * len(plan.inputs.tasks)
    further = guards.rule.factor * plan.k * len(plan.inputs.tasks) if standing.compare else 0
    return forecast_of(item.nodeid, runs, runs + further, standing.entry)
