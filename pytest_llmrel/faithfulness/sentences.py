"""Text into sentences: the same for answers and contexts, whatever the case, in time linear in the text."""

import re
from collections.abc import Iterator

from pytest_llmrel.faithfulness.lexicon import ABBREVIATIONS

__all__ = ["LONGEST", "sentences"]

LONGEST = 800
"""Characters after which a sentence without an end is cut at the next white space."""

_LINES = re.compile(r"[\r\n\v\f\x85\u2028\u2029]+")
_END = re.compile(
    r"[.!?\u2026\u061f]['\"\u2019\u201d\u00bb)\]*_]{0,8}(?=\s)|[\u3002\uff01\uff1f\u0964][\u300d\u300f\u201d]?"
)
_BULLET = re.compile(
    r"(?:[-*+\u2022\u2023\u25aa\u25cf\u2013\u2014>#|]+|\(?(?:\d{1,3}|[a-zA-Z])[.)])(?=\s|\Z)\s*"
)
_LAST_WORD = re.compile(r"(?<![^\s(\"'])[\w.]{1,12}\Z")
_CUT = re.compile(r"\S{0,200}")


def sentences(text: str) -> Iterator[str]:
    """Yields the sentences of a text as they stand in it, without the marks of lists and headings.

    A sentence ends at the end of a line, or at a full stop, question mark or exclamation mark before white
    space; not behind an abbreviation, an initial, or within a number or an address. Capital letters decide
    nothing. What goes on for more than 800 characters is cut.
    """
    for line in _LINES.split(text):
        start = _past_bullets(line, 0)
        for match in _END.finditer(line):
            if match.start() >= start and not _goes_on(line, match):
                yield from _pieces(line[start : match.end()])
                start = _past_bullets(line, match.end())
        yield from _pieces(line[start:])


def _past_bullets(line: str, start: int) -> int:
    while start < len(line) and line[start].isspace():
        start += 1
    match = _BULLET.match(line, start)
    return match.end() if match else start


def _goes_on(line: str, end: re.Match[str]) -> bool:
    """Whether the full stop belongs to the word before it, as in ``Dr. Who``, ``No. 5`` and ``J. Doe``."""
    if end.group() != ".":
        return False
    before = _LAST_WORD.search(line, max(0, end.start() - 12), end.start())
    if before is None:
        return False
    word = before.group().casefold()
    if word == "no":
        return line[end.end() :][:2].strip().isdigit()
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
