"""The document that people and programs read: schema 1, canonical, with null for what is not known."""

import json
from typing import Any

import pytest

from pytest_llmrel.core.model import (
    Attempt,
    Estimate,
    Evidence,
    FailureGroup,
    FailureKey,
    Finding,
    Outcome,
    Status,
    Summary,
    Tally,
    Variant,
    Verdict,
)
from pytest_llmrel.reports.result import SCHEMA, canonical, result_entry, session_document

KEYS = {
    "nodeid", "verdict", "runs", "passed", "failed", "errors", "abstained", "skipped",
    "metrics", "variants", "cases", "findings", "cost",
}  # fmt: skip
"""Of schema 1; more may be there, none of these may go."""


def group(message: str, outcome: Outcome = Outcome.FAILED) -> FailureGroup:
    """A kind of failure that hit two runs."""
    attempt = Attempt("c", Variant("k", "wording"), 3, 12345)
    evidence = Evidence(attempt, message, "trace", "the output", (("stdout", "printed"),))
    return FailureGroup(FailureKey(outcome, "ValueError", "t.py:1", "m"), 2, {"wording": 2}, evidence)


@pytest.fixture
def summary() -> Summary:
    """Of twelve runs, all outcomes among them."""
    return Summary(
        counts=dict(zip(Outcome, (5, 2, 1, 1, 1, 2), strict=True)),
        unfinished=3,
        metrics={
            "pass_rate": Estimate(0.625, 0.3, 0.86, 8, "Wilson 95 %"),
            "x": Estimate.undefined("no run"),
        },
        variants=(Tally("k", "wording", 5, 8),),
        cases=(Tally("case-1", "text of it", 5, 8),),
        groups=(group("body"),),
        teardowns=(group("tear-down", Outcome.ERROR),),
    )


@pytest.fixture
def verdict() -> Verdict:
    """A failed one with a finding."""
    return Verdict(
        Status.FAIL, (Finding("pass_rate", ">= 0.9", "0.625", Status.FAIL, "too low", straddles=True),)
    )


def test_an_entry_has_the_keys_of_the_schema(summary: Summary, verdict: Verdict) -> None:
    """All of them, and counts that are those of the summary."""
    entry = result_entry("t.py::test_it", summary, verdict, ["note"])
    assert entry.keys() >= KEYS
    names = ("runs", "passed", "failed", "abstained", "skipped", "xfailed", "errors", "unfinished")
    assert [entry[name] for name in names] == [12, 5, 2, 1, 1, 1, 2, 3]
    assert (entry["nodeid"], entry["verdict"], entry["notes"]) == ("t.py::test_it", "FAIL", ["note"])


def test_the_parts_have_the_keys_of_the_schema(summary: Summary, verdict: Verdict) -> None:
    """Metrics, variants, cases, findings and cost as the design has them."""
    entry = result_entry("t", summary, verdict)
    assert entry["metrics"]["pass_rate"] == {
        "point": 0.625, "low": 0.3, "high": 0.86, "n": 8, "method": "Wilson 95 %",
    }  # fmt: skip
    assert entry["variants"] == [{"key": "k", "text": "wording", "passed": 5, "n": 8}]
    assert entry["cases"] == [{"id": "case-1", "passed": 5, "n": 8}]
    (found,) = entry["findings"]
    assert found.keys() >= {"metric", "expected", "observed", "status", "explanation"}
    assert (found["status"], found["straddles"]) == ("FAIL", True)
    assert entry["cost"].keys() >= {"usd", "calls", "input_tokens", "output_tokens", "unpriced_calls"}


def test_the_undefined_is_null_with_its_reason(summary: Summary, verdict: Verdict) -> None:
    """A metric without value and costs that nobody metered are never 0."""
    entry = result_entry("t", summary, verdict)
    assert entry["metrics"]["x"]["point"] is None
    assert entry["metrics"]["x"]["method"] == "no run"
    assert entry["cost"]["usd"] is None
    assert entry["cost"]["reason"]


def test_failures_and_raising_tear_downs_are_told_whole(summary: Summary, verdict: Verdict) -> None:
    """With the sample uncut: the terminal shows less, this shows all."""
    one, two = result_entry("t", summary, verdict)["failures"]
    assert (one["count"], one["variants"], one["type"], one["location"]) == (
        2,
        {"wording": 2},
        "ValueError",
        "t.py:1",
    )
    assert one["sample"] == {
        "case": "c", "variant": "wording", "run": 3, "seed": 12345, "message": "body",
        "traceback": "trace", "output": "the output", "captured": {"stdout": "printed"},
    }  # fmt: skip
    assert (two["outcome"], two["sample"]["message"]) == ("error", "tear-down")


def test_an_entry_is_json_simple(summary: Summary, verdict: Verdict) -> None:
    """Nothing but dicts, lists, str, int, float, bool and None of exactly these types: xdist carries no other."""

    def check(value: Any) -> None:
        assert type(value) in {dict, list, str, int, float, bool, type(None)}
        if isinstance(value, dict):
            assert all(type(key) is str for key in value)
            value = list(value.values())
        if isinstance(value, list):
            for part in value:
                check(part)

    check(result_entry("t", summary, verdict, ("note",)))


def test_entries_share_nothing(summary: Summary, verdict: Verdict) -> None:
    """A program that changes one does not change the next."""
    first = result_entry("t", summary, verdict)
    first["cost"]["usd"] = 5
    first["metrics"]["pass_rate"]["point"] = 0
    assert result_entry("t", summary, verdict)["cost"]["usd"] is None
    assert summary.metrics["pass_rate"].point == 0.625


@pytest.mark.parametrize(
    ("verdicts", "suite"),
    [
        (["PASS", "PASS"], "PASS"),
        (["PASS", "INCONCLUSIVE"], "INCONCLUSIVE"),
        (["INCONCLUSIVE", "FAIL", "PASS"], "FAIL"),
        ([], "INCONCLUSIVE"),
    ],
)
def test_the_suite_is_as_good_as_its_worst_test(verdicts: list[str], suite: str) -> None:
    """And a session without results is no pass."""
    results: dict[str, Any] = {f"t{number}": {"verdict": word} for number, word in enumerate(verdicts)}
    document = session_document(results, {})
    assert document["suite"]["verdict"] == suite
    assert document["suite"]["findings"] == []


def test_a_session_has_its_tests_in_order_and_where_they_come_from() -> None:
    """By node id, not by the order in which xdist's workers ended."""
    results: dict[str, Any] = {name: {"nodeid": name, "verdict": "PASS"} for name in ("b", "c", "a")}
    document = session_document(results, {"python": "3.11"})
    assert [test["nodeid"] for test in document["tests"]] == ["a", "b", "c"]
    assert (document["schema"], SCHEMA, document["provenance"]) == (1, 1, {"python": "3.11"})


def test_canonical_text() -> None:
    """Sorted keys, two spaces, ASCII, a final newline: the same document is the same bytes everywhere."""
    assert canonical({"b": "é", "a": [1, 0.1, None]}) == (
        '{\n  "a": [\n    1,\n    0.1,\n    null\n  ],\n  "b": "\\u00e9"\n}\n'
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_json_does_not_know_is_refused(number: float) -> None:
    """``NaN`` in a file would break every other reader of it."""
    with pytest.raises(ValueError, match="JSON"):
        canonical({"x": number})


def test_lone_surrogates_are_written_and_read() -> None:
    """A model may answer with half a character."""
    assert json.loads(canonical({"x": "\ud800"}).encode("ascii")) == {"x": "\ud800"}
