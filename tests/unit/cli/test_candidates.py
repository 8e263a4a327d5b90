"""What a model answers is hostile until a person has read it: what is kept of it, what is dropped and counted."""

from pathlib import Path

import pytest

from pytest_llmrel.cli.candidates import usable
from pytest_llmrel.datasets.wordings import Wording, Wordings

KNOWN = Wordings(Path("w.toml"), "How long do I have?", (Wording("time left?", reviewed=True),))


def test_the_good_ones_are_kept_in_order() -> None:
    """Without the spaces around them; a wording of several lines, of Persian or of emoji is a wording."""
    good = [
        "  by when?\n",
        "Hi!\nBy when?",
        "\u0645\u06cc\u200c\u062a\u0648\u0627\u0646\u0645\u061f",
        "\U0001f469\u200d\U0001f4bb when?",
    ]
    kept, dropped = usable(good, KNOWN, 10)
    assert kept == [text.strip() for text in good]
    assert not dropped


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (None, "not text"),
        (3, "not text"),
        (["by when?"], "not text"),
        ({"text": "by when?"}, "not text"),
        ("", "empty"),
        (" \n\t ", "empty"),
        ("\x1b[2Jby when?", "with control characters"),
        ("by\x00when?", "with control characters"),
        ("by \u202ewhen?", "with control characters"),
        ("by \ud83d when?", "with control characters"),
        ("by\u2028when?", "with control characters"),
        ("when? " * 200, "too long"),
        ("x" * 10_000_000, "too long"),
        ("how  long do i have", "like the primary wording"),
        ("How long do I have?!", "like the primary wording"),
        ("Time left", "duplicate"),
        ("by then?", "duplicate"),
    ],
)
def test_the_bad_ones_are_dropped_and_counted(candidate: object, why: str) -> None:
    """One bad candidate costs itself alone: its neighbours are kept."""
    kept, dropped = usable(["by then?", candidate, "since when?"], KNOWN, 10)
    assert kept == ["by then?", "since when?"]
    assert dropped == {why: 1}


def test_no_more_than_asked_for() -> None:
    """The rest is counted, behind what is dropped for other reasons."""
    kept, dropped = usable([f"when {number}?" for number in range(9)] + ["", "when 0?"], KNOWN, 4)
    assert kept == ["when 0?", "when 1?", "when 2?", "when 3?"]
    assert dropped == {"more than asked for": 5, "empty": 1, "duplicate": 1}


def test_long_requests_may_have_long_rewordings() -> None:
    """The limit grows with the primary wording."""
    long = Wordings(Path("w.toml"), "why? " * 1_000)
    assert usable(["when? " * 5_000], long, 1)[0]
