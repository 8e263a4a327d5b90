"""What a result says of the baseline of its test, as JSON-simple data."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pytest_llmrel.core.baseline import Standing
from pytest_llmrel.core.model import Summary
from pytest_llmrel.verdict.regression import Comparison

__all__ = ["baseline_entry"]


def baseline_entry(
    standing: Standing, comparison: Comparison | None, summary: Summary, escalation: Summary | None
) -> dict[str, Any] | None:
    """The key ``baseline`` of a result, ``None`` with ``--llmrel-baseline=off``.

    Args:
        standing: of the test before its runs.
        comparison: with its baseline, if there is one.
        summary: of its first runs.
        escalation: of the further runs, if there were any.
    """
    if standing.status == "off":
        return None
    entry, why_not = standing.entry, _why_not(summary)
    return {
        "file": standing.file,
        "entry": standing.name,
        "status": standing.status,
        "content": standing.content,
        "provenance": dict(standing.provenance),
        "former": standing.former,
        "note": standing.note,
        "record": standing.record,
        "passed": None if entry is None else entry.passed,
        "n": None if entry is None else entry.n,
        "batches": [] if entry is None else [batch.id for batch in entry.batches],
        "batch": None if why_not else _batch(summary),
        "why_not": why_not,
        "comparison": None if comparison is None else _comparison(comparison, escalation),
    }


def _why_not(summary: Summary) -> str:
    """Why the runs cannot be part of a baseline, ``""`` if they can."""
    if summary.saved:
        return "stopped early: what is counted then is biased"
    if summary.unfinished:
        return f"{summary.unfinished} runs are missing"
    if summary.spent.replayed_calls + summary.judging.replayed_calls:
        return "replayed: the answers of a tape are no new ones"
    if summary.followed:
        return "it could have stopped early, so that only some samples get this far; use stop='never'"
    return "" if summary.valid else "no valid run"


def _batch(summary: Summary) -> Mapping[str, Any]:
    return {
        "cells": [asdict(cell) for cell in summary.cells],
        "scores": {name: asdict(score) for name, score in summary.scores.items()},
        "expenses": _expenses(summary),
    }


def _expenses(summary: Summary) -> Mapping[str, Any] | None:
    spent, judging = summary.spent, summary.judging
    if not spent.calls + judging.calls:
        return None
    is_known = spent.usd is not None and judging.usd is not None
    return {
        "runs": summary.runs,
        "calls": spent.calls + judging.calls,
        "usd": spent.known_usd + judging.known_usd if is_known else None,
        "input_tokens": spent.input_tokens + judging.input_tokens,
        "output_tokens": spent.output_tokens + judging.output_tokens,
    }


def _comparison(found: Comparison, escalation: Summary | None) -> Mapping[str, Any]:
    return {
        "strata": [list(stratum) for stratum in found.strata],
        "pooled": None if found.pooled is None else [list(stratum) for stratum in found.pooled],
        "p": found.p,
        "status": str(found.finding.status),
        "guard": found.guard.kind,
        "detectable_drop": found.guard.detectable_drop,
        "escalation": None if escalation is None else _escalation(escalation),
    }


def _escalation(summary: Summary) -> Mapping[str, Any]:
    passed = sum(cell.passed for cell in summary.cells)
    return {"runs": summary.runs, "passed": passed, "n": summary.valid, "unfinished": summary.unfinished}
