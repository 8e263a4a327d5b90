"""What a session is going to take, as far as baselines tell."""

from pytest_llmrel.core.baseline import BaselineEntry, Batch, Cell, Expenses
from pytest_llmrel.reports.forecast import forecast_lines, forecast_of


def entry(*expenses: Expenses | None) -> BaselineEntry:
    """A baseline with one batch for each."""
    cells = (Cell("", "", 5, 5),)
    batches = [
        Batch(f"{number:016x}", "2026-01-01T00:00:00Z", "1", cells, expenses=one)
        for number, one in enumerate(expenses)
    ]
    return BaselineEntry("0" * 16, {}, tuple(batches))


def test_the_runs_of_the_baseline_tell() -> None:
    """Two sessions of ten and thirty runs: calls and dollars for each run on average, times the runs planned."""
    found = forecast_of("t", 20, 80, entry(Expenses(10, 10, 1.0, 0, 0), Expenses(30, 70, 5.0, 0, 0)))
    assert (found.calls, found.usd) == (40.0, 3.0)


def test_a_cost_that_was_unknown_then_is_left_out() -> None:
    """Calls are known all the same."""
    found = forecast_of("t", 10, 10, entry(Expenses(10, 20, None, 0, 0), Expenses(10, 20, 1.0, 0, 0)))
    assert (found.calls, found.usd) == (20.0, 1.0)
    assert forecast_of("t", 10, 10, entry(Expenses(10, 20, None, 0, 0))).usd is None


def test_nothing_is_known_without_a_baseline() -> None:
    """Unknown is not 0."""
    for baseline in (None, entry(None)):
        found = forecast_of("t", 10, 10, baseline)
        assert (found.calls, found.usd) == (None, None)


def test_the_table_adds_up_what_is_known() -> None:
    """And says of how many tests nothing is."""
    known = forecast_of("one", 10, 40, entry(Expenses(10, 20, 1.5, 0, 0)))
    lines = forecast_lines([known, forecast_of("two", 5, 5, None)])
    assert lines[1].split() == ["one", "10", "40", "20", "$1.50"]
    assert lines[2].split() == ["two", "5", "5", "unknown", "unknown"]
    assert lines[3].split()[-4:] == ["15", "45", "20", "$1.50"]
    assert "the cost of 1 tests is unknown" in lines[4]
