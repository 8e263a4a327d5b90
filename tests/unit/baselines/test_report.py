"""What is taken from the report of a session, and what is refused of a hostile one."""

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.baselines.report import (
    EntryAddress,
    ReportedBaseline,
    ReportedTest,
    inside,
    read_report,
    read_unused,
)
from pytest_llmrel.errors import BaselineError

from .values import CONTENT, MODEL, batch, batch_data

FILE = "tests/__baselines__/test_faq.json"


def told(**changes: Any) -> dict[str, Any]:
    """What a report says of the baseline of a test."""
    scores = {"faithfulness": {"n": 10, "mean": 0.75, "sd": 0.1}}
    plain = {
        "file": FILE, "entry": "test_a", "status": "compared", "content": CONTENT, "provenance": MODEL,
        "former": None, "batch": batch_data(scores=scores), "why_not": "",
    }  # fmt: skip
    return plain | changes


def report(folder: Path, *baselines: Any, **changes: Any) -> Path:
    """A report of tests that say this of their baselines."""
    tests = [{"nodeid": f"tests/test_faq.py::test_{n}", "baseline": one} for n, one in enumerate(baselines)]
    path = folder / "report.json"
    path.write_text(json.dumps({"schema": 1, "tests": tests, "suite": {"unused": []}} | changes))
    return path


def test_what_a_report_says(tmp_path: Path) -> None:
    """Each test with what it would add to its baseline."""
    (test,) = read_report(report(tmp_path, told(former="test_old")))
    expected = ReportedBaseline(FILE, "test_a", "compared", CONTENT, MODEL, "test_old", batch(), "")
    assert test == ReportedTest("tests/test_faq.py::test_0", expected)


def test_a_test_without_counts(tmp_path: Path) -> None:
    """It says why, or was run without a baseline at all."""
    one, two = read_report(report(tmp_path, told(batch=None, why_not="stopped early"), None))
    assert one.baseline is not None
    assert (one.baseline.batch, one.baseline.why_not) == (None, "stopped early")
    assert two.baseline is None


def test_keys_may_be_added_to_a_report(tmp_path: Path) -> None:
    """A later version says more; what was left out before schema 1 had it is no mistake."""
    path = report(tmp_path, told(news=1), more={"x": 1})
    document = json.loads(path.read_text())
    document["tests"].append({"nodeid": "tests/test_old.py::test_x"})
    path.write_text(json.dumps(document))
    assert [test.baseline is None for test in read_report(path)] == [False, True]


@pytest.mark.parametrize(
    "file",
    [
        "/etc/__baselines__/test_faq.json",
        "../__baselines__/test_faq.json",
        "tests/../../__baselines__/test_faq.json",
        "tests/__baselines__/../test_faq.json",
        "tests/__baselines__/sub/test_faq.json",
        "tests/__baselines__",
        "tests/__baselines__/",
        "tests/__baselines__/conftest.py",
        "tests/__baselines__/.json",
        "tests/pyproject.json",
        "C:/tests/__baselines__/test_faq.json",
        "C:__baselines__/test_faq.json",
        "tests\\__baselines__\\test_faq.json",
        "..\\__baselines__/test_faq.json",
        "..\\tests/__baselines__/test_faq.json",
        "tests/__baselines__/test\0.json",
        "//host/share/__baselines__/test_faq.json",
        "",
    ],
)
def test_no_other_file_can_be_named(tmp_path: Path, file: str) -> None:
    """None outside the root, and none that is not a baseline."""
    path = report(tmp_path, told(file=file), suite={"unused": [{"file": file, "entry": "x"}]})
    for read in (read_report, read_unused):
        with pytest.raises(BaselineError) as raised:
            read(path)
        (problem,) = raised.value.problems
        assert "file should be a " in problem
        assert problem.isprintable()


def test_a_link_does_not_lead_out_of_the_root(tmp_path: Path) -> None:
    """A path may look innocent."""
    root = tmp_path / "root"
    (tmp_path / "elsewhere" / "__baselines__").mkdir(parents=True)
    root.mkdir()
    (root / "tests").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BaselineError, match="leads out of"):
        inside(root, FILE)


def test_a_root_may_itself_be_a_link(tmp_path: Path) -> None:
    """What is below it is below it."""
    (tmp_path / "root" / "tests").mkdir(parents=True)
    (tmp_path / "link").symlink_to("root")
    assert inside(tmp_path / "link", FILE) == tmp_path / "link" / FILE


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty; give a report of --llmrel-json"),
        ("{", "not readable as JSON"),
        ("[]", "not a report of --llmrel-json"),
        ("{}", "not a report of --llmrel-json"),
        ('{"schema": true, "tests": []}', "not a report of --llmrel-json"),
        ('{"schema": 2, "tests": []}', "written by a newer pytest_llmrel"),
        ('{"schema": 1}', "tests is missing"),
        ('{"schema": 1, "tests": [1]}', "test 1 should be a valid dictionary, and is 1"),
        ('{"schema": 1, "tests": [{"nodeid": "\\ud800"}]}', "test 1: nodeid holds halves of characters"),
    ],
)
def test_what_is_no_report(tmp_path: Path, content: str, said: str) -> None:
    """It is told with the name of the file."""
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(BaselineError) as raised:
        read_report(path)
    assert str(raised.value).startswith(f"{path}: {said}")


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    """Unlike a baseline file, it was asked for."""
    with pytest.raises(BaselineError, match="cannot be read"):
        read_report(tmp_path / "report.json")


def test_impossible_counts_are_refused(tmp_path: Path) -> None:
    """As in a baseline file; all mistakes at once."""
    with pytest.raises(BaselineError) as raised:
        read_report(report(tmp_path, told(batch=batch_data(1, 7, 5)), told(content="?")))
    one, two = raised.value.problems
    assert one.endswith("test 1: baseline: batch: cell 1: 7 passed of 5 runs is impossible")
    assert two.endswith("test 2: baseline: content should be sixteen hexadecimal digits, and is '?'")


def test_unused_entries(tmp_path: Path) -> None:
    """Sorted, each once."""
    unused = [{"file": FILE, "entry": name} for name in ("b", "a", "b")]
    path = report(tmp_path, suite={"unused": unused, "verdict": "PASS"})
    assert read_unused(path) == [EntryAddress(FILE, "a"), EntryAddress(FILE, "b")]


def test_a_report_that_does_not_tell_unused_entries(tmp_path: Path) -> None:
    """It is not taken for one without any."""
    with pytest.raises(BaselineError, match="suite: unused is missing"):
        read_unused(report(tmp_path, suite={}))
