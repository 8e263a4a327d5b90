"""Batches and changes of which a test says only what it is about, and the same as they stand in a file."""

import json
from pathlib import Path
from typing import Any

from pytest_llmrel.baselines.store import Change
from pytest_llmrel.core.baseline import Batch, Cell, ScoreSummary

CONTENT = "00c0ffee00c0ffee"
MODEL = {"model": "small-1"}


def batch(number: int = 1, passed: int = 9, n: int = 10, **changes: Any) -> Batch:
    """The batch of one session, its number as id."""
    cells = changes.pop("cells", (Cell("", "", passed, n),))
    scores = changes.pop("scores", {"faithfulness": ScoreSummary(10, 0.75, 0.1)})
    return Batch(f"{number:016x}", "2026-11-23T09:30:00Z", "0.2.0", cells, scores)


def change(name: str = "test_a", of: Batch | None = None, **changes: Any) -> Change:
    """The change that records a batch."""
    plain = {"content": CONTENT, "provenance": MODEL} | changes
    return Change(name, batch=of or batch(), **plain)


def batch_data(number: int = 1, passed: Any = 9, n: Any = 10, **changes: Any) -> dict[str, Any]:
    """A batch as it stands in a file."""
    cells = [{"case": "", "variant": "", "passed": passed, "n": n}]
    plain = {"id": f"{number:016x}", "recorded": "2026-11-23T09:30:00Z", "pytest_llmrel": "0.2.0"}
    return plain | {"cells": cells, "scores": {}} | changes


def entry_data(*batches: Any, **changes: Any) -> dict[str, Any]:
    """An entry as it stands in a file."""
    plain = {"content": CONTENT, "provenance": MODEL, "batches": list(batches or [batch_data()])}
    return plain | changes


def write(path: Path, **tests: Any) -> Path:
    """A baseline file with these entries, whatever they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schema": 1, "tests": tests}))
    return path
