"""``llmrel merge``: files that are merged, and files that nobody should trust."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmrel.cli.main import main
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Outcome, Sample
from pytest_llmrel.core.plan import RunPlan, attempts
from pytest_llmrel.reports.result import canonical, result_entry, session_document, suite_entry
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.summary import Aggregate

if TYPE_CHECKING:
    from pathlib import Path


def document(index: int, *names: str) -> dict[str, Any]:
    """The report of one of two shards, of tests that passed."""
    results = {}
    for name in names:
        plan = RunPlan(3, Inputs(), (), 8, 60.0)
        aggregate = Aggregate(plan, 3)
        for attempt in attempts(plan, name):
            aggregate.record(Sample(attempt, Outcome.PASSED, 0.5))
        summary = aggregate.summary()
        results[name] = result_entry(name, summary, decide(plan, summary, 0.1))
    shard = {
        "index": index, "count": 2, "selection": "a" * 16, "settings": "b" * 16, "tests": 2,
        "assigned": list(names), "missing": [], "failed": [], "interrupted": False,
        "rule": {"alpha": 0.01, "tests": 1},
    }  # fmt: skip
    provenance = {"pytest": "9.2.0", "pytest_llmrel": version("pytest-llmrel"), "python": "3.11.7"}
    return dict(json.loads(canonical(session_document(results, provenance, suite_entry(None), shard))))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Both shards of a suite."""
    paths = tmp_path / "1.json", tmp_path / "2.json"
    paths[0].write_text(canonical(document(1, "t.py::test_a")), encoding="utf-8")
    paths[1].write_text(canonical(document(2, "t.py::test_b")), encoding="utf-8")
    return paths


def test_all_shards(files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table of one session, its exit code, and its report in folders that are made."""
    target = tmp_path / "new" / "all.json"
    assert main(["merge", *map(str, files), "--json", str(target)]) == 0
    shown = capsys.readouterr()
    assert "2 tests, 6 runs: 2 PASS" in shown.out
    assert shown.out.index("test_a") < shown.out.index("test_b")
    merged = json.loads(target.read_text(encoding="utf-8"))
    assert [test["nodeid"] for test in merged["tests"]] == ["t.py::test_a", "t.py::test_b"]
    assert (merged["suite"]["verdict"], merged["suite"]["latency_runs"]["n"], shown.err) == ("PASS", 6, "")


def test_a_report_that_cannot_be_written(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was asked for and is not there: not done, whatever the verdict."""
    (tmp_path / "file").touch()
    assert main(["merge", *map(str, files), "--json", str(tmp_path / "file" / "all.json")]) == 2
    assert "llmrel merge: --json: " in capsys.readouterr().err


def damaged(change: str, value: Any) -> str:
    """The second report with another value at a path of keys."""
    report = document(2, "t.py::test_b")
    *way, last = change.split("/")
    place: Any = report
    for name in way:
        place = place[int(name)] if isinstance(place, list) else place[name]
    if value is None:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return json.dumps(report)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty; give a report of --llmrel-json"),
        ('{"schema": 1, ', "not readable as JSON (line 1"),
        ("[]", "not a report of --llmrel-json (no schema 1)"),
        ('{"schema": 2}', "written by a newer pytest_llmrel"),
        ('{"schema": 1, "tests": NaN}', "NaN is no number"),
        ('{"schema": 1, "schema": 1}', "is there twice"),
        ('{"schema": 1}', "provenance is missing"),
        (damaged("provenance/pytest_llmrel", "0.0.9"), "written by pytest_llmrel '0.0.9', and this is"),
        (damaged("shard", None), "the report of a whole session, not of a shard"),
        (damaged("shard/selection", "xyz"), "shard: selection should be sixteen hexadecimal digits"),
        (damaged("shard/index", "2"), "shard: index should be a valid integer, and is '2'"),
        (damaged("shard/rule/alpha", 1.5), "shard: rule: alpha should be less than 1"),
        (damaged("shard/interrupted", 0), "shard: interrupted should be a valid boolean"),
        (damaged("tests/0/passed", -1), "test 1: passed should be greater than or equal to 0"),
        (damaged("tests/0/passed", 2), "t.py::test_b: contradicts its counts: passed"),
        (damaged("tests/0/counts", None), "test 1: counts is missing"),
        (damaged("tests/0/counts/cells/0", ["", "", 1]), "test 1: counts: cell 1 4 is missing"),
        (damaged("tests/0/counts/cells/0", ["", "", 1, 1, 1.5]), "should be a valid integer"),
        (damaged("tests/0/verdict", "GOOD"), "test 1: verdict should be 'PASS', 'INCONCLUSIVE' or 'FAIL'"),
        (damaged("tests/0/metrics/pass_rate", None), "metric pass_rate is missing"),
        (damaged("tests/0/metrics/pass_rate/point", "1"), "point should be a valid number, and is '1'"),
        (damaged("tests/0/cost/judge", None), "test 1: cost: judge is missing"),
        (damaged("tests/0/cost/reason", None), "cost: what is unknown needs its reason"),
        (damaged("tests/0/latency_buckets/runs", {"x": 3}), "latency_buckets: runs"),
        (damaged("suite/unused", [1]), "suite: unused entry 1"),
    ],
)
def test_files_that_are_refused(
    files: tuple[Path, Path], text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, nothing on stdout; the file, what is wrong with it, and of what value."""
    files[1].write_text(text, encoding="utf-8")
    assert main(["merge", *map(str, files)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert all(line.startswith(f"llmrel merge: {files[1]}: ") for line in shown.err.splitlines())
    assert said in shown.err


def test_a_file_that_is_not_there(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Told together with what is wrong with others."""
    files[0].unlink()
    files[1].write_text("{", encoding="utf-8")
    assert main(["merge", *map(str, files)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "1.json: cannot be read (No such file or directory)" in first
    assert "2.json: not readable as JSON" in second
