"""A line of a ledger: a checksum, a space and JSON, so that what is torn or overwritten is known as such."""

import json
from typing import Any, Final
from zlib import crc32

__all__ = ["VERSION", "data_in", "is_whole", "line_of", "test_of"]

VERSION: Final = 1
"""Of the format: of lines, and of what is in them."""
_BODY: Final = 9
"""Where the JSON begins: after eight hexadecimal digits and a space."""
_encoded: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def line_of(data: dict[str, Any] | list[Any]) -> bytes:
    """The line, with its end; halves of characters are kept as they are."""
    body = _encoded(data).encode("utf-8", "surrogatepass")
    return b"%08x %b\n" % (crc32(body), body)


def is_whole(line: bytes) -> bool:
    """Whether a line, with its end, is one that was written and has not changed since."""
    return line[-1:] == b"\n" and line[:_BODY] == b"%08x " % crc32(line[_BODY:-1])


def data_in(line: bytes) -> Any:
    """What a whole line says.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(line[_BODY:-1].decode("utf-8", "surrogatepass"))


def test_of(line: bytes) -> int | None:
    """The number of the test whose run a whole line holds, ``None`` if it holds something else.

    It is read from the beginning of the line, since a ledger may have a million of them.
    """
    number = line[_BODY + 1 : line.find(b",", _BODY)]
    return int(number) if line[_BODY : _BODY + 1] == b"[" and number.isdigit() else None
