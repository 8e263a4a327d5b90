"""The text of a failed test: what was expected, what happened, where, how often, with one answer."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from pytest_llmrel.reports.explanation import counts, explain

Maker = Callable[..., dict[str, Any]]


def finding(status: str, explanation: str) -> dict[str, Any]:
    """A finding as it is in an entry."""
    return {
        "metric": "m", "expected": "e", "observed": "o",
        "status": status, "explanation": explanation, "straddles": False,
    }  # fmt: skip


def test_the_first_line_stands_alone(entry: Maker) -> None:
    """Test, verdict and reason: all that a one-line summary has room for."""
    first = explain(entry()).split("\n")[0]
    assert first == "test_refund: FAIL: pass_rate is 0.7, outside the bar >= 0.9"


@pytest.mark.parametrize(
    ("nodeid", "name"),
    [
        ("t.py::TestShop::test_refund", "test_refund"),
        ("t.py::test_refund[a-b]", "test_refund[a-b]"),
        ("t.py::test_refund[a::b]", "test_refund[a::b]"),
    ],
)
def test_the_name_keeps_its_parameters(entry: Maker, nodeid: str, name: str) -> None:
    """File and class are elsewhere on the screen; the parameters tell the tests apart."""
    assert explain(entry(nodeid=nodeid)).startswith(f"{name}: FAIL")


def test_the_worst_finding_is_the_headline_and_the_others_follow(entry: Maker) -> None:
    """Whatever the order in which they were judged."""
    findings = [finding("PASS", "fine"), finding("INCONCLUSIVE", "unclear"), finding("FAIL", "bad")]
    text = explain(entry(findings=findings))
    assert text.startswith("test_refund: FAIL: bad\n")
    assert text.index("unclear") < text.index("fine")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "10 runs: 7 passed, 3 failed"),
        ({"errors": 1}, "10 runs: 7 passed, 3 failed, 1 error"),
        ({"errors": 2, "abstained": 1, "skipped": 1, "xfailed": 1, "unfinished": 5},
         "10 runs: 7 passed, 3 failed, 2 errors, 1 abstained, 1 skipped, 1 xfailed, 5 unfinished"),
        ({"runs": 0, "passed": 0, "failed": 0}, "0 runs: none finished"),
    ],
)  # fmt: skip
def test_counts(entry: Maker, changes: dict[str, int], said: str) -> None:
    """What there was, in the order of the outcomes; what there was not is left out."""
    assert counts(entry(**changes)) == said
    assert said in explain(entry(**changes)).split("\n")


def test_wordings_are_told_with_their_counts(entry: Maker) -> None:
    """The wording that suffers is seen at a glance."""
    variants = [
        {"key": "1", "text": "How long?", "passed": 5, "n": 5},
        {"key": "2", "text": "how\nlong " + "x" * 500, "passed": 2, "n": 5},
    ]
    lines = explain(entry(variants=variants)).split("\n")
    assert any(re.fullmatch(r'\s*5 of 5\s+"How long\?"', line) for line in lines)
    assert any(re.match(r'\s*2 of 5\s+"how long x+…"', line) and len(line) < 130 for line in lines)


def test_a_kind_of_failure_has_count_place_message_wordings_and_one_sample(entry: Maker, kind: Maker) -> None:
    """Everything needed to start mending."""
    group = kind(3, variants={"short": 2, "long": 1}, captured={"stdout": "hello from the run"})
    text = explain(entry(failures=[group]))
    for words in (
        "3 runs failed: AssertionError at t.py:3: assert '30 days' in 'never'",
        '2 in wording "short"',
        '1 in wording "long"',
        "run 4",
        "output",
        "t.py:3: AssertionError",
        "stdout",
        "hello from the run",
    ):
        assert words in text


def test_one_run_is_singular_and_an_error_is_called_so(entry: Maker, kind: Maker) -> None:
    """``1 run ended in an error``."""
    text = explain(entry(failures=[kind(1, outcome="error", type="ConnectError", location="")]))
    assert "1 run ended in an error: ConnectError: assert" in text


def test_skips_are_counted_but_not_explained(entry: Maker, kind: Maker) -> None:
    """They are not why the test failed."""
    text = explain(entry(skipped=2, failures=[kind(outcome="skipped"), kind(outcome="xfailed")]))
    assert "2 skipped" in text
    assert "sample" not in text
    assert "run 4" not in text


def test_a_failure_without_a_traceback_is_told_all_the_same(entry: Maker, kind: Maker) -> None:
    """A run that was left behind has none."""
    text = explain(entry(failures=[kind(traceback="", output=None)]))
    assert "for example run 4" in text
    assert "Traceback" not in text


def test_an_empty_output_is_shown_as_such_and_none_is_not(entry: Maker, kind: Maker) -> None:
    """A model that answered nothing differs from a test that recorded nothing."""
    with_empty, without = (explain(entry(failures=[kind(output=output)])) for output in ("", None))
    assert "output" in with_empty
    assert "output" not in without


def test_long_texts_are_shortened_and_say_so(entry: Maker, kind: Maker) -> None:
    """First and last lines are there, and how many are not."""
    text = explain(entry(failures=[kind(output="\n".join(f"line {number}." for number in range(1_000)))]))
    assert "line 0." in text
    assert "line 999." in text
    shown = len(re.findall(r"line \d+\.", text))
    assert shown < 60
    assert f"{1_000 - shown} " in text


def test_many_kinds_are_cut_with_a_count_of_the_rest(entry: Maker, kind: Maker) -> None:
    """The first are the most frequent; the rest is in the JSON."""
    text = explain(entry(failures=[kind(message=f"kind-{number}") for number in range(20)]))
    shown = sum(f"kind-{number}" in text for number in range(20))
    assert 3 <= shown < 20
    assert f"{20 - shown} more kinds" in text
    assert "--llmrel-json" in text


def test_notes_are_shown(entry: Maker) -> None:
    """What a reader should know of how it was run."""
    assert "runs alone because of capsys" in explain(entry(notes=["runs alone because of capsys"]))


def test_an_entry_without_findings_is_explained_all_the_same(entry: Maker) -> None:
    """It cannot happen, and if it does, it says so."""
    assert "nothing was judged" in explain(entry(findings=[]))
