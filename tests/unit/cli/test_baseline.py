"""``llmrel baseline show`` and ``prune``: what is listed, what is removed, and what pytest is asked for."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pytest_llmrel.cli
from pytest_llmrel.baselines.store import Change, read_baselines, record
from pytest_llmrel.cli import baseline
from pytest_llmrel.core.baseline import Batch, Cell

PYTEST = """
import json, os, sys

with open("stub.json") as file:
    stub = json.load(file)
with open("asked.json", "w") as file:
    json.dump(sys.argv[1:], file)
if stub["report"] is not None:
    with open(sys.argv[sys.argv.index("--llmrel-json") + 1], "w") as file:
        json.dump(stub["report"], file)
print("collected \\x1b[31mnothing")
print("a warning", file=sys.stderr)
sys.exit(stub["code"])
"""
FILE = "tests/__baselines__/test_faq.json"


def llmrel(*arguments: str) -> int:
    """The command, with these arguments."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    baseline.add_arguments(parser)
    return baseline.run(parser.parse_args(arguments))


def remember(
    path: Path, *names: str, cells: tuple[Cell, ...] = (Cell("", "", 9, 10),), **changes: Any
) -> None:
    """Records a session in a baseline file."""
    recorded = changes.pop("recorded", "2026-11-23T09:30:00Z")
    number = changes.pop("number", 1)
    batch = Batch(f"{number:016x}", recorded, "0.2.0", cells)
    plain = {"content": "0" * 16, "provenance": {"model": "small-1"}} | changes
    assert record(path, [Change(name, batch=batch, **plain) for name in names]) == []


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and we are in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stub(folder: Path, report: Any, code: int = 0) -> None:
    """Puts something in the place of pytest that says so of a collection."""
    (folder / "pytest.py").write_text(PYTEST)
    (folder / "stub.json").write_text(json.dumps({"report": report, "code": code}))


def unused(*names: str, file: str = FILE) -> dict[str, Any]:
    """A report in which these entries have no test."""
    return {"schema": 1, "tests": [], "suite": {"unused": [{"file": file, "entry": name} for name in names]}}


