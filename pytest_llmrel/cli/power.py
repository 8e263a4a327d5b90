"""``llmrel power``: what a gate or a baseline detects, how often it cries wolf, how many runs that takes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_llmrel.cli.table import aligned

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

__all__ = ["add_arguments", "run"]

_DEFAULT_POWER = 0.8
_MOST_RUNS = 500
_LOWER = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7)
"""How far below the rate or the bar the tables look."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("--k", type=_count, default=10, help="runs of a test (default: %(default)s)")
    parser.add_argument("--bar", type=_rate, help="a gate 'pass_rate >= BAR', instead of a baseline")
    modes = ("observed", "evidence", "proof")
    parser.add_argument("--gate", choices=modes, default=modes[0], help="its mode (default: %(default)s)")
    parser.add_argument(
        "--baseline", type=_count, metavar="N", default=50, help="baseline runs (default: %(default)s)"
    )
    parser.add_argument(
        "--rate", type=_rate, default=0.95, help="true pass rate when it was recorded (default: %(default)s)"
    )
    parser.add_argument(
        "--tests", type=_count, metavar="M", default=20, help="tests with a baseline (default: %(default)s)"
    )
    parser.add_argument(
        "--alpha", type=_chance, default=0.01, help="false alarms per session (default: %(default)s)"
    )
    parser.add_argument("--now", type=_rate, metavar="RATE", help="find the runs needed to tell this rate")
    parser.add_argument(
        "--power", type=_chance, default=_DEFAULT_POWER, help="how surely, with --now (default: %(default)s)"
    )


def run(namespace: argparse.Namespace) -> int:
    """Prints the tables; returns 0, and 1 if no number of runs up to 500 is enough."""
    lines, status = _about_baseline(namespace) if namespace.bar is None else _about_gate(namespace)
    sys.stdout.write("\n".join(lines) + "\n")
    return status


def _about_baseline(namespace: argparse.Namespace) -> tuple[list[str], int]:
    from pytest_llmrel.core.baseline import WINDOW
    from pytest_llmrel.verdict.operating import alarm_odds, least_runs
    from pytest_llmrel.verdict.regression import Rule

    rule = Rule(namespace.alpha, namespace.tests)
    k, before, size = namespace.k, namespace.rate, namespace.baseline

    def odds(now: float, runs: int, baseline: int = size) -> float:
        return alarm_odds(before, now, baseline, runs, rule)

    suite = f"{namespace.tests} tests, alpha {namespace.alpha:g}"
    wolf = f"in at most {namespace.alpha:.1%} of the sessions in which no test got worse"
    lines = [
        f"A test with a pass rate of {_percent(before)} in {size} baseline runs, k = {k}, {suite}:",
        *aligned(
            ("true pass rate now", "turns red"),
            [[_percent(now), _percent(odds(now, k))] for now in _rates_below(before)],
            left=0,
        ),
        f"The suite cries wolf {wolf}, this test on its own in {odds(before, k):.2%}.",
        "A drift of several tests is detected sooner: the suite is judged as a whole, too.",
    ]
    lines, status = _with_needed(lines, namespace, lambda runs: odds(namespace.now, runs))
    if namespace.now is not None and size < WINDOW:
        larger = least_runs(lambda runs: odds(namespace.now, runs, WINDOW), namespace.power, _MOST_RUNS)
        lines.append(f"With {WINDOW} baseline runs, {_taken(larger)}.")
    return lines, status


def _about_gate(namespace: argparse.Namespace) -> tuple[list[str], int]:
    from pytest_llmrel.core.gate import GateMode
    from pytest_llmrel.verdict.operating import gate_odds

    mode, bar, k = GateMode(namespace.gate), namespace.bar, namespace.k
    rows = []
    for rate in sorted({1.0, *_rates_below(bar), (1.0 + bar) / 2}, reverse=True):
        odds = gate_odds(mode, bar, k, rate)
        unclear = max(0.0, 1.0 - odds.passes - odds.fails)
        rows.append([_percent(rate), *map(_percent, (odds.passes, odds.fails, unclear)), f"{odds.runs:.1f}"])
    header = ("true pass rate", "PASS", "FAIL", "INCONCLUSIVE", "runs on average")
    at_bar = gate_odds(mode, bar, k, bar)
    wolf = f"in {at_bar.fails:.1%} of the sessions, and is green there in {at_bar.passes:.1%}"
    lines = [
        f"The gate 'pass_rate >= {bar:g}', gate={mode.value!r}, k = {k}:",
        *aligned(header, rows, left=0),
        f"It cries wolf (FAIL right at the bar) {wolf}.",
    ]

    def chance(runs: int) -> float:
        odds = gate_odds(mode, bar, runs, namespace.now)
        return odds.fails if namespace.now < bar else odds.passes

    return _with_needed(lines, namespace, chance)


def _with_needed(
    lines: list[str], namespace: argparse.Namespace, chance: Callable[[int], float]
) -> tuple[list[str], int]:
    """The answer to "how many runs do I need", where it was asked."""
    from pytest_llmrel.verdict.operating import least_runs

    if namespace.now is None:
        return lines, 0
    found = least_runs(chance, namespace.power, _MOST_RUNS)
    detects = namespace.bar is None or namespace.now < namespace.bar
    what = f"turn red at a true pass rate of {namespace.now:g}" if detects else f"pass at {namespace.now:g}"
    said = f"To {what} in {_percent(namespace.power)} of the sessions, {_taken(found)}."
    return [*lines, said], 0 if found else 1


def _taken(runs: int | None) -> str:
    return f"{_MOST_RUNS} runs are not enough" if runs is None else f"it takes k = {runs}"


def _rates_below(rate: float) -> Iterator[float]:
    return (round(rate - drop, 10) for drop in _LOWER if rate - drop >= 0)


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:  # noqa: PLR2004
        raise ValueError(text)
    return int(text)


def _rate(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def _chance(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise ValueError(text)
    return value


_count.__name__ = "whole number from 1 to 10000"
_rate.__name__ = "rate within 0..1"
_chance.__name__ = "chance between 0 and 1"
