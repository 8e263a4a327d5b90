"""Laws of showing untrusted text: nothing acts, nothing innocent is changed, nothing is without end."""

import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.reports.explanation import explain
from pytest_llmrel.reports.overview import overview
from pytest_llmrel.reports.safe import clipped, printable

from .strategies import hostile_text

ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def acting(text: str) -> set[str]:
    """The control and formatting characters in a text, newline and tab apart."""
    return {c for c in text if unicodedata.category(c) in ACTING} - {"\n", "\t"}


@given(hostile_text)
def test_nothing_that_acts_is_left(text: str) -> None:
    """No control, formatting, surrogate or separator character."""
    assert acting(printable(text)) == set()


@given(hostile_text)
def test_it_is_idempotent(text: str) -> None:
    """What is printable stays as it is."""
    assert printable(printable(text)) == printable(text)


@given(hostile_text)
def test_innocent_characters_stay(text: str) -> None:
    """All others are there, in order, and a text without any that act is unchanged."""
    innocent = "".join(c for c in text if c not in acting(text) and unicodedata.category(c) != "Co")
    assert printable(innocent) == innocent
    found = iter(printable(text))
    assert all(c in found for c in innocent)


@given(hostile_text, hostile_text)
def test_it_goes_character_by_character(one: str, two: str) -> None:
    """No sequence of innocent pieces becomes anything else."""
    assert printable(one + two) == printable(one) + printable(two)


@given(hostile_text, st.integers(1, 200))
def test_a_clipped_text_is_one_short_line(text: str, most: int) -> None:
    """Printable, within its length, without line breaks; and unchanged where it fits."""
    line = clipped(text, most)
    assert len(line) <= most
    assert acting(line) == set()
    assert not set(line) & {"\n", "\t"}
    whole = " ".join(printable(text).split())
    assert line == whole or (line.endswith("…") and whole.startswith(line[:-1]))


def result(text: str) -> dict[str, Any]:
    """An entry in which every text that comes from outside is this one."""
    number = {"point": 0.5, "low": 0.1, "high": 0.9, "n": 2, "method": text}
    finding = {"metric": text, "expected": text, "observed": text, "explanation": text, "straddles": True}
    sample = {
        "case": text, "variant": text, "run": 0, "seed": 1, "message": text, "traceback": text,
        "output": text, "captured": {text: text},
    }  # fmt: skip
    failure = {
        "outcome": "failed", "type": text, "location": text, "message": text, "count": 1,
        "variants": {text: 1}, "sample": sample,
    }  # fmt: skip
    counts = dict.fromkeys(("errors", "abstained", "skipped", "xfailed", "unfinished", "failed", "passed"), 1)
    return counts | {
        "nodeid": text, "verdict": "FAIL", "runs": 5, "notes": [text],
        "stopped": None, "sensitivity": None, "clustering": None, "scorings": {}, "baseline": None, "recovery": {"hung": 1},
        "cost": {"idle_runs": 1, "calls": 1, "usd": None},
        "metrics": {"pass_rate": number, "latency_p95": number},
        "variants": [{"key": "k", "text": text, "passed": 1, "n": 2}],
        "cases": [], "failures": [failure],
        "findings": [finding | {"status": status} for status in ("PASS", "FAIL", "INCONCLUSIVE")],
    }  # fmt: skip


@given(hostile_text)
def test_an_explanation_never_acts(text: str) -> None:
    """Whatever a model, a server or a wording said, and wherever it is shown."""
    assert acting(explain(result(text))) == set()


@given(hostile_text)
def test_an_overview_never_acts_and_keeps_its_lines(text: str) -> None:
    """A line of the table is one line."""
    for line, _ in overview([result(text)]):
        assert acting(line) == set()
        assert "\n" not in line
