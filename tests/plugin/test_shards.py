"""``--llmrel-shard`` and ``llmrel merge``: parts of a suite on several machines, judged as one session would."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from baseline_example import Scripted, fails, plain

from pytest_llmrel.cli.main import main

NAMES = "abcdef"
PLAIN_TESTS = {
    "test_plain.py": "from witness import note\n\ndef test_x(): note('plain', 'x')\n\ndef test_y(): note('plain', 'y')\n"
}


@pytest.fixture
def scripted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Six tests of ten runs, each with fifty passes of fifty in its baseline, and two tests without krun."""
    scripted = Scripted(pytester, monkeypatch, plain(*NAMES))
    scripted.edit(PLAIN_TESTS)
    scripted.run(dict.fromkeys(NAMES, "p"), "--llmrel-baseline=new")
    return scripted


def shards(scripted: Scripted, script: Any, count: int, *args: str) -> tuple[list[Path], list[Any]]:
    """Run all shards, one after the other; their reports, and what came of them."""
    files, outcomes = [], []
    for index in range(1, count + 1):
        outcome = scripted.run(script, f"--llmrel-shard={index}/{count}", *args)
        files.append(scripted.path / f"shard-{index}.json")
        files[-1].write_text(json.dumps(outcome.report), encoding="utf-8")
        outcomes.append((outcome, outcome.log("plain"), outcome.log("call")))
    return files, outcomes


def stable(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report without what no two sessions share: durations, and ids of batches."""
    text = json.loads(json.dumps(report))
    for test in text["tests"]:
        test.pop("latency_buckets")
        test["metrics"] = {name: value for name, value in test["metrics"].items() if "latency" not in name}
        (test["baseline"] or {}).pop("batch", None)
    text["suite"].pop("latency_runs")
    return dict(text)


def test_three_shards_are_the_whole_session(scripted: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    """Every test runs once; merged, counts, verdicts, rule and numbers are those of one session."""
    script = {**dict.fromkeys(NAMES, fails(1, 10)), "c": "f"}
    whole = scripted.run(script)
    files, outcomes = shards(scripted, script, 3)
    calls = [call for _, _, calls in outcomes for call in calls]
    assert len(calls) == len({tuple(call) for call in calls}) == 60
    assert sorted(word for _, notes, _ in outcomes for (word,) in notes) == ["x", "y"]
    assert [len(outcome.tests) for outcome, _, _ in outcomes] == [2, 2, 2]
    assert sorted(outcome.ret for outcome, _, _ in outcomes) == [0, 0, 1], "only test_c fails alone"
    assert all("llmrel::regression" not in outcome.out for outcome, _, _ in outcomes)
    capsys.readouterr()
    assert main(["merge", *map(str, reversed(files)), "--json", str(scripted.path / "all.json")]) == 1
    merged = json.loads((scripted.path / "all.json").read_text(encoding="utf-8"))
    assert stable(merged) == stable(whole.report)
    assert merged["suite"]["findings"][0]["status"] == "FAIL"
    said = capsys.readouterr().out
    assert "the suite as a whole is worse than its baselines: 45 of 60 runs passed in 6 tests" in said
    assert "failed: test_it.py::test_c" in said
