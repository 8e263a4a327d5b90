"""One form for each character, tokens and stems."""

import pytest

from pytest_llmrel.faithfulness.words import Kind, kind_and_stem, normalised, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("\u201cq\u201d \u2018s\u2019 a\u2013b\u2014c", "\"q\" 's' a-b-c"),
        ("\uff15\uff10\u00a0\uff05", "50 %"),
        ("re\u00adfund\u200b \ufb01ne", "refund fine"),
        ("cafe\u0301", "caf\u00e9"),
        ("\u00bd", "1/2"),
        ("\u6771\u4eac5", " \u6771  \u4eac 5"),
    ],
)
def test_normalised(text: str, expected: str) -> None:
    """Full width, ligatures, invisible characters, dashes and quotation marks make no difference."""
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5kg of B52s, 30-day", ["5", "kg", "of", "B52s", "30", "day"]),
        ("1,000.50 at 10:30", ["1,000.50", "at", "10:30"]),
        ("2019-03-04 03/04/2019 24/7 10-12", ["2019-03-04", "03/04/2019", "24", "7", "10", "12"]),
        ("-5 a-5", ["-5", "a", "5"]),
        ("$5 and 5%", ["$", "5", "and", "5", "%"]),
        ("don't 5 p.m. 6 A.M.", ["don't", "5", "pm", "6", "Am"]),
        ("21 \u00b0C", ["21", "\u00b0C"]),
        ("snake_case !!! \u2603", ["snake_case"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    """Numbers keep their points and commas, ranges fall apart, units leave their numbers."""
    assert tokens(normalised(text)) == expected


@pytest.mark.parametrize(
    "words", ["return returns returned Returning", "policy policies", "stop stopped", "caf\u00e9 cafe"]
)
def test_one_stem(words: str) -> None:
    """Endings, case and accents of Latin letters make no difference."""
    assert len({kind_and_stem(word) for word in words.split()}) == 1


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("the", Kind.EMPTY),
        ("x", Kind.EMPTY),
        ("refund", Kind.CONTENT),
        ("not", Kind.NEGATOR),
        ("Cannot", Kind.NEGATOR),
        ("isn't", Kind.NEGATOR),
        ("5", Kind.NUMBER),
        ("-5.1", Kind.NUMBER),
        ("twenty", Kind.NUMBER_WORD),
        ("March", Kind.MONTH),
        ("$", Kind.CURRENCY),
        ("\u6771", Kind.CONTENT),
        ("1" * 100, Kind.NUMBER),
        ("a" * 100, Kind.CONTENT),
    ],
)
def test_kinds(word: str, kind: Kind) -> None:
    """Whatever the case and the length."""
    assert kind_and_stem(word)[0] is kind
