"""Suites whose model answers by script, so that every session with a baseline can be computed beforehand."""

# numpy and pydantic cannot be imported twice in one process, and inner sessions forget what they imported.
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import comb
from pathlib import Path
from typing import Any

import numpy as np  # noqa: F401
import pydantic  # noqa: F401
import pytest
from example import PLAIN, Example, Outcome

__all__ = ["HEAD", "Scripted", "fails", "gate", "plain", "worse"]

HEAD = """
import pytest
from model import play
from pytest_llmrel import krun, paraphrase
"""
_MODEL = '''
import json
from pathlib import Path
import pytest
from witness import note


def play(llmrel, name):
    """Ends the run as letter number ``llmrel.index`` of the script says: p, f, a, s, e; t raises in tear-down."""
    script = json.loads((Path(__file__).parent / "model.json").read_text())[name]
    if isinstance(script, dict):
        script = script[llmrel.variant]
    letter = script[llmrel.index % len(script)]
    note("call", name, llmrel.index)
    if letter == "e":
        raise ConnectionError("down")
    if letter == "s":
        pytest.skip("not here")
    if letter == "a":
        llmrel.abstain("no answer")
    assert letter in "pt", "wrong answer"
    return letter
'''
Script = Mapping[str, str | Mapping[str, str]]


class Scripted:
    """A suite and its model in one directory, session after session."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tests: str, **ini: str):
        monkeypatch.delenv("CI", raising=False)
        self.pytester = pytester
        self.example = Example({"model.py": _MODEL, "test_it.py": HEAD + tests}, {"pythonpath": ".", **ini})

    def edit(self, files: Mapping[str, str], *, remove: Sequence[str] = ()) -> None:
        """Change files of the suite; those of test modules get the usual head."""
        headed = {name: HEAD * Path(name).name.startswith("test_") + text for name, text in files.items()}
        known = {name: text for name, text in self.example.files.items() if name not in remove}
        for name in remove:
            (self.path / name).unlink(missing_ok=True)
        self.example = replace(self.example, files={**known, **headed})

    def run(self, script: Script | str, *args: str, subprocess: bool = False) -> Outcome:
        """One session in which the model answers by ``script``; a text is that of test ``a``."""
        self.write(script)
        return self.example.run(self.pytester, *PLAIN, *args, subprocess=subprocess)

    def write(self, script: Script | str) -> None:
        """Write suite and script, and run nothing."""
        self.example.write(self.path)
        answers = {"a": script} if isinstance(script, str) else script
        (self.path / "model.json").write_text(json.dumps(answers), encoding="utf-8")

    @property
    def path(self) -> Path:
        """Directory of the suite."""
        return self.pytester.path

    def file(self, module: str = "test_it") -> Path:
        """A baseline file."""
        found = self.path / module
        return found.parent / "__baselines__" / f"{found.name}.json"

    def entries(self, module: str = "test_it") -> Mapping[str, Any]:
        """Entries of a baseline file by name, none without a file."""
        path = self.file(module)
        return json.loads(path.read_text(encoding="utf-8"))["tests"] if path.exists() else {}

    def counts(self, name: str = "test_a", module: str = "test_it") -> list[tuple[int, int]]:
        """``(passed, n)`` of each batch of an entry, wordings together."""
        return [
            (sum(cell["passed"] for cell in batch["cells"]), sum(cell["n"] for cell in batch["cells"]))
            for batch in self.entries(module)[name]["batches"]
        ]


def plain(*names: str, mark: str = "10") -> str:
    """Tests without anything special."""
    return "".join(
        f"\n@krun({mark})\ndef test_{name}(llmrel):\n    play(llmrel, {name!r})\n" for name in names
    )


def fails(failed: int, of: int) -> str:
    """A script of ``of`` runs, the last ``failed`` of which fail."""
    return "p" * (of - failed) + "f" * failed


def worse(x0: int, n0: int, x1: int, n1: int) -> float:
    """Fisher's one-sided p-value, from its definition and with no code of ours."""
    total = comb(n0 + n1, x0 + x1)
    return sum(comb(n1, j) * comb(n0, x0 + x1 - j) for j in range(max(0, x0 + x1 - n0), x1 + 1)) / total


def gate(outcome: Outcome, name: str = "test_a") -> Mapping[str, Any]:
    """The finding of the regression rule about one test."""
    (found,) = [finding for finding in outcome.test(name)["findings"] if finding["metric"] == "regression"]
    return found
