"""What the summary says of the ledger: nothing where nobody asked and nothing is wrong."""

from typing import Any

from pytest_llmrel.reports.resumption import resumption_lines


def told(**more: Any) -> dict[str, Any]:
    """What a process tells."""
    return {"resumed": False, "recalled": 0, "changed": [], "damaged": 0, "trouble": "", **more}


def test_an_ordinary_session_says_nothing() -> None:
    """However many processes it had."""
    assert resumption_lines([]) == resumption_lines([told(), told()]) == []


def test_trouble_is_red() -> None:
    """Of each process, whether something was resumed or not."""
    lines = resumption_lines([told(), told(trouble="disk full")])
    assert lines == [("the ledger is incomplete: disk full", "FAIL")]


def test_a_resumed_session() -> None:
    """Runs add up; all workers see the same torn lines; of many tests that have changed three are named."""
    first = told(resumed=True, recalled=1, damaged=1)
    assert resumption_lines([first]) == [
        ("resumed: 1 run was taken from the ledger of an earlier session", "PASS"),
        ("1 torn line of the ledger was left out; what is missing is made again", "PASS"),
    ]
    second = told(resumed=True, recalled=4, damaged=2, changed=["a", "b", "c", "d"])
    assert resumption_lines([first, second]) == [
        ("resumed: 5 runs were taken from the ledger of an earlier session", "PASS"),
        ("begun anew, because they have changed: a, b, c and 1 more", "INCONCLUSIVE"),
        ("2 torn lines of the ledger were left out; what is missing is made again", "PASS"),
    ]
