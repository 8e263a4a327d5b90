"""Rows of TOML: an array of tables, ``[[case]]`` before each."""

import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, BinaryIO, Final

from pytest_llmrel.datasets.lines import text_of, whole_view
from pytest_llmrel.datasets.problems import Problems, clipped, plain
from pytest_llmrel.datasets.rows import Row

__all__ = ["toml_rows"]

_HEADER: Final = re.compile(r"^[ \t]*\[\[[ \t]*(['\"]?)case\1[ \t]*\]\][ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)
_PLACE: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")
_CUT: Final = " (at end of document)"
_WRITE: Final = "write [[case]] before each case"


def toml_rows(file: BinaryIO, problems: Problems) -> Iterator[Row]:
    """The rows, one table at a time out of the text: each is TOML by itself, so every mistake can be told."""
    text = whole_view(file, problems)
    if text is None:
        return
    places = [0, *(found.start() for found in _HEADER.finditer(text)), len(text)]
    line = 1
    for number, (start, end) in enumerate(pairwise(places), 1):
        part = text[start:end]
        document, reason = _parsed(part)
        if reason.endswith(_CUT) and end < len(text):
            # Perhaps a text of several lines in which one looks like a header.
            yield from _rest(text[start:], line, problems)
            return
        if reason:
            _tell(reason, part, line, problems)
        yield from _tables(document, [line] * (number > 1), line, problems)
        line += part.count("\n")


def _rest(text: str, line: int, problems: Problems) -> Iterator[Row]:
    """The rows of a text that cannot be cut at what looks like headers; its first mistake alone is told."""
    document, reason = _parsed(text)
    if reason:
        _tell(reason, text, line, problems)
        return
    lines, last = [], 0
    for place in _outside_of_texts(text):
        line += text.count("\n", last, place)
        last = place
        lines.append(line)
    yield from _tables(document, lines, line, problems)


def _tables(document: dict[str, Any], lines: list[int], line: int, problems: Problems) -> Iterator[Row]:
    for name in sorted(document.keys() - {"case"}):
        problems.add(f"{plain(name)} belongs to no case; {_WRITE}", line)
    tables = document.get("case", [])
    if not isinstance(tables, list) or (tables and len(tables) != len(lines)):
        problems.add(f"'case' is written in another way; {_WRITE}", line)
        return
    for number, table in zip(lines, tables, strict=False):  # no tables: what is wrong has been told
        yield Row(number, table)


def _outside_of_texts(text: str) -> list[int]:
    """Where headers are before which a table is whole: others are lines of a text that speaks of TOML."""
    kept: list[int] = []
    for found in _HEADER.finditer(text):
        if not kept or not _parsed(text[kept[-1] : found.start()])[1]:
            kept.append(found.start())
    return kept


def _parsed(part: str) -> tuple[dict[str, Any], str]:
    """What it holds, and what is wrong with it."""
    try:
        return tomllib.loads(text_of(part)), ""
    except tomllib.TOMLDecodeError as error:
        return {}, str(error)
    except (ValueError, RecursionError):
        return {}, "nested too deeply, or a number or a date that there is not"


def _tell(reason: str, part: str, line: int, problems: Problems) -> None:
    found = _PLACE.search(reason)
    said = _PLACE.sub("", reason).removesuffix(_CUT)
    below, column = (int(found[1]) - 1, int(found[2])) if found else (0, 0)
    if reason.endswith(_CUT):
        below = part.rstrip().count("\n")
    problems.add(f"not TOML ({clipped(said)})", line + below, column)
