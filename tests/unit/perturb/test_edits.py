"""Atomic edits: applied together, kept apart where they collide, and found between two texts."""

import pytest

from pytest_llmrel.perturb.edits import Edit, apply_edits, compatible, edits_between

TEXT = "one two three"


def edit(start: int, old: str, new: str) -> Edit:
    """An edit of the text."""
    return Edit(start, start + len(old), old, new, "test")


def test_edits_are_applied_at_their_places() -> None:
    """Whatever their order; lengths may differ; an insertion may touch what is replaced."""
    edits = [
        edit(8, "three", "3"),
        edit(0, "one", "first"),
        edit(3, "", ","),
        edit(8, "", "~"),
        edit(13, "", "!"),
    ]
    assert apply_edits(TEXT, edits) == "first, two ~3!"
    assert apply_edits(TEXT, reversed(edits)) == "first, two ~3!"
    assert apply_edits(TEXT, []) == TEXT


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (edit(0, "one two", ""), edit(4, "two", "2")),
        (edit(4, "", "a"), edit(4, "", "b")),
        (edit(4, "two", "2"), edit(5, "", "w")),
        (edit(4, "two", "2"), edit(4, "two", "II")),
    ],
)
def test_edits_of_the_same_place_collide(first: Edit, second: Edit) -> None:
    """They are refused together; of the compatible ones the first given stays."""
    with pytest.raises(ValueError, match="same place"):
        apply_edits(TEXT, [first, second])
    assert compatible([first, second]) == (first,)
    assert compatible([second, first]) == (second,)


@pytest.mark.parametrize(
    "wrong", [edit(0, "two", "2"), Edit(20, 20, "", "x", "test"), Edit(-1, -1, "", "x", "test")]
)
def test_an_edit_of_another_text_is_refused(wrong: Edit) -> None:
    """Silently editing something else would make every conclusion wrong."""
    with pytest.raises(ValueError, match="another text"):
        apply_edits(TEXT, [wrong])


def test_compatible_edits_are_in_the_order_of_the_text() -> None:
    """And all of those that do not collide are there."""
    edits = [
        edit(8, "three", "3"),
        edit(0, "one", "1"),
        edit(0, "", " "),
        edit(1, "", "-"),
        edit(4, "two", "2"),
    ]
    assert [one.new for one in compatible(edits)] == [" ", "1", "2", "3"]


@pytest.mark.parametrize(
    ("result", "changes"),
    [
        ("one two three", []),
        ("one 2 three", [("two", "2")]),
        ("zero one two three", [("", "zero ")]),
        ("one three", [("two ", "")]),
        ("1 two 3", [("one", "1"), ("three", "3")]),
        ("", [("one two three", "")]),
    ],
)
def test_differences_are_found_word_by_word(result: str, changes: list[tuple[str, str]]) -> None:
    """Each change by itself; all of them give the result."""
    edits = edits_between(TEXT, result, "own")
    assert [(one.old, one.new) for one in edits] == changes
    assert apply_edits(TEXT, edits) == result


def test_a_huge_difference_is_one_edit() -> None:
    """Taking 20,000 words apart would take minutes; what is the same at both ends stays."""
    text = " ".join(["same", *["old"] * 20_000, "end"])
    result = " ".join(["same", *["new"] * 19_000, "end"])
    (only,) = edits_between(text, result, "own")
    assert apply_edits(text, [only]) == result
    assert only.start == 5


def test_an_edit_says_what_it_does() -> None:
    """In words: what becomes what."""
    assert str(edit(0, "one", "1")) == "test: 'one' -> '1'"
    assert str(edit(0, "one", "")) == "test: drop 'one'"
    assert str(edit(0, "", "1")) == "test: insert '1'"
