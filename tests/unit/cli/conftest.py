"""Labelled answers, and ``llmrel judge calibrate`` with a judge of one's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmrel.cli import judge as command
from pytest_llmrel.cli.main import main

from .judges import PROMPT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 60 faithful answers, g0 to g59, and 60 others, b0 to b59; we are in it."""
    monkeypatch.chdir(tmp_path)
    lines = [
        {"answer": f"{kind}{number}", "context": "c", "question": "q", "label": label}
        for kind, label in (("g", 1), ("b", 0))
        for number in range(60)
    ]
    (tmp_path / "labels.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return tmp_path


@pytest.fixture
def calibrate(labelled: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command with a judge of one's own."""

    def run(judge: Any, *arguments: str) -> int:
        monkeypatch.setattr(command, "_build", lambda _: command._Built(judge, "2", PROMPT))
        return main(["judge", "calibrate", "labels.jsonl", "--model", "small-1", *arguments])

    return run
