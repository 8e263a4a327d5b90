"""``llmrel baseline diff`` and ``accept``: a report beside the baselines."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.baselines.store import read_baselines
from pytest_llmrel.cli import baseline

FILE = "tests/__baselines__/test_faq.json"
OTHER = "tests/__baselines__/test_other.json"


def llmrel(*arguments: str) -> int:
    """The command, with these arguments."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    baseline.add_arguments(parser)
    return baseline.run(parser.parse_args(arguments))


def told(name: str, passed: int = 0, n: int = 0, **changes: Any) -> dict[str, Any]:
    """A test of a report, its node id that of its entry; without counts if it had no runs."""
    cells = [
        {"case": case, "variant": "", "passed": p, "n": m}
        for case, p, m in (("a", passed // 2, n // 2), ("b", passed - passed // 2, n - n // 2))
    ]
    number = changes.pop("number", 1)
    batch = {
        "id": f"{number:016x}", "recorded": "2026-11-23T09:30:00Z", "pytest_llmrel": "0.2.0",
        "cells": cells, "scores": {},
    }  # fmt: skip
    plain = {
        "file": FILE, "entry": name, "status": "", "content": "0" * 16, "provenance": {"model": "a"},
        "former": None, "batch": batch if n else None, "why_not": "" if n else "stopped early",
    }  # fmt: skip
    return {"nodeid": f"tests/test_faq.py::{name}", "baseline": plain | changes}


def report(*tests: Any, name: str = "report.json") -> str:
    """A report of these tests, in the current folder."""
    Path(name).write_text(json.dumps({"schema": 1, "tests": tests}))
    return name


def counts(file: str = FILE) -> dict[str, tuple[int, int]]:
    """What is remembered now."""
    return {name: (entry.passed, entry.n) for name, entry in read_baselines(Path(file)).entries.items()}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder in which test_a has a baseline of 45 of 50, and test_b one of 10 of 10; we are in it."""
    monkeypatch.chdir(tmp_path)
    assert llmrel("accept", report(told("test_a", 45, 50), told("test_b", 10, 10))) == 0
    capsys.readouterr()
    return tmp_path


def test_accept_begins_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there are none, the folder included."""
    monkeypatch.chdir(tmp_path)
    assert llmrel("accept", report(told("test_a", 9, 10), told("test_a", 1, 2, file=OTHER))) == 0
    assert (counts(), counts(OTHER)) == ({"test_a": (9, 10)}, {"test_a": (1, 2)})
    assert capsys.readouterr().out.splitlines() == [
        "tests/test_faq.py::test_a: begun with 9/10 (90.0 %)",
        "tests/test_faq.py::test_a: begun with 1/2 (50.0 %)",
    ]


def test_accept_appends(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts that can be compared are added up, be they better or worse."""
    assert llmrel("accept", report(told("test_a", 5, 50, number=2))) == 0
    assert counts() == {"test_a": (50, 100), "test_b": (10, 10)}
    assert "test_a: 5/50 (10.0 %) added, now 50/100 (50.0 %)\n" in capsys.readouterr().out


def test_accept_twice_is_accept_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time changes nothing and says so."""
    changed = {"provenance": {"model": "b"}, "number": 3}
    path = report(told("test_a", 5, 50, number=2), told("test_b", 1, 2, **changed), told("test_new", 1, 1))
    assert llmrel("accept", path) == 0
    before = (here / FILE).read_bytes()
    capsys.readouterr()
    assert llmrel("accept", path) == 0
    assert (here / FILE).read_bytes() == before
    assert capsys.readouterr().out.count(": already recorded\n") == 3


def test_accept_replaces_what_cannot_be_compared(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That is what accepting a new model means."""
    assert llmrel("accept", report(told("test_a", 3, 10, number=2, provenance={"model": "b"}))) == 0
    assert counts() == {"test_a": (3, 10), "test_b": (10, 10)}
    assert "test_a: replaced by 3/10 (30.0 %): model 'a' -> 'b'\n" in capsys.readouterr().out


def test_accept_moves_a_renamed_test(here: Path) -> None:
    """With its counts, or without if they cannot be compared."""
    assert llmrel("accept", report(told("test_z", 3, 10, number=2, former="test_a"))) == 0
    assert counts() == {"test_z": (48, 60), "test_b": (10, 10)}
    changed = {"provenance": {"model": "b"}, "number": 3}
    assert llmrel("accept", report(told("test_y", 1, 2, former="test_z", **changed))) == 0
    assert counts() == {"test_y": (1, 2), "test_b": (10, 10)}


def test_accept_names_what_has_no_counts(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest is recorded, and the exit code tells that not all was."""
    plain = {"nodeid": "tests/test_faq.py::test_plain", "baseline": None}
    assert llmrel("accept", report(told("test_a"), told("test_b", 1, 1, number=2), plain)) == 1
    assert counts()["test_b"] == (11, 11)
    out = capsys.readouterr().out
    assert "test_a: not recorded: stopped early\n" in out
    assert "test_plain: not recorded: run without a baseline\n" in out


def test_accept_names_what_could_not_be_recorded(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason on stderr."""
    empty = told("test_a", 1, 1, number=2)
    empty["baseline"]["batch"]["cells"] = [{"case": "", "variant": "", "passed": 0, "n": 0}]
    assert llmrel("accept", report(empty)) == 1
    shown = capsys.readouterr()
    assert shown.out.endswith("test_a: not recorded, see below\n")
    assert "entry 'test_a': not recorded: no run of this session counts" in shown.err


def test_accept_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report without tests has nothing to accept."""
    assert llmrel("accept", report()) == 1
    assert capsys.readouterr().out == "no tests in this report\n"


def test_accept_records_nothing_beside_damage(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In no file, if one of them is damaged: half an acceptance is hard to see through."""
    (here / OTHER).write_text("")
    before = (here / FILE).read_bytes()
    path = report(told("test_a", 1, 1, number=2), told("test_x", 1, 1, file=OTHER))
    assert llmrel("accept", path) == 2
    assert "test_other.json: empty" in capsys.readouterr().err
    assert (here / FILE).read_bytes() == before
    (here / OTHER).write_text(json.dumps({"schema": 1, "tests": {"test_x": {}}}))
    assert llmrel("accept", path) == 2
    assert (here / FILE).read_bytes() == before


def test_diff_compares(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, rates, the difference in points, and how likely so few passes were by chance."""
    before = (here / FILE).read_bytes()
    changed = {"provenance": {"model": "b"}, "number": 2}
    path = report(
        told("test_a", 3, 10, number=2),
        told("test_b", 1, 2, **changed),
        told("test_new", 1, 1),
        told("test_x"),
    )
    assert llmrel("diff", path) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split("  ")[0] == "test"
    assert [" ".join(line.split()).removeprefix("tests/test_faq.py::") for line in lines] == [
        "test_a 45/50 (90.0 %) 3/10 (30.0 %) -60.0 0.00019",
        "test_b 10/10 (100.0 %) 1/2 (50.0 %) not comparable (model 'a' -> 'b')",
        "test_new 1/1 (100.0 %) new",
        "test_x new; no counts (stopped early)",
    ]
    assert (here / FILE).read_bytes() == before


def test_diff_tells_what_only_the_baseline_has(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A former name is not among it."""
    assert llmrel("diff", report(told("test_z", 9, 10, number=2, former="test_a"))) == 0
    _, one, two = (" ".join(line.split()) for line in capsys.readouterr().out.splitlines())
    assert one == "tests/test_faq.py::test_z 45/50 (90.0 %) 9/10 (90.0 %) +0.0 0.68 renamed from test_a"
    assert two == f"{FILE}: test_b 10/10 (100.0 %) only in the baseline"


def test_diff_of_a_test_without_a_baseline(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is in the table."""
    assert llmrel("diff", report({"nodeid": "test_plain"})) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == "test_plain run without a baseline".split()


def test_diff_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report may be empty."""
    assert llmrel("diff", report()) == 0
    assert capsys.readouterr().out == "no tests in this report\n"


def test_diff_with_a_damaged_entry(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are compared, and the exit code tells."""
    document = json.loads((here / FILE).read_text())
    document["tests"]["test_b"]["content"] = "?"
    (here / FILE).write_text(json.dumps(document))
    assert llmrel("diff", report(told("test_a", 1, 2), told("test_b", 1, 2))) == 2
    shown = capsys.readouterr()
    assert "damaged, see below" in shown.out
    assert "-40.0" in shown.out
    assert "entry 'test_b': content should be" in shown.err


@pytest.mark.parametrize("command", ["diff", "accept"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{}", "not a report"),
        ('{"schema": 1, "tests": [{}]}', "test 1: nodeid is missing"),
        (
            json.dumps({"schema": 1, "tests": [told("x", 1, 1, file="../__baselines__/x.json")]}),
            "below the root",
        ),
    ],
)
def test_an_unreadable_report(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, content: str | None, said: str
) -> None:
    """Exit code 2, one line that says what is wrong, and nothing changes."""
    before = (here / FILE).read_bytes()
    Path("bad.json").write_text(content or "")
    if content is None:
        Path("bad.json").unlink()
    assert llmrel(command, "bad.json") == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert said in shown.err
    assert (here / FILE).read_bytes() == before


@pytest.mark.parametrize("command", ["diff", "accept"])
def test_the_root_of_the_session(here: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """It may be another folder than this one; a link out of it is not followed."""
    (here / "sub").mkdir()
    assert llmrel(command, report(told("test_new", 1, 1)), "--root", "sub") == 0
    assert (here / "sub" / FILE).exists() is (command == "accept")
    (here / "sub" / "linked").symlink_to(here / "tests")
    path = report(told("test_a", 1, 1, number=2, file="linked/__baselines__/test_faq.json"))
    assert llmrel(command, path, "--root", "sub") == 2
    assert "leads out of sub" in capsys.readouterr().err
    assert counts()["test_a"] == (45, 50)


@pytest.mark.parametrize("command", ["diff", "accept"])
def test_hostile_text_does_not_act(here: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """A line is a line, and of bounded length."""
    evil = "\x1b[2J\u202e\n" + "x" * 9_999
    tests = [
        told(evil, 1, 1, provenance={evil: evil}, former=evil),
        told("test_a", provenance={evil: evil}, why_not=evil),
    ]
    llmrel(command, report(*tests))
    for line in "".join(capsys.readouterr()).splitlines():
        assert line.isprintable()
        assert len(line) < 700
