"""What a session is going to take, from what its baselines say: a table, and nothing is run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from pytest_llmrel.core.baseline import BaselineEntry
from pytest_llmrel.reports.safe import clipped
from pytest_llmrel.reports.spending import dollars

__all__ = ["Forecast", "forecast_lines", "forecast_of"]

_MOST_NAME = 72
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one test is going to take.

    Attributes:
        name: node id.
        runs: planned.
        most_runs: with those of an escalation, should the first look worse than the baseline.
        calls: over all planned runs, ``None`` where no baseline tells.
        usd: US dollars, ``None`` where no baseline tells.
    """

    name: str
    runs: int
    most_runs: int
    calls: float | None
    usd: float | None


def forecast_of(name: str, runs: int, most_runs: int, entry: BaselineEntry | None) -> Forecast:
    """From what the runs of its baseline took."""
    known = [batch.expenses for batch in entry.batches if batch.expenses] if entry else []
    if not known:
        return Forecast(name, runs, most_runs, None, None)
    priced = [(one.usd, one.runs) for one in known if one.usd is not None]
    calls = runs * sum(one.calls for one in known) / sum(one.runs for one in known)
    usd = runs * fsum(cost for cost, _ in priced) / sum(count for _, count in priced) if priced else None
    return Forecast(name, runs, most_runs, calls, usd)


def forecast_lines(forecasts: Sequence[Forecast]) -> list[str]:
    """The table, with a line that adds it up."""
    rows = [_HEADER, *map(_row, forecasts), _total(forecasts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [*(_aligned(row, widths) for row in rows), *_caveats(forecasts)]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers = row
    cells = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
    return "  ".join([name.ljust(widths[0]), *cells])


_HEADER = ("test", "runs", "at most", "calls", "cost")


def _row(forecast: Forecast) -> tuple[str, ...]:
    calls = _UNKNOWN if forecast.calls is None else f"{forecast.calls:.0f}"
    cost = _UNKNOWN if forecast.usd is None else dollars(forecast.usd)
    return clipped(forecast.name, _MOST_NAME), str(forecast.runs), str(forecast.most_runs), calls, cost


def _total(forecasts: Sequence[Forecast]) -> tuple[str, ...]:
    runs, most = sum(one.runs for one in forecasts), sum(one.most_runs for one in forecasts)
    calls = [one.calls for one in forecasts if one.calls is not None]
    costs = [one.usd for one in forecasts if one.usd is not None]
    return "total, as far as known", str(runs), str(most), f"{fsum(calls):.0f}", dollars(fsum(costs))


def _caveats(forecasts: Iterable[Forecast]) -> list[str]:
    unknown = sum(one.usd is None for one in forecasts)
    if not unknown:
        return []
    remedy = "record their baselines with --llmrel-baseline=new"
    return [f"the cost of {unknown} tests is unknown, because no baseline tells it; {remedy}"]
