"""JSON of strangers: read whole while it is small, and only for the members that matter once it is large."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["LARGE", "document", "is_cut_off"]

LARGE: Final = 1 << 20
"""Bytes up to which a document is read whole; as Python objects it may be thirty times as large."""
_MOST_TOKENS: Final = 2_000_000
"""Brackets and strings of a large document after which nobody looks on; those of embeddings are fewer."""
_SAYING: Final = frozenset(
    {b'"usage"', b'"usageMetadata"', b'"model"', b'"modelVersion"', b'"x_groq"', b'"meta"', b'"type"'}
)
_HOLDING: Final = frozenset({b'"response"', b'"message"', b'"delta"', b'"result"'})
"""Members in which some APIs put an answer that has the above."""
# A string that is not closed goes to the end: a search that began anew behind each quote would be quadratic.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[\]{}]', re.DOTALL)
_COLON = re.compile(rb"\s*:")
_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[")
_OPENING, _CLOSING, _QUOTE = b"[{", b"]}", ord('"')


def document(raw: bytes) -> Any:
    """What JSON says; of a large one, a dict of those members that may speak of model and usage.

    The elements of a large array are taken for one object, in which the later ones win.

    Raises:
        ValueError: it is no JSON, or more than anybody should read.
        RecursionError: it is nested too deeply.
    """
    return json.loads(raw) if len(raw) <= LARGE else _sketch(raw, _SAYING | _HOLDING)


def is_cut_off(raw: bytes) -> bool:
    """Whether a large document ends before what it began; ``False`` where that is too much to find out."""
    level = 0
    try:
        for token in _tokens(raw):
            level += (raw[token.start()] in _OPENING) - (raw[token.start()] in _CLOSING)
    except ValueError:
        return False
    return level > 0


def _sketch(raw: bytes, names: frozenset[bytes]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, start, end in _members(raw, names):
        value = raw[start:end].strip(b" \t\r\n,")
        if len(value) <= LARGE:
            found[json.loads(name)] = json.loads(value)
        elif name in _HOLDING:
            found[json.loads(name)] = _sketch(value, _SAYING)
    return found


def _members(raw: bytes, names: frozenset[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Name, beginning and end of the named members: of the object, or of every object in an array."""
    wanted = 2 if _ARRAY.match(raw) else 1
    level, name, begin = 0, b"", 0
    for token in _tokens(raw):
        mark = raw[token.start()]
        is_key = level == wanted and mark == _QUOTE and _COLON.match(raw, token.end())
        if name and level == wanted and (is_key or mark in _CLOSING):
            yield name, begin, token.start()
            name = b""
        if is_key and token[0] in names:
            name, begin = token[0], is_key.end()
        level += (mark in _OPENING) - (mark in _CLOSING)


def _tokens(raw: bytes) -> Iterator[re.Match[bytes]]:
    for count, token in enumerate(_TOKEN.finditer(raw)):
        if count == _MOST_TOKENS:
            raise ValueError("more brackets and strings than anybody should read")
        yield token
