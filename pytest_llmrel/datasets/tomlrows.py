"""Rows of TOML: an array of tables, ``[[case]]`` before each."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from pytest_llmrel.datasets.lines import whole_text
from pytest_llmrel.datasets.problems import Problems, clipped, plain
from pytest_llmrel.datasets.rows import Row

__all__ = ["toml_rows"]

_HEADER: Final = re.compile(r"^[ \t]*\[\[[ \t]*(['\"]?)case\1[ \t]*\]\][ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_WRITE: Final = "write [[case]] before each case"


def toml_rows(file: BinaryIO, problems: Problems) -> Iterator[Row]:
    """The rows; a file that is not TOML has none, and its first mistake alone can be told."""
    text = whole_text(file, problems)
    if text is None or not text.strip():
        return
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        line, column = (int(number or 0) for number in found.groups()) if found else (0, 0)
        said = _PLACE.sub("", str(error))
        problems.add(f"not TOML ({clipped(said)})", line or 1 + text.count("\n"), column)
        return
    except (ValueError, RecursionError):
        problems.add("not readable as TOML (nested too deeply, or a number or date that there is not)")
        return
    yield from _tables(document, text, problems)


def _tables(document: dict[str, Any], text: str, problems: Problems) -> Iterator[Row]:
    for name in document.keys() - {"case"}:
        problems.add(f"{plain(name)} belongs to no case; {_WRITE}")
    tables = document.get("case", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        problems.add(f"'case' is no array of tables; {_WRITE}")
        return
    lines = _lines_of(text, len(tables))
    if len(lines) != len(tables):
        problems.add(f"{len(tables)} cases, of which {len(lines)} begin with [[case]]; {_WRITE}")
        return
    for line, table in zip(lines, tables, strict=True):
        yield Row(line, table)


def _lines_of(text: str, tables: int) -> list[int]:
    """Where the tables of a sound document begin; the standard library does not tell."""
    places = [found.start() for found in _HEADER.finditer(text)]
    if len(places) > tables:
        places = _outside_of_texts(text, places)
    lines, line, last = [], 1, 0
    for place in places:
        line += text.count("\n", last, place)
        last = place
        lines.append(line)
    return lines


def _outside_of_texts(text: str, places: list[int]) -> list[int]:
    """Those before which a table is whole: the others are lines of a text that speaks of TOML itself."""
    kept: list[int] = []
    for place in places:
        if not kept or _is_whole(text[kept[-1] : place]):
            kept.append(place)
    return kept


def _is_whole(part: str) -> bool:
    try:
        tomllib.loads(part)
    except ValueError:
        return False
    return True
