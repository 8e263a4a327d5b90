"""The table of a session: one aligned line a test, remarks where there is something to say, a total."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_llmrel.reports.overview import overview

Maker = Callable[..., dict[str, Any]]


def text_of(lines: list[tuple[str, str]]) -> str:
    """All lines as one text."""
    return "\n".join(line for line, _ in lines)


def test_a_row_has_everything_of_its_test(entry: Maker) -> None:
    """Name, runs, passes, rate with interval, pass^k, slow end of the latency, verdict as its colour."""
    lines = overview([entry()])
    row, colour = next((line, verdict) for line, verdict in lines if "test_refund" in line)
    for cell in ("10", "7", "0.70", "0.40-0.89", "0.08", "k=5", "1.25s", "FAIL"):
        assert cell in row
    assert colour == "FAIL"


def test_columns_are_aligned(entry: Maker) -> None:
    """Verdicts of short and long names stand below each other."""
    results = [entry(nodeid=f"t.py::test_{'x' * size}", findings=[]) for size in (1, 30, 50)]
    rows = [line for line, verdict in overview(results) if verdict]
    assert len({row.index("FAIL") for row in rows}) == 1


def test_the_undefined_is_na(entry: Maker, metric: Maker) -> None:
    """Never a number, and never the word None."""
    metrics = {"pass_rate": metric(None), "latency_p95": metric(None), "pass^5": metric(None)}
    text = text_of(overview([entry(metrics=metrics)]))
    assert "n/a" in text
    assert "None" not in text


def test_a_test_of_one_run_has_no_pass_hat(entry: Maker, metric: Maker) -> None:
    """The column is there, and empty."""
    metrics = {"pass_rate": metric(1.0, 0.2, 1.0), "latency_p95": metric(0.5)}
    assert "k=" not in text_of(overview([entry(metrics=metrics)]))


def test_what_needs_a_word_has_one(entry: Maker) -> None:
    """A failed finding, errors that left the rates, and notes."""
    text = text_of(overview([entry(errors=2, notes=["runs alone"])]))
    for words in ("outside the bar >= 0.9", "2 runs ended in an error", "runs alone"):
        assert words in text


def test_a_passing_test_is_one_line(entry: Maker) -> None:
    """Nothing is said where there is nothing to say."""
    plain = entry(verdict="PASS")
    plain["findings"][0]["status"] = "PASS"
    assert len([line for line, _ in overview([plain]) if "pass_rate is" in line]) == 0


def test_a_verdict_that_could_be_overturned_is_marked(entry: Maker) -> None:
    """Passed, but the interval contains the bar: the reader is told."""
    flagged, plain = entry(verdict="PASS"), entry(verdict="PASS")
    for result, straddles in ((flagged, True), (plain, False)):
        result["findings"][0] |= {"status": "PASS", "straddles": straddles}
    assert "overturn" in text_of(overview([flagged]))
    assert "overturn" not in text_of(overview([plain]))


def test_brief_leaves_out_what_passed(entry: Maker) -> None:
    """With -q there are the others, and the total of all."""
    results = [entry(nodeid="t.py::test_good", verdict="PASS", findings=[]), entry(nodeid="t.py::test_bad")]
    text = text_of(overview(results, brief=True))
    assert "test_good" not in text
    assert "test_bad" in text
    assert "1 PASS" in text


def test_brief_of_nothing_but_passes_is_the_total(entry: Maker) -> None:
    """No header stands over an empty table."""
    assert len(overview([entry(verdict="PASS", findings=[])], brief=True)) == 1


@pytest.mark.parametrize("count", [1, 3])
def test_the_total(entry: Maker, count: int) -> None:
    """Tests, runs and verdicts."""
    results = [entry(nodeid=f"t.py::test_{number}") for number in range(count)]
    last, colour = overview(results)[-1]
    assert (f"{count} test" in last, f"{count * 10} runs" in last, f"{count} FAIL" in last) == (
        True,
        True,
        True,
    )
    assert colour == ""


def test_an_endless_name_is_clipped(entry: Maker) -> None:
    """A parameter of a thousand characters does not push the verdict off the screen."""
    lines = overview([entry(nodeid=f"t.py::test_it[{'x' * 1_000}]", findings=[])])
    assert max(len(line) for line, _ in lines) < 200


@pytest.mark.parametrize("brief", [False, True])
def test_a_hunt_that_found_nothing_says_so(entry: Maker, brief: bool) -> None:
    """That is the answer to what was asked: it is told also where what passed is left out."""
    finding = {"metric": "hunt", "status": "PASS", "explanation": "no wording is worse", "straddles": False}
    hunted = entry(
        verdict="PASS", findings=[finding], hunt={"broken": None}, notes=["the primary one passes"]
    )
    text = text_of(overview([hunted, entry(verdict="PASS", nodeid="t.py::test_other")], brief=brief))
    assert "no wording is worse" in text
    assert "the primary one passes" in text
    assert ("test_other" in text) is not brief


def test_a_hunt_that_found_something_says_it_once(entry: Maker) -> None:
    """What failed is told as ever."""
    finding = {"metric": "hunt", "status": "FAIL", "explanation": "one edit breaks it", "straddles": False}
    assert text_of(overview([entry(findings=[finding], hunt={})])).count("one edit breaks it") == 1
