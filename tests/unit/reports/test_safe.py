"""Untrusted text is shown, not obeyed, and has an end."""

import unicodedata

import pytest

from pytest_llmrel.reports.safe import clipped, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("back\rto the start", "back\\rto the start"),
        ("\x07\x00\x7f\x85\x9b", "\\x07\\x00\\x7f\\x85\\x9b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth\u200djoined\ufeff", "zero\\u200bwidth\\u200djoined\\ufeff"),
        ("line\u2028and\u2029paragraph", "line\\u2028and\\u2029paragraph"),
        ("soft\xadhyphen", "soft\\xadhyphen"),
        ("lone \ud800 half", "lone \\ud800 half"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("private \ue000", "private \\ue000"),
        ("Grüße, 東京, नमस्ते, 🙂, é", "Grüße, 東京, नमस्ते, 🙂, é"),
    ],
)
def test_characters_that_act_are_spelled_out(text: str, shown: str) -> None:
    """Every language is left as it is; what moves the cursor, hides or reverses text is named."""
    assert printable(text) == shown


def test_no_character_of_unicode_gets_through() -> None:
    """All code points, one by one: none of the acting categories is left but newline and tab."""
    acting = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    shown = printable("".join(map(chr, range(0x110000))))
    assert {c for c in set(shown) if unicodedata.category(c) in acting} == {"\n", "\t"}
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("exactly10!", "exactly10!"),
        ("eleven char", "eleven ch…"),
        (" a \n b\t\tc ", "a b c"),
        ("x" * 10**6, "x" * 9 + "…"),
        ("\x1b" * 9, "\\x1b\\x1b\\…"),
    ],
)
def test_a_line_is_clipped_and_says_so(text: str, shown: str) -> None:
    """At most that many characters, on one line, and an ellipsis where there was more."""
    assert clipped(text, 10) == shown


@pytest.mark.parametrize("text", [" " * 100 + "late", "\n" * 100 + "late", "ab" + " " * 100 + "late"])
def test_white_space_hides_no_cut(text: str) -> None:
    """Text behind a hundred blanks is either shown or marked as cut."""
    assert clipped(text, 10).endswith(("late", "…"))
