"""What a field may hold and what a column may be called, and the ids of rows."""

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, time
from hashlib import sha256
from typing import Any, Final

from pytest_llmrel.datasets.problems import plain, shown

__all__ = ["content_id", "field_problems", "given_id", "id_problems"]

_DEEPEST: Final = 100
_MOST_BITS: Final = 8192
_LONGEST_ID: Final = 200
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories of characters that nobody sees, or that move what is seen."""


def field_problems(fields: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the names and values of a row, of whichever format."""
    if not fields:
        yield "a row without columns; remove it, or fill it"
    for name, value in fields.items():
        if not name or name != name.strip() or _unseen(name):
            yield f"column {shown(name)} has no name that can be typed; rename it"
        if type(value) is not str and (said := _value_problem(value, _DEEPEST)):
            yield f"{plain(name)}: {said}"


def given_id(fields: Mapping[str, Any]) -> str | None:
    """The id that the row gives, as text; ``None`` if it gives none."""
    value = fields.get("id")
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value) if isinstance(value, str) or value.bit_length() <= _MOST_BITS else None


def id_problems(fields: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the id that a row gives."""
    given = given_id(fields)
    if "id" in fields and given is None:
        yield f"id is {shown(fields['id'])}; give a text or a whole number"
    if given is None:
        return
    if not given.strip():
        yield "id is empty; give one, or remove the column"
    elif given != given.strip() or _unseen(given):
        yield f"id {shown(given)} has spaces around it, or characters that nobody sees; remove them"
    if len(given) > _LONGEST_ID:
        yield f"id {shown(given)} has {len(given)} characters; the longest may have {_LONGEST_ID}"


def content_id(fields: Mapping[str, Any]) -> str:
    """Twelve hex digits that stand for the content of a row: of the SHA-256 of its JSON in canonical form.

    The order of the columns makes no difference, and neither does the format of the file: dates count as
    their ISO text.
    """
    return sha256(_CANONICAL.encode(fields).encode("ascii")).hexdigest()[:12]


def _iso(value: date | time) -> str:
    return value.isoformat()


_CANONICAL: Final = json.JSONEncoder(
    sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=_iso
)


def _unseen(name: str) -> bool:
    if name.isascii() and name.isprintable():
        return False
    return any(unicodedata.category(character) in _UNSEEN for character in name)


def _value_problem(value: Any, deepest: int) -> str:
    if value is None or isinstance(value, bool | str | date | time):
        return ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{value} is no number; write null, or a text"
    if isinstance(value, int):
        return "" if value.bit_length() <= _MOST_BITS else "a number is too long; write it as a text"
    if not isinstance(value, list | dict):
        return f"{shown(value)} can be in no other format; write a text or a list"
    if not deepest:
        return f"nested deeper than {_DEEPEST} levels; flatten it"
    parts = value.values() if isinstance(value, dict) else value
    return next((said for part in parts if (said := _value_problem(part, deepest - 1))), "")
