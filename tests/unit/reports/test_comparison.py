"""What a result says of the baseline of its test."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pytest_llmrel.core.baseline import BaselineEntry, Batch, Cell, Standing
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Summary, Variant
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.core.score import Score
from pytest_llmrel.reports.comparison import baseline_entry
from pytest_llmrel.stats.stratified import Stratum
from pytest_llmrel.verdict.regression import Rule, compare
from pytest_llmrel.verdict.summary import Aggregate

ENTRY = BaselineEntry(
    "0" * 16, {"model": "m"}, (Batch("1" * 16, "2026-01-01T00:00:00Z", "0.1", (Cell("", "", 48, 50),)),)
)
STANDING = Standing(
    "comparable", "__baselines__/t.json", "test_a", "c" * 16, {"model": "m"}, ENTRY, "test_old", "!"
)


@pytest.fixture
def summary() -> Callable[..., Summary]:
    """Makes the summary of runs given as letters: p(assed), f(ailed), e(rror), s(kipped)."""
    outcomes = {outcome.value[0]: outcome for outcome in Outcome}

    def make(letters: str, planned: int | None = None) -> Summary:
        plan = RunPlan(10, Inputs(), (), 8, 60.0)
        aggregate = Aggregate(plan, len(letters) if planned is None else planned)
        for run, letter in enumerate(letters):
            score = (Score("tone", run / 10),)
            aggregate.record(Sample(Attempt("", Variant(), run, run), outcomes[letter], 0.1, score))
        return aggregate.summary()

    return make


def test_off_is_nothing(summary: Callable[..., Summary]) -> None:
    """Without baselines there is nothing to say of one."""
    assert baseline_entry(Standing("off"), None, summary("p"), None) is None


def test_everything_is_there(summary: Callable[..., Summary]) -> None:
    """Where the baseline is, what it holds, what this session would add, and how they compare: simple JSON."""
    found = compare((Stratum(48, 50, 8, 10),), (Stratum(48, 50, 30, 40),), Rule(0.01, 1))
    entry: Any = baseline_entry(STANDING, found, summary("pppppppffp"), summary("p" * 22 + "f" * 6 + "es"))
    assert json.loads(json.dumps(entry)) == entry
    expected = {
        "file": "__baselines__/t.json", "entry": "test_a", "status": "comparable", "content": "c" * 16,
        "provenance": {"model": "m"}, "former": "test_old", "note": "!", "record": "", "passed": 48, "n": 50,
        "batches": ["1" * 16], "why_not": "",
    }  # fmt: skip
    assert {name: entry[name] for name in expected} == expected
    assert entry["batch"]["cells"] == [{"case": "", "variant": "", "passed": 8, "n": 10}]
    assert entry["batch"]["scores"]["tone"] == {
        "n": 10,
        "mean": 0.45,
        "sd": pytest.approx(0.302765, abs=1e-6),
    }
    comparison = entry["comparison"]
    assert comparison["strata"] == [[48, 50, 8, 10]]
    assert (comparison["p"], comparison["guard"]) == (found.p, "guarded")
    assert comparison["escalation"] == {"runs": 30, "passed": 22, "n": 28, "unfinished": 0}


@pytest.mark.parametrize(
    ("letters", "planned", "why"),
    [
        ("ppp", 10, "7 runs are missing"),
        ("eeee", 4, "no valid run"),
        ("ss", 2, "no valid run"),
        ("", 3, "3 runs are missing"),
    ],
)
def test_what_cannot_be_a_baseline(
    summary: Callable[..., Summary], letters: str, planned: int, why: str
) -> None:
    """Half a test, or none, gives no batch, and the reason in its place."""
    entry: Any = baseline_entry(STANDING, None, summary(letters, planned), None)
    assert (entry["batch"], entry["why_not"]) == (None, why)


def test_a_new_test_has_no_numbers(summary: Callable[..., Summary]) -> None:
    """Undefined is null, never 0."""
    entry: Any = baseline_entry(Standing("none", "f.json", "test_a"), None, summary("pe"), None)
    assert (entry["passed"], entry["n"], entry["batches"], entry["comparison"]) == (None, None, [], None)
    assert entry["batch"]["cells"] == [{"case": "", "variant": "", "passed": 1, "n": 1}]
