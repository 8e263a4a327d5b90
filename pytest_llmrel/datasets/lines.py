"""Bytes of a dataset become text: UTF-8 with or without a mark at its start, and no NUL bytes."""

from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from pytest_llmrel.datasets.problems import Problems

__all__ = ["Line", "text_lines", "text_of", "whole_view"]

_BOM: Final = b"\xef\xbb\xbf"
_PIECE: Final = 1 << 20
_SAVE: Final = "save the file as UTF-8"


class Line(NamedTuple):
    """One line of a file, its ending included.

    Attributes:
        number: 1-based.
        text: what stands there; with replacement characters if it is not ``sound``.
        sound: whether the bytes were text; if not, that has been told.
    """

    number: int
    text: str
    sound: bool


def text_lines(file: BinaryIO, problems: Problems) -> Iterator[Line]:
    """The lines, one at a time; only a line feed ends one."""
    for number, data in enumerate(file, 1):
        if number == 1:
            data = data.removeprefix(_BOM)  # noqa: PLW2901
        sound = _check(data, number, problems)
        yield Line(number, data.decode("utf-8", "strict" if sound else "replace"), sound)


def whole_view(file: BinaryIO, problems: Problems) -> str | None:
    """All of it as a text with one character for each byte, ``None`` if it is not UTF-8, which has been told.

    A real text takes four times the memory if there is a single emoji in it. What can be found by ASCII
    characters is found in the view, too; :func:`text_of` makes a text of a part.
    """
    data = file.read().removeprefix(_BOM)
    if not _is_text(data):
        for number, line in enumerate(data.split(b"\n"), 1):
            _check(line, number, problems)
        return None
    return data.decode("latin-1")


def text_of(view: str) -> str:
    """The text that a part of a view stands for."""
    return view if view.isascii() else view.encode("latin-1").decode("utf-8", "replace")


def _is_text(data: bytes) -> bool:
    decode = getincrementaldecoder("utf-8")().decode
    starts = range(0, len(data), _PIECE)
    try:
        for start in starts:
            decode(data[start : start + _PIECE], final=start == starts[-1])
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


def _check(data: bytes, number: int, problems: Problems) -> bool:
    """Tells the first thing in a line that is no text."""
    if (place := data.find(b"\0")) >= 0:
        problems.add(f"a NUL byte: is this a text file? remove it, or {_SAVE}", number, place + 1)
        return False
    try:
        data.decode()
    except UnicodeDecodeError as error:
        said = f"byte {data[error.start]:#04x} is not UTF-8 ({error.reason}); {_SAVE}"
        problems.add(said, number, error.start + 1)
        return False
    return True
