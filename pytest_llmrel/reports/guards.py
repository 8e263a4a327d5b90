"""What the baselines say of a session: of the suite as a whole, and of tests that are hardly guarded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_llmrel.core.model import Status
from pytest_llmrel.reports.safe import clipped
from pytest_llmrel.stats.stratified import Stratum
from pytest_llmrel.verdict.regression import Suite

__all__ = ["compared_strata", "guard_lines", "suite_failure"]

_MOST_NAMED = 5
_MOST_NAME = 72


def compared_strata(results: Iterable[Mapping[str, Any]]) -> dict[str, list[Stratum]]:
    """Node id -> strata of the tests that were compared with their baselines, in the order of the node ids.

    Args:
        results: entries of schema 1.
    """
    found = {
        result["nodeid"]: [Stratum(*counts) for counts in result["baseline"]["comparison"]["strata"]]
        for result in results
        if (result["baseline"] or {}).get("comparison")
    }
    return dict(sorted(found.items()))


def guard_lines(
    results: Sequence[Mapping[str, Any]],
    suite: Suite | None,
    unused: Sequence[tuple[str, str]],
    *,
    brief: bool = False,
) -> Iterator[tuple[str, str]]:
    """Lines below the table, with the verdict that colours each, ``""`` for none.

    Args:
        results: entries of schema 1.
        suite: the judgement on all tests together.
        unused: ``(file, entry)`` of the baselines that no test has.
        brief: leave out what is as it should be.
    """
    for finding in () if suite is None else suite.findings:
        if not brief or finding.status is not Status.PASS:
            yield finding.explanation, str(finding.status)
    yield from ((line, "") for line in _suspects(suite))
    yield from ((line, "") for line in _unguarded(results))  # loud in every mode: a gate that is not there
    if not brief:
        yield from ((line, "") for line in _unused(unused))


def suite_failure(suite: Suite) -> str:
    """The text of the report by which the suite fails."""
    failed = [finding.explanation for finding in suite.findings if finding.status is Status.FAIL]
    return "\n".join([*failed, *_suspects(suite)])


def _suspects(suite: Suite | None) -> Iterator[str]:
    """The tests to look at, where the suite has failed."""
    if suite is not None and suite.status is Status.FAIL and suite.named:
        yield "look at:"
        for name in suite.named:
            yield f"  {clipped(name, _MOST_NAME + 40)} (adjusted p = {suite.adjusted[name]:.2g})"


def _unguarded(results: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    known = [(result["nodeid"], result["baseline"]) for result in results if result["baseline"] is not None]
    if missing := [name for name, found in known if found["status"] == "none" and not found["record"]]:
        yield f"no baseline: {_named(missing)}; record with --llmrel-baseline=new"
    if uncompared := [name for name, baseline in known if _is_uncompared(baseline)]:
        yield f"not compared with their baselines: {_named(uncompared)}"
    compared = [(name, baseline["comparison"]) for name, baseline in known if baseline["comparison"]]
    if weak := [_with_drop(name, found) for name, found in compared if found["guard"] == "weak"]:
        yield f"weakly guarded, with fewer than 50 baseline runs: {_named(weak)}"
    if blind := [name for name, found in compared if found["guard"] == "blind"]:
        yield f"blind, no result of so few runs could turn it red: {_named(blind)}"


def _is_uncompared(baseline: Mapping[str, Any]) -> bool:
    return baseline["n"] is not None and not baseline["comparison"] and baseline["record"] != "replace"


def _with_drop(name: str, comparison: Mapping[str, Any]) -> str:
    return f"{name} (sees a drop of {100 * comparison['detectable_drop']:.0f} points)"


def _unused(unused: Sequence[tuple[str, str]]) -> Iterator[str]:
    if unused:
        names = [f"{file}: {name}" for file, name in unused]
        yield f"unused baselines: {_named(names)}; remove them with 'llmrel baseline prune'"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(clipped(name, _MOST_NAME + 40) for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
