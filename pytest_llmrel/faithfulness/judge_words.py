"""The words, numbers and sentences of a text, as far as a judge's findings are checked against them."""

import re
import unicodedata
from typing import Final

__all__ = ["canonical", "content", "digits", "numbers", "sentences"]

_STEM: Final = 5
"""Words that begin with the same letters count as one: return, returns, returned."""
_SPACELESS: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that are written without blanks; there each character counts as a word."""
_TOKEN: Final = re.compile(rf"\d+(?:[.,]\d+)*|[{_SPACELESS}]|[^\W\d_{_SPACELESS}]+")
_STOP: Final = frozenset(
    "a an the and or but if of to in on at by for from with as is are was were be been being am it its this "
    "that these those there here he she they them his her their we us our you your i me my do does did done "
    "have has had having can could will would shall should may might must not no nor so than then too very "
    "s t re ve ll d m which who whom what when where how also about into".split()
)
_SMALL: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORTH: Final = {
    **{word: str(value) for value, word in enumerate(_SMALL)},
    **{word: str(value * 10) for value, word in enumerate(_TENS, 2)},
    "hundred": "100",
}
_QUOTES: Final = "\u2018\u2019\u201a\u201c\u201d\u201e\xab\xbb"
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_TYPOGRAPHY: Final = str.maketrans(_QUOTES + _DASHES, "'" * 8 + "-" * 7)
"""Quotation marks of any kind are one: which kind it is, a copy may change."""
_MARKER: Final = re.compile(r"^\s*(?:[-*•#>]+|\d{1,3}[.)])\s+")
_CITATION: Final = re.compile(r"\[\d+(?:\s*[,-]\s*\d+)*\]")
_END: Final = re.compile(r"(?<=[.!?])[\"')\]*]*\s+|(?<=[\u3002\uff01\uff1f])")


def canonical(text: str) -> str:
    """The text with its blanks, case and typography made alike, so that copies of it can be recognised."""
    plain = unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY).replace('"', "'")
    return " ".join(plain.casefold().split())


def content(text: str) -> frozenset[str]:
    """What a text speaks of: its words, but for those that any text has, by their beginnings; its numbers."""
    found = (_value(token) or token[:_STEM] for token in _tokens(text) if token not in _STOP)
    return frozenset(found)


def digits(text: str) -> frozenset[str]:
    """The numbers that are written in digits; not those of citations such as ``[1]``."""
    tokens = _tokens(_CITATION.sub(" ", text))
    return frozenset(_value(token) for token in tokens if token[0].isdecimal())


def numbers(text: str) -> frozenset[str]:
    """All numbers, those in English words included."""
    return frozenset(value for token in _tokens(text) if (value := _value(token)))


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of an answer, each on one line and without the marker of a list.

    It may split too often (behind ``Dr.``), never too seldom for the check that each of them was judged.
    """
    lines = (_MARKER.sub("", line) for line in text.splitlines())
    parts = (" ".join(part.split()) for line in lines for part in _END.split(line))
    return tuple(part for part in parts if _TOKEN.search(part))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(canonical(text))


def _value(token: str) -> str:
    """The number that a token stands for, ``""`` for a word."""
    if not token[0].isdecimal():
        return _WORTH.get(token, "")
    whole, _, fraction = token.replace(",", "").partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole.lstrip('0') or '0'}{'.' if fraction else ''}{fraction}"
