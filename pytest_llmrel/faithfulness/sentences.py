"""Text into sentences: the same for answers and contexts, whatever the case, in time linear in the text."""

import re
from collections.abc import Iterator

from pytest_llmrel.faithfulness.lexicon import ABBREVIATIONS

__all__ = ["LONGEST", "sentences"]

LONGEST = 800
"""Characters after which a sentence without an end is cut at the next white space."""

_LINE = re.compile(r"[^\r\n\v\f\x85\u2028\u2029]+")
_NEXT_LINE = frozenset(("\n", "\r\n", "\r", "\u2028", "\x85"))
_WRAPPED_WORDS = 8
_ENDS = frozenset(".!?:|>\u2026\u3002\uff01\uff1f\uff1a")
_END = re.compile(
    r"[.!?\u2026\u061f]{1,20}['\"\u2019\u201d\u00bb)\]*_]{0,8}(?=\s)|[\u3002\uff01\uff1f\u0964][\u300d\u300f\u201d]?"
)
_BULLETS = re.compile(
    r"\s*(?:[-*+\u2022\u2023\u25aa\u25cf\u2013\u2014>#|]+\s+)*"
    r"(?:[*_]{0,3}\(?(?:\d{1,3}[.)]|[a-z]\)|step\s\d{1,3}[.:)])[*_]{0,3}\s+(?=\S))?",
    re.IGNORECASE,
)
_LAST_WORD = re.compile(r"(?<![^\s(\"'])[\w.]{1,12}\Z")
_NUMBER = re.compile(r"\s{1,20}\d")
_CUT = re.compile(r"\S{0,200}")


def sentences(text: str) -> Iterator[str]:
    """Yields the sentences of a text as they stand in it, without the marks of lists and headings.

    A sentence ends at the end of a line, unless the line is wrapped (eight words or more, no punctuation
    at its end, and no empty line or bullet behind it), or at a full stop, question mark or exclamation
    mark before white space; not behind an abbreviation, an initial, or within a number or an address.
    Capital letters decide nothing. What goes on for more than 800 characters is cut.
    """
    for line in _paragraphs(text):
        start = _BULLETS.match(line).end()  # type: ignore[union-attr]  # it matches the empty text, too
        for match in _END.finditer(line, start):
            if not _goes_on(line, match):
                yield from _pieces(line[start : match.end()])
                start = match.end()
        yield from _pieces(line[start:])


def _paragraphs(text: str) -> Iterator[str]:
    """Lines, with those that are wrapped put together."""
    start = end = 0
    last = ""
    for match in _LINE.finditer(text):
        line = match.group()
        if not (text[end : match.start()] in _NEXT_LINE and _is_wrapped(last) and _follows(line)):
            yield text[start:end]
            start = match.start()
        last, end = line, match.end()
    yield text[start:end]


def _is_wrapped(line: str) -> bool:
    return line.rstrip()[-1:] not in _ENDS and len(line.split(None, _WRAPPED_WORDS)) >= _WRAPPED_WORDS


def _follows(line: str) -> bool:
    start = _BULLETS.match(line).end()  # type: ignore[union-attr]  # as above
    return start < len(line) and line[:start].isspace() | (start == 0)


def _goes_on(line: str, end: re.Match[str]) -> bool:
    """Whether the full stop belongs to the word before it, as in ``Dr. Who``, ``No. 5`` and ``J. Doe``."""
    if end.group() != ".":
        return False
    before = _LAST_WORD.search(line, max(0, end.start() - 12), end.start())
    if before is None:
        return False
    word = before.group().casefold()
    if word == "no":
        return _NUMBER.match(line, end.end()) is not None
    return word in ABBREVIATIONS or (len(word) == 1 and word.isalpha()) or word[-2:-1] == "."


def _pieces(sentence: str) -> Iterator[str]:
    start = 0
    while len(sentence) - start > LONGEST:
        end = start + LONGEST
        end = _CUT.match(sentence, end).end()  # type: ignore[union-attr]  # it matches the empty text, too
        yield sentence[start:end].strip()
        start = end
    if piece := sentence[start:].strip():
        yield piece
