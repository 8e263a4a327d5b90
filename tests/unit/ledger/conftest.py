"""Ledgers of a few runs, as a session leaves them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmrel.ledger.folder import begin

Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes the ledger of a session of ``runs`` runs, alternately of two tests; gives its file."""

    def write(runs: int = 6, session: str = "a", worker: str = "main") -> Path:
        journal, _ = begin(tmp_path / "llmrel", session, worker)
        for number, name in ((1, "one"), (2, "two")):
            journal.append({"test": number, "nodeid": f"test_it.py::test_{name}", "identity": name})
        for run in range(runs):
            journal.append([1 + run % 2, run, {"outcome": "passed", "duration": run / 8}])
        journal.close()
        return journal.path

    return write
