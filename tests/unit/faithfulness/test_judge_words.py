"""Words, numbers and sentences as the checks of a ruling see them."""

from collections.abc import Callable

import pytest

from pytest_llmrel.faithfulness.judge_words import canonical, content, digits, numbers, sentences


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ()),
        ("...\n\n- \n", ()),
        ("One. Two! Three? Four", ("One.", "Two!", "Three?", "Four")),
        ('He said "Yes." Then he left.', ('He said "Yes.', "Then he left.")),
        ("1. First\n2) Second\n- Third\n## Fourth", ("First", "Second", "Third", "Fourth")),
        ("It costs 3.50 pounds.", ("It costs 3.50 pounds.",)),
        ("two\u2028lines\r\nand\x0bmore", ("two", "lines", "and", "more")),
        ("一。二。三", ("一。", "二。", "三")),
        ("a\tb   c", ("a b c",)),
    ],
)
def test_sentences(text: str, wanted: tuple[str, ...]) -> None:
    """One line each, without markers of lists; what has no letter and no digit is none."""
    assert sentences(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("30 days", {"30"}),
        ("30-day, 1,000 and 5.50", {"30", "1000", "5.5"}),
        ("007 and 7.0 and 0", {"7", "0"}),
        ("the 24/7 line [1] [2, 3]", {"24", "7"}),
        ("thirty", set()),
        ("\uff13\uff10", {"30"}),
    ],
)
def test_digits(text: str, wanted: set[str]) -> None:
    """However they are written; citations are none."""
    assert digits(text) == wanted


def test_numbers_in_words() -> None:
    """Count as the same numbers."""
    assert numbers("thirty or Seven, 2 hundred") == {"30", "7", "2", "100"}


def test_content() -> None:
    """Forms of a word are one, words that any text has are none."""
    assert content("Returns are returned") == content("return it") == {"retur"}
    assert content("it is what they have") == set()
    assert content("Stra\u00dfe") == content("STRASSE")


def test_canonical() -> None:
    """Typography is no difference; words are."""
    assert canonical(" \u201cA\u00a0b\u201d\u2014c\u2026 ") == canonical('"a b"-c...')
    assert canonical("a b") != canonical("ab")


@pytest.mark.parametrize(
    "text", ["." * 200_000, "a." * 100_000, "' " * 100_000, ".'" * 100_000, "1," * 100_000, "[1," * 60_000]
)
def test_no_text_takes_long(text: str, busy_seconds: Callable[[Callable[[], object]], float]) -> None:
    """Time grows with length, not with its square."""
    readers = (canonical, content, digits, numbers, sentences)
    assert busy_seconds(lambda: [read(text) for read in readers]) < 5
