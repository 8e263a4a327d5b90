"""Rows of JSON: an object a line (``.jsonl``), or a list of objects (``.json``)."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from pytest_llmrel.datasets.lines import text_lines, text_of, whole_view
from pytest_llmrel.datasets.problems import Problems, shown
from pytest_llmrel.datasets.rows import Row
from pytest_llmrel.datasets.strictjson import StrictJson

__all__ = ["json_rows", "jsonl_rows"]

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_CONFLICT: Final = re.compile(r"(<{7}|={7}|>{7}|\|{7})( |\s*$)")
_EACH_LINE: Final = "each line of a .jsonl file is one object"
_ONE_LIST: Final = "a .json file is one list of objects"


def jsonl_rows(file: BinaryIO, problems: Problems) -> Iterator[Row]:
    """The rows, one line in memory at a time; empty lines are passed over."""
    decoder = StrictJson(problems)
    for number, line, sound in text_lines(file, problems):
        text = line.rstrip("\r\n")  # so that what ends too early does so in its own line
        start = _space(text, 0)
        if not sound or start == len(text):
            continue
        if _CONFLICT.match(text):
            problems.add("the marker of a merge conflict; resolve it", number)
            continue
        value, end, sound_value = decoder.value(text, start, number, _EACH_LINE)
        if sound_value and _space(text, end) < len(text):
            problems.add(f"more after the end of the object; {_EACH_LINE}", number, _space(text, end) + 1)
        elif sound_value and not isinstance(value, dict):
            problems.add(f"{shown(value)} is no object; {_EACH_LINE}", number)
        elif sound_value:
            yield Row(number, value)


def json_rows(file: BinaryIO, problems: Problems) -> Iterator[Row]:
    """The rows, one at a time out of the text; after something that is not JSON no more can be found."""
    text = whole_view(file, problems)
    if text is None or not text.strip():
        return
    cursor = _Cursor(text)
    if not cursor.take("["):
        first = text_of(text[cursor.place : cursor.place + 4])[0]
        problems.add(f"begins with {shown(first)}; {_ONE_LIST}", cursor.line, cursor.column)
        return
    if not cursor.take("]"):
        yield from _elements(cursor, problems)
        if not cursor.at_end and not cursor.take("]"):
            problems.add(f"not JSON (no ',' or ']' after a row); {_ONE_LIST}", cursor.line, cursor.column)
            return
    if not cursor.at_end:
        problems.add(f"more after the end of the list; {_ONE_LIST}", cursor.line, cursor.column)


class _Cursor:
    """A place in a view that goes forward, over white space by itself, and knows its line and column."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.line, self.column = text, 0, 1, 1
        self.move(0)

    def move(self, place: int) -> None:
        """To there, and over the white space behind it."""
        end = _space(self.text, place)
        passed = self.text[self.place : end]
        before, line_end, behind = passed.rpartition("\n")
        # Counted from where it was: a file may be one line, and going back to its start is quadratic.
        self.line += before.count("\n") + len(line_end)
        self.column = len(text_of(behind)) + (1 if line_end else self.column)
        self.place = end

    def take(self, mark: str) -> bool:
        """Whether the mark is here; goes over it if so."""
        found = self.text.startswith(mark, self.place)
        if found:
            self.move(self.place + len(mark))
        return found

    @property
    def at_end(self) -> bool:
        return self.place >= len(self.text)


def _elements(cursor: _Cursor, problems: Problems) -> Iterator[Row]:
    """The rows up to the end of the list, or up to the end of the text if no more can be found."""
    decoder = StrictJson(problems, of_views=True)
    more = True
    while more:
        line, column = cursor.line, cursor.column
        value, end, sound = decoder.value(cursor.text, cursor.place, line, _ONE_LIST)
        if sound and isinstance(value, dict):
            yield Row(line, value, column)
        elif sound:
            problems.add(f"{shown(value)} is no object; {_ONE_LIST}", line, column)
        cursor.move(len(cursor.text) if end < 0 else end)
        more = cursor.take(",")
    if cursor.at_end and end >= 0:
        problems.add(f"not JSON (the list has no end); {_ONE_LIST}", cursor.line, cursor.column)


def _space(text: str, start: int) -> int:
    """Where the white space that begins at ``start`` ends."""
    found = _SPACE.match(text, start)
    return found.end() if found else start