def test_show_lists_what_is_remembered(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line a test: counts, rate, sessions, date and provenance."""
    remember(here / FILE, "test_a", "test_b")
    remember(here / FILE, "test_a", cells=(Cell("", "", 1, 10),), number=2, recorded="2026-11-24T00:00:00Z")
    assert llmrel("show") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert [line.split() for line in shown.out.splitlines()] == [
        ["test", "passed", "rate", "sessions", "newest", "provenance"],
        ["tests/test_faq.py::test_a", "10/20", "50.0", "%", "2", "2026-11-24", "model=small-1"],
        ["tests/test_faq.py::test_b", "9/10", "90.0", "%", "1", "2026-11-23", "model=small-1"],
    ]


def test_show_counts_cases_and_wordings(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there are several."""
    cells = tuple(Cell(case, wording, 1, 1) for case in "abc" for wording in ("", "typos"))
    remember(here / FILE, "test_a", cells=cells)
    remember(here / FILE, "test_b")
    assert llmrel("show", "tests") == 0
    header, one, two = (line.split() for line in capsys.readouterr().out.splitlines())
    assert header[3:5] == ["cases", "wordings"]
    assert one[1:6] == ["6/6", "100.0", "%", "3", "2"]
    assert two[1:5] == ["9/10", "90.0", "%", "1"]


def test_show_looks_below_but_not_at_what_is_installed(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor at hidden folders; each file once, however often it is named."""
    for folder in ("", "a/b/", ".hidden/", "node_modules/", "venv/", "x/site-packages/"):
        remember(here / folder / FILE, "test_a")
    (here / "venv" / "pyvenv.cfg").touch()
    assert llmrel("show", ".", ".", "a") == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [
        "a/b/tests/test_faq.py::test_a",
        "tests/test_faq.py::test_a",
    ]


@pytest.mark.parametrize("place", ["tests/__baselines__", FILE])
def test_show_takes_the_folder_and_the_file(
    here: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """They are what tab completion offers."""
    remember(here / FILE, "test_a")
    assert llmrel("show", place) == 0
    assert capsys.readouterr().out.count("test_a") == 1


def test_show_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says how to begin."""
    assert llmrel("show") == 0
    assert "pytest --llmrel-baseline=new" in capsys.readouterr().out


def test_show_a_place_that_is_not_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no empty place."""
    assert llmrel("show", "nowhere") == 2
    assert capsys.readouterr() == ("", "llmrel baseline: nowhere: no such file or folder\n")


def test_show_damaged_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is sound is listed; the rest is told, and the exit code says so."""
    remember(here / FILE, "test_a", "test_b")
    document = json.loads((here / FILE).read_text())
    document["tests"]["test_b"]["content"] = "?\x1b[31m"
    (here / FILE).write_text(json.dumps(document))
    (here / FILE).with_name("test_x.json").write_text("<<<<<<< HEAD\n")
    assert llmrel("show") == 2
    shown = capsys.readouterr()
    assert "test_a" in shown.out
    assert "test_b" not in shown.out
    one, two = shown.err.splitlines()
    assert "entry 'test_b': content should be sixteen hexadecimal digits" in one
    assert "merge conflict" in two
    assert "\x1b" not in shown.err


def test_show_hostile_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line is a line, and nothing acts."""
    remember(here / FILE, "test_a[\x1b[2J\n" + "x" * 999 + "]", provenance={"model": "\u202e\n" + "y" * 999})
    assert llmrel("show") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].isprintable()
    assert len(lines[1]) < 250


def test_prune_removes_what_no_test_has(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is pytest that is asked, by collecting; its words are not shown."""
    remember(here / FILE, "test_a", "test_b", "test_c")
    stub(here, unused("test_c", "test_a"))
    assert llmrel("prune") == 0
    assert list(read_baselines(here / FILE).entries) == ["test_b"]
    assert capsys.readouterr() == (f"removed {FILE}: test_a\nremoved {FILE}: test_c\n", "")


def test_prune_gives_arguments_on(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files as they are, options after two dashes; the report is in a file that is gone afterwards."""
    stub(here, unused())
    assert llmrel("prune", "tests", "--", "-c", "other.ini", "--strict-markers") == 0
    asked = json.loads((here / "asked.json").read_text())
    assert asked[:3] == ["--collect-only", "-q", "--llmrel-json"]
    assert asked[4:] == ["tests", "-c", "other.ini", "--strict-markers"]
    assert not Path(asked[3]).parent.exists()
    assert capsys.readouterr().out == "no unused entries\n"


def test_a_dry_run_removes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what would be."""
    remember(here / FILE, "test_a")
    before = (here / FILE).read_bytes()
    stub(here, unused("test_a"), code=5)
    assert llmrel("prune", "--dry-run") == 0
    assert capsys.readouterr().out == f"would remove {FILE}: test_a\n"
    assert (here / FILE).read_bytes() == before


def test_prune_where_nothing_is_collected(here: Path) -> None:
    """All tests may be gone."""
    remember(here / FILE, "test_a")
    stub(here, unused("test_a"), code=5)
    assert llmrel("prune") == 0
    assert not (here / FILE).parent.exists()


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6])
def test_prune_nothing_if_collecting_fails(here: Path, capsys: pytest.CaptureFixture[str], code: int) -> None:
    """A file that cannot be imported has no tests, and still has baselines; pytest's words are shown."""
    remember(here / FILE, "test_a")
    before = (here / FILE).read_bytes()
    stub(here, unused("test_a"), code=code)
    assert llmrel("prune") == 2
    shown = capsys.readouterr()
    assert shown.out == "collected \\x1b[31mnothing\na warning\n"
    assert shown.err == (f"llmrel baseline: collecting failed (exit code {code}); nothing was removed\n")
    assert (here / FILE).read_bytes() == before


@pytest.mark.parametrize("report", [None, {}, {"schema": 1, "suite": {}}])
def test_prune_nothing_without_a_report(here: Path, capsys: pytest.CaptureFixture[str], report: Any) -> None:
    """A plugin that is switched off or another one writes none that tells."""
    remember(here / FILE, "test_a")
    stub(here, report)
    assert llmrel("prune") == 2
    said = "no krun test was collected" if report is None else "collected.json: "
    assert said in capsys.readouterr().err
    assert list(read_baselines(here / FILE).entries) == ["test_a"]


def test_prune_below_another_root(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Paths are relative to pytest's rootdir; what is not there is told."""
    remember(here / "sub" / FILE, "test_a")
    stub(here, unused("test_a"))
    assert llmrel("prune") == 1
    assert "is --root right?" in capsys.readouterr().err
    assert llmrel("prune", "--root", "sub") == 0
    assert not (here / "sub" / FILE).exists()


def test_prune_nothing_beside_a_damaged_entry(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it is the one to go."""
    remember(here / FILE, "test_a")
    document = json.loads((here / FILE).read_text())
    document["tests"]["test_bad"] = {}
    (here / FILE).write_text(json.dumps(document))
    stub(here, unused("test_a"))
    assert llmrel("prune") == 2
    assert "test_bad" in capsys.readouterr().err
    stub(here, unused("test_bad"))
    assert llmrel("prune") == 0
    assert list(read_baselines(here / FILE).entries) == ["test_a"]


def test_help_loads_nothing_heavy() -> None:
    """Pydantic comes with the first file that is read."""
    code = (
        "import argparse, sys; from pytest_llmrel.cli import baseline; "
        "baseline.add_arguments(argparse.ArgumentParser()); print(*sys.modules)"
    )
    root = Path(pytest_llmrel.cli.__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert not set(ended.stdout.split()) & {"pydantic", "pytest", "numpy", "asyncio"}
