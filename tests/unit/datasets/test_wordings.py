"""Wordings as values: which of them run, which texts may join them."""

from pathlib import Path

import pytest

from pytest_llmrel.datasets.wordings import Wording, Wordings, comparable, refusal, variants_of

FILE = Wordings(
    Path("w.toml"),
    "How?",
    (Wording("how??", reviewed=True), Wording("HOW"), Wording("Caf\u00e9?", reviewed=True)),
)


def test_only_reviewed_wordings_run() -> None:
    """The primary one comes first, then the reviewed ones in the order of the file, and no other."""
    assert variants_of(FILE) == ("How?", "how??", "Caf\u00e9?")
    assert [wording.text for wording in FILE.unreviewed] == ["HOW"]


def test_without_a_reviewed_wording_the_primary_is_alone() -> None:
    """Nothing unreviewed fills the gap: whoever asks decides whether one wording is enough."""
    assert variants_of(Wordings(Path("w.toml"), "How?", (Wording("HOW"),))) == ("How?",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n\t\u00a0", "empty"),
        ("half \ud83d", "halves"),
        ("How?", "the primary wording"),
        ("HOW", "there already"),
        ("Cafe\u0301?", "there already"),
        ("how?", ""),
        ("How? ", ""),
        ("\uff28\uff4f\uff57?", ""),
    ],
)
def test_what_cannot_join(text: str, why: str) -> None:
    """Empty texts, broken ones and those nobody could tell apart; what edits of a wording change, may differ."""
    reason = refusal(text, FILE)
    assert bool(reason) == bool(why)
    assert why in reason


def test_a_hostile_row_of_accents_is_not_composed() -> None:
    """Composing takes the square of the number of accents in a row, so that long texts are left as they are."""
    long = "e\u0301" + "\u0327\u0301" * 400_000
    assert comparable(long) is long
    assert comparable("e\u0301") == "\u00e9"


def test_changes_leave_the_rest_alone() -> None:
    """Adding and replacing give new values, and keep the order."""
    first = FILE.wordings[0]
    assert [wording.text for wording in FILE.replacing(first).wordings] == ["HOW", "Caf\u00e9?"]
    assert FILE.replacing(first, Wording("x")).wordings[0].text == "x"
    assert FILE.adding(Wording("x")).wordings[:-1] == FILE.wordings
