"""The table at the end of a session: one line a test, with interval and verdict."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_llmrel.reports.safe import clipped

__all__ = ["overview"]

_HEADER = ("test", "runs", "passed", "pass rate", "95 %", "pass^k", "p95", "verdict")
_MOST_NAME, _MOST_REMARK = 72, 300
_FLAG = "* an interval contains the bar of its gate: more runs could overturn this"


def overview(results: Sequence[Mapping[str, Any]], *, brief: bool = False) -> list[tuple[str, str]]:
    """Lines of the table with the verdict that colours each, ``""`` for none.

    Args:
        results: entries of schema 1.
        brief: leave out what passed.
    """
    shown = [result for result in results if not brief or result["verdict"] != "PASS"]
    rows = [_row(result) for result in shown]
    widths = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
    lines = [(_aligned(_HEADER, widths), "")] if rows else []
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
        "n/a" if p95 is None else f"{p95:.2f}s",
        result["verdict"] + ("*" if _is_flagged(result) else ""),
    )


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
    yield from result["notes"]


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
    return f"{tests}, {sum(result['runs'] for result in results)} runs: {said}"
