"""Where sentences end, and where they do not."""

import pytest

from pytest_llmrel.faithfulness.sentences import LONGEST, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t ", []),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("no capital. so what. it ends", ["no capital.", "so what.", "it ends"]),
        (
            "Dr. A met Mr. B, i.e. a friend, at 5 p.m. today.",
            ["Dr. A met Mr. B, i.e. a friend, at 5 p.m. today."],
        ),
        ("It costs 3.50 euros. Version 1.2.3 is out.", ["It costs 3.50 euros.", "Version 1.2.3 is out."]),
        ("See https://a.example/b.c?d=e. Then go.", ["See https://a.example/b.c?d=e.", "Then go."]),
        ("J. R. Doe lives in the U.S. now.", ["J. R. Doe lives in the U.S. now."]),
        ("Take bus No. 5 to town. I said no. Go.", ["Take bus No. 5 to town.", "I said no.", "Go."]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        (
            "- one\n* two\n\u2022 three\n1. four\n2) five\n(c) six",
            ["one", "two", "three", "four", "five", "six"],
        ),
        ("# Title\n> quoted\n\n- nested - dash", ["Title", "quoted", "nested - dash"]),
        ("Wait... what?! Yes", ["Wait...", "what?!", "Yes"]),
        ("\u4eca\u65e5\u306f\u3002\u660e\u65e5\uff01", ["\u4eca\u65e5\u306f\u3002", "\u660e\u65e5\uff01"]),
        ("a\r\nb\u2028c\x85d", ["a", "b", "c", "d"]),
        (
            "One two three four five six seven eight\nnine. Ten",
            ["One two three four five six seven eight\nnine.", "Ten"],
        ),
        (
            "one two three four five six seven eight,\nnine",
            ["one two three four five six seven eight,\nnine"],
        ),
        ("a b c d e f g h:\ni j", ["a b c d e f g h:", "i j"]),
        ("a b c d e f g h\n\ni", ["a b c d e f g h", "i"]),
        ("a b c d e f g h\n- i", ["a b c d e f g h", "i"]),
        ("a b c d e f g\nh", ["a b c d e f g", "h"]),
        ("Step 1: go\n**2.** run\n**Step 3:** rest", ["go", "run", "rest"]),
        ("42.", ["42."]),
        ("It ends at 7. 8. That is all.", ["It ends at 7.", "8.", "That is all."]),
        ("-5 degrees. -7 tomorrow.", ["-5 degrees.", "-7 tomorrow."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    """Abbreviations, decimals, addresses, initials and lists end nothing; lines and marks do."""
    assert list(sentences(text)) == expected


def test_a_sentence_without_an_end_is_cut() -> None:
    """At white space, so that no word is lost or broken; one endless word is cut all the same."""
    text = " ".join(f"word{number}" for number in range(2000))
    pieces = list(sentences(text))
    assert " ".join(pieces).split() == text.split()
    assert max(map(len, pieces)) <= LONGEST + 200
    assert "".join(sentences("x" * 5000)) == "x" * 5000


def test_sentences_stand_in_the_text() -> None:
    """Each is a part of it, in order: so a quotation of one is verbatim."""
    text = "  - One \u201ctwo\u201d.  Three\u00a0four!\n\n* five. "
    place = 0
    for sentence in sentences(text):
        place = text.index(sentence, place) + len(sentence)
