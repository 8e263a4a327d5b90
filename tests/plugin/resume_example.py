"""Sessions that are killed in the midst of their runs, and what the session after them makes of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from example import Outcome
from wire_example import Asking

from pytest_llmrel.simulator import Simulator

__all__ = ["TWO_TESTS", "judged", "killed", "ledger", "lines"]

TWO_TESTS = """
@krun(12, pass_rate=0.5, stop="never", concurrency=3)
DEF test_a(llmrel):
    note("a", llmrel.index)
    ASK()
    assert llmrel.index % 3, f"run {llmrel.index}"

@krun(12, gates=["pass_rate >= 0.5", "tone >= 0.1"], concurrency=3)
DEF test_b(llmrel):
    note("b", llmrel.index)
    ASK()
    llmrel.score("tone", llmrel.index / 12)
"""
"""Twenty-four runs; which of them fail does not depend on chance."""
_ONLY_OURS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_llmrel.plugin,xdist.plugin"}
_PATIENCE = 30.0
_TIMES = ("latency", "call_latency")


def killed(asking: Asking, model: Simulator, *args: str, after: int) -> None:
    """One session that, with all its processes, gets a SIGKILL when the model has got so many requests."""
    asking.example.write(asking.path)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *args],
        cwd=asking.path,
        env={**os.environ, **_ONLY_OURS, "MODEL_URL": model.base_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + _PATIENCE
    while model.requests < after and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"


def ledger(path: Path) -> list[Path]:
    """The files of the ledger of a suite, the oldest first."""
    return sorted((path / ".pytest_cache" / "llmrel").glob("*.jsonl"))


def lines(path: Path) -> list[bytes]:
    """All whole lines of a ledger that hold a run."""
    found = [line for file in ledger(path) for line in file.read_bytes().splitlines(keepends=True)]
    return [line for line in found if line[9:10] == b"[" and line.endswith(b"\n")]


def judged(outcome: Outcome) -> Mapping[str, Any]:
    """What a session says of its tests, without what no two sessions have in common: times, and ids."""
    return {nodeid: _judged(test) for nodeid, test in outcome.tests.items()}


def _judged(test: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {name: value for name, value in test.items() if name not in {"baseline", "latency_buckets"}}
    metrics = {name: value for name, value in test["metrics"].items() if not name.startswith(_TIMES)}
    cells = test["baseline"]["batch"]["cells"] if (test["baseline"] or {}).get("batch") else None
    return {**kept, "metrics": metrics, "cells": cells}
