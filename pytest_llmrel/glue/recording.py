"""Writes the baselines that a session was asked to record; only the process that sees all results does."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_llmrel.core.baseline import Batch, Cell, Expenses, ScoreSummary
from pytest_llmrel.errors import BaselineError
from pytest_llmrel.reports.result import Result

__all__ = ["record_baselines"]


def record_baselines(root: Path, results: Iterable[Result]) -> tuple[list[str], list[str]]:
    """Record the batches of the results that are to be recorded.

    Returns:
        What was done, and what could not be done, as sentences.
    """
    files: dict[str, list[Mapping[str, Any]]] = {}
    problems = []
    for result in results:
        baseline = result["baseline"] or {"record": ""}
        if not baseline["record"]:
            continue
        if baseline["batch"] is None and result["runs"] == result["skipped"] + result["xfailed"] > 0:
            continue  # nothing was to be seen, as with a mark that skips the test
        if baseline["batch"] is None:
            problems.append(f"{result['nodeid']}: no baseline recorded: {baseline['why_not']}")
        else:
            files.setdefault(baseline["file"], []).append(baseline)
    done = []
    for file, entries in sorted(files.items()):
        from pytest_llmrel.baselines.store import record

        try:
            undone = record(root / file, [_change(entry) for entry in entries])
        except BaselineError as error:
            problems += error.problems
        else:
            problems += undone
            done.append(f"{file}: {len(entries) - len(undone)} of {len(entries)} baselines recorded")
    return done, problems


def _change(baseline: Mapping[str, Any]) -> Any:
    from pytest_llmrel.baselines.store import Change

    return Change(
        name=baseline["entry"],
        content=baseline["content"],
        provenance=baseline["provenance"],
        batch=_batch(baseline["batch"]),
        replaces=frozenset(baseline["batches"] if baseline["record"] == "replace" else ()),
        former=baseline["former"],
    )


def _batch(batch: Mapping[str, Any]) -> Batch:
    return Batch(
        id=batch["id"],
        recorded=batch["recorded"],
        version=batch["pytest_llmrel"],
        cells=tuple(Cell(**cell) for cell in batch["cells"]),
        scores={name: ScoreSummary(**score) for name, score in batch["scores"].items()},
        expenses=None if batch["expenses"] is None else Expenses(**batch["expenses"]),
    )
