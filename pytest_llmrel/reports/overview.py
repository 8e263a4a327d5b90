"""The table at the end of a session: one line a test, with interval and verdict."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_llmrel.reports.remarks import further_runs, remarks
from pytest_llmrel.reports.safe import clipped
from pytest_llmrel.reports.spending import dollars

__all__ = ["overview"]

_COLUMNS = (
    "test",
    "runs",
    "passed",
    "pass rate",
    "95 %",
    "pass^k",
    "sens.",
    "baseline",
    "cost",
    "p95",
    "verdict",
)
_OPTIONAL = frozenset({"sens.", "baseline", "cost"})
"""Columns that are left out where they are empty for every test."""
_MOST_NAME, _MOST_REMARK = 72, 300
_FLAG = "* an interval contains the bar of its gate: more runs could overturn this"


def overview(results: Sequence[Mapping[str, Any]], *, brief: bool = False) -> list[tuple[str, str]]:
    """Lines of the table with the verdict that colours each, ``""`` for none.

    Args:
        results: entries of schema 1.
        brief: leave out what passed; a hunt was asked for, and always says how it ended.
    """
    shown = [result for result in results if not brief or result["verdict"] != "PASS" or "hunt" in result]
    header, *rows = _without_empty([_COLUMNS, *map(_row, shown)])
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [(_aligned(header, widths), "")] if rows else []
    for result, row in zip(shown, rows, strict=True):
        lines.append((_aligned(row, widths), result["verdict"]))
        lines += [(f"    {clipped(remark, _MOST_REMARK)}", "") for remark in _remarks(result)]
    if any(map(_is_flagged, shown)):
        lines.append((_FLAG, ""))
    return [*lines, (_totals(results), "")]


def _row(result: Mapping[str, Any]) -> tuple[str, ...]:
    rate, p95 = result["metrics"]["pass_rate"], result["metrics"]["latency_p95"]["point"]
    return (
        clipped(result["nodeid"], _MOST_NAME),
        str(result["runs"]),
        str(result["passed"]),
        _number(rate["point"]),
        "" if rate["low"] is None else f"{rate['low']:.2f}-{rate['high']:.2f}",
        _pass_hat(result["metrics"]),
        _number(result["metrics"]["sensitivity"]["point"]) if "sensitivity" in result["metrics"] else "",
        _baseline(result["baseline"]),
        _cost(result["cost"]),
        "n/a" if p95 is None else f"{p95:.2f}s",
        result["verdict"] + ("*" if _is_flagged(result) else ""),
    )


def _without_empty(table: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    kept = [
        place
        for place, name in enumerate(_COLUMNS)
        if name not in _OPTIONAL or any(row[place] for row in table[1:])
    ]
    return [tuple(row[place] for place in kept) for row in table]


def _baseline(baseline: Mapping[str, Any] | None) -> str:
    """Rate and runs of the baseline that the test was compared with."""
    if baseline is None or baseline["comparison"] is None:
        return ""
    return f"{baseline['passed'] / baseline['n']:.2f} ({baseline['n']})"


def _cost(cost: Mapping[str, Any]) -> str:
    if not cost["calls"]:
        return ""
    return "unknown" if cost["usd"] is None else dollars(cost["usd"])


def _is_flagged(result: Mapping[str, Any]) -> bool:
    return any(finding["straddles"] for finding in result["findings"])


def _pass_hat(metrics: Mapping[str, Any]) -> str:
    """pass^5 where there are five runs, to be comparable; else that of all runs."""
    ks = [int(name.removeprefix("pass^")) for name in metrics if name.startswith("pass^")]
    if not ks:
        return ""
    k = 5 if 5 in ks else max(ks)  # noqa: PLR2004
    return f"{_number(metrics[f'pass^{k}']['point'])} (k={k})"


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def _remarks(result: Mapping[str, Any]) -> Iterator[str]:
    for finding in result["findings"]:
        if finding["status"] != "PASS":
            yield finding["explanation"]
    if result["errors"]:
        runs = "1 run" if result["errors"] == 1 else f"{result['errors']} runs"
        yield f"{runs} ended in an error, not counted in the rates"
    yield from remarks(result)


def _aligned(cells: Iterable[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if number == 0 else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join((first, *rest)).rstrip()


def _totals(results: Sequence[Mapping[str, Any]]) -> str:
    verdicts = Counter(result["verdict"] for result in results)
    said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    tests = "1 test" if len(results) == 1 else f"{len(results)} tests"
    runs = sum(result["runs"] + further_runs(result) for result in results)
    saved = sum(result["stopped"]["saved"] for result in results if result["stopped"])
    return f"{tests}, {runs} runs{f' ({saved} saved)' if saved else ''}: {said}"
