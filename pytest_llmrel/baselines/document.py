"""JSON read with suspicion and written in one way only; whatever is quoted of it is short and printable."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["canonical", "is_text", "parse", "plain", "shown"]

_MOST_SHOWN: Final = 80
_CONFLICT: Final = re.compile(r"<{7}( |$)|={7}$|>{7}( |$)|\|{7}( |$)")


def parse(data: bytes, advice: str, conflict: str = "resolve it, keeping the batches of both sides") -> Any:
    """The value that a JSON document holds.

    Args:
        data: the document.
        advice: what to do with a document that holds none.
        conflict: what to do with one that a merge has left.

    Raises:
        ValueError: it holds none, or not one alone; the text says what is wrong and what to do.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start}); {advice}") from None
    if not text.strip():
        raise ValueError(f"empty; {advice}")
    try:
        return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        marked = _conflict(text, conflict)
        raise ValueError(marked or f"not readable as JSON ({_reason(error)}); {advice}") from None


def canonical(document: Mapping[str, Any]) -> str:
    """The one way to write a document: sorted keys, ASCII, two spaces, a final newline.

    Raises:
        ValueError: it holds a number that JSON does not know (NaN, infinity).
    """
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def shown(value: object) -> str:
    """A value from a file as it may stand in a message."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", False: "false", True: "true"}[value]
    # Cut before it is spelled out: a hostile text may be long, and each character of it become ten.
    text = repr(value[:_MOST_SHOWN] if isinstance(value, str) else value)
    cut = len(text) > _MOST_SHOWN or (isinstance(value, str) and len(value) > _MOST_SHOWN)
    return f"{text[: _MOST_SHOWN - 1]}…" if cut else text


def plain(name: str) -> str:
    """A name without quotes, if it is one."""
    return name if name.isascii() and name.isidentifier() and len(name) < _MOST_SHOWN else shown(name)


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: without halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _conflict(text: str, advice: str) -> str:
    for number, line in enumerate(text.split("\n"), 1):
        if _CONFLICT.match(line.rstrip()):
            return f"line {number} is the marker of a merge conflict; {advice}"
    return ""


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    if isinstance(error, _NotOurs):
        return str(error)
    return "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"


class _NotOurs(ValueError):
    """Python's reader would take it, JSON's grammar or a human would not."""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _NotOurs(f"key {shown(double)} is there twice in one object: a merge gone wrong?")
    return found


def _no_number(constant: str) -> Any:
    raise _NotOurs(f"{constant} is no number")
