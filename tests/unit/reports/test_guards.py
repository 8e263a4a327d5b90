"""What a session says of its baselines below the table."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_llmrel.reports.guards import guard_lines, suite_failure
from pytest_llmrel.stats.stratified import Stratum
from pytest_llmrel.verdict.regression import Suite, judge_suite

Entry = dict[str, Any]
BASELINE: Entry = {"status": "comparable", "record": "", "passed": 50, "n": 50, "comparison": None}


@pytest.fixture
def guarded(entry: Callable[..., Entry]) -> Callable[..., Entry]:
    """Makes a result that was compared with its baseline."""

    def make(guard: str, drop: float | None, name: str = "t.py::test_a") -> Entry:
        comparison = {"guard": guard, "detectable_drop": drop}
        return entry(nodeid=name, baseline={**BASELINE, "comparison": comparison})

    return make


def suite(*passed: int) -> Suite:
    """Tests that always passed fifty times, and so often of ten now."""
    return judge_suite({f"t.py::test_{n}": [Stratum(50, 50, x1, 10)] for n, x1 in enumerate(passed)}, 0.01)


def lines(results: list[Entry], judged: Suite | None = None, **how: Any) -> list[str]:
    """The texts alone."""
    return [line for line, _ in guard_lines(results, judged, how.pop("unused", []), **how)]


@pytest.mark.parametrize("brief", [True, False])
def test_a_gate_that_is_not_there_is_loud(
    entry: Callable[..., Entry], guarded: Callable[..., Entry], brief: bool
) -> None:
    """No baseline, none to compare with, weak and blind ones are named in every mode, each with its remedy."""
    results = [
        entry(nodeid="t.py::test_none", baseline={**BASELINE, "status": "none", "passed": None, "n": None}),
        entry(nodeid="t.py::test_other", baseline={**BASELINE, "status": "not comparable"}),
        guarded("weak", 0.283, "t.py::test_weak"),
        guarded("blind", None, "t.py::test_blind"),
        guarded("guarded", 0.2, "t.py::test_good"),
        entry(nodeid="t.py::test_off", baseline=None),
    ]
    said = lines(results, brief=brief)
    assert said[0] == "no baseline: t.py::test_none; record with --llmrel-baseline=new"
    assert said[1].startswith("not compared with their baselines: t.py::test_other")
    assert said[2].endswith(
        "weakly guarded, with fewer than 50 baseline runs: t.py::test_weak (sees a drop of 28 points)"
    )
    assert said[3].startswith("blind, ")
    assert said[3].endswith(": t.py::test_blind")
    assert len(said) == 4


def test_nothing_to_say(entry: Callable[..., Entry], guarded: Callable[..., Entry]) -> None:
    """All guarded, or all off: silence."""
    assert lines([guarded("guarded", 0.1), entry(baseline=None)]) == []
    assert lines([]) == []


def test_what_begins_now_is_not_missing(entry: Callable[..., Entry]) -> None:
    """A test whose baseline is being recorded is not called unguarded."""
    begun = {**BASELINE, "status": "none", "record": "begin", "passed": None, "n": None}
    anew = {**BASELINE, "record": "replace"}
    assert lines([entry(baseline=begun), entry(baseline=anew)]) == []


def test_many_names_are_counted(entry: Callable[..., Entry]) -> None:
    """Five are named, the others are a number."""
    none = {**BASELINE, "status": "none", "n": None}
    (said,) = lines([entry(nodeid=f"t.py::test_{n}", baseline=none) for n in range(12)])
    assert "test_4 and 7 more" in said
    assert "test_5" not in said


def test_unused_entries() -> None:
    """Named with their file and the command that removes them; not in a brief report."""
    unused = [("a/__baselines__/t.json", "test_x")]
    (said,) = lines([], unused=unused)
    assert "a/__baselines__/t.json: test_x" in said
    assert "llmrel baseline prune" in said
    assert lines([], unused=unused, brief=True) == []


@pytest.mark.parametrize("brief", [True, False])
def test_a_failed_suite_says_where_to_look(brief: bool) -> None:
    """Both findings, coloured by their status, and the named tests; what is fine is left out of a brief report."""
    judged = suite(10, 2, 10)
    said = list(guard_lines([], judged, [], brief=brief))
    assert [verdict for _, verdict in said[:2]] == ["FAIL", "FAIL"]
    assert "t.py::test_1" in " ".join(line for line, _ in said[2:])
    assert "t.py::test_0" not in " ".join(line for line, _ in said)


def test_a_fine_suite() -> None:
    """Two lines in a report, none in a brief one."""
    assert len(lines([], suite(10, 9, 10))) == 2
    assert lines([], suite(10, 9, 10), brief=True) == []


def test_the_text_of_the_failure() -> None:
    """Only what failed, then the tests to look at, one a line."""
    text = suite_failure(suite(10, 2, 10, 0))
    assert "no drift" not in text
    first, *_, last = text.split("\n")
    assert "the suite as a whole is worse than its baselines: 22 of 40 runs passed in 4 tests" in first
    assert "t.py::test_3" in last
    only = suite_failure(judge_suite(
        {**{f"t{n}": [Stratum(48, 50, 10, 10)] for n in range(99)}, "bad": [Stratum(48, 50, 3, 10)]}, 0.01
    ))  # fmt: skip
    assert "suite as a whole" not in only
    assert "bad" in only
    assert "t98" not in only


def test_hostile_names(entry: Callable[..., Entry]) -> None:
    """A node id is somebody's text: no control characters reach the terminal, and no name fills it."""
    name = "t.py::test[\x1b[31m\r\n" + "x" * 3000 + "]"
    none = {**BASELINE, "status": "none", "n": None}
    judged = judge_suite({name: [Stratum(50, 50, 0, 10)]}, 0.01)
    said = list(guard_lines([entry(nodeid=name, baseline=none)], judged, [("f.json", name)]))
    text = "\n".join(line for line, _ in said)
    assert "\x1b" not in text
    assert "\r" not in text
    assert len(text) < 2000
