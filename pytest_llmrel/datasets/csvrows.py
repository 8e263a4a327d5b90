"""Rows of CSV (RFC 4180): the first line names the columns, every cell is text."""

import csv
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, Final

from pytest_llmrel.datasets.lines import text_lines
from pytest_llmrel.datasets.problems import Problems, plain, shown
from pytest_llmrel.datasets.rows import Row

__all__ = ["csv_rows"]

_QUOTE: Final = "a cell with quotes, commas or line breaks stands in quotes"
_LARGEST: Final = 2**31 - 1
"""Characters of a cell; the reader's own limit, for the whole process, is 131,072."""


def csv_rows(file: BinaryIO, problems: Problems) -> Iterator[Row]:
    """The rows, one at a time; empty lines are passed over."""
    former = csv.field_size_limit(_LARGEST)
    try:
        yield from _rows(file, problems)
    finally:
        csv.field_size_limit(former)


def _rows(file: BinaryIO, problems: Problems) -> Iterator[Row]:
    names: list[str] = []
    for line, cells in _records(file, problems):
        if not names:
            names = cells
            if not _header_is_sound(names, line, problems):
                return
        elif len(cells) != len(names):
            problems.add(_wrong_number(names, cells), line)
        else:
            yield Row(line, dict(zip(names, cells, strict=True)))


def _records(file: BinaryIO, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line.text for line in text_lines(file, problems)), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            ended = "end of data" in str(error)
            said = "a quoted cell has no end" if ended else str(error)
            problems.add(f"not CSV ({said}); {_QUOTE}", line)
            if ended:
                return
            continue
        if cells:
            yield line, cells


def _header_is_sound(names: list[str], line: int, problems: Problems) -> bool:
    doubles = [name for name, count in Counter(names).items() if count > 1]
    for name in doubles:
        problems.add(f"column {shown(name)} is there twice; rename one", line)
    separator = next((mark for mark in ";\t" if len(names) == 1 and all(names[0].partition(mark))), "")
    if separator:
        problems.add(f"the columns are separated by {shown(separator)}; separate them by commas", line)
    return not doubles and not separator


def _wrong_number(names: list[str], cells: list[str]) -> str:
    if len(cells) < len(names):
        missing = ", ".join(plain(name) for name in names[len(cells) :][:5])
        return f"has {len(cells)} of {len(names)} cells: without {missing}"
    surplus = shown(cells[len(names)])
    return f"has {len(cells)} cells, and there are {len(names)} columns: {surplus} is in none; {_QUOTE}"
