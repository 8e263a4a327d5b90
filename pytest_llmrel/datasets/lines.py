"""Bytes of a dataset become text: UTF-8 with or without a mark at its start, and no NUL bytes."""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from pytest_llmrel.datasets.problems import Problems

__all__ = ["Line", "text_lines", "whole_text"]

_BOM: Final = b"\xef\xbb\xbf"
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


def whole_text(file: BinaryIO, problems: Problems) -> str | None:
    """All of it, ``None`` if it is not text, which has been told."""
    data = file.read().removeprefix(_BOM)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if text and "\0" not in text:
        return text
    count = problems.count
    for number, line in enumerate(data.split(b"\n"), 1):
        _check(line, number, problems)
    return text if problems.count == count else None


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
