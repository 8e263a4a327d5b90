"""Reader of the tables of a persona file, which notes every mistake instead of stopping at the first."""

from __future__ import annotations

import difflib
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Fields"]


class Fields:
    """One table of the file; each method reads one key, or notes what is wrong with it and gives a stand-in.

    Args:
        table: the table as parsed.
        where: the key of the table itself, empty for the whole file.
        mistakes: the list that mistakes are appended to.
    """

    def __init__(self, table: Mapping[str, Any], where: str, mistakes: list[str]) -> None:
        """Starts with no key read."""
        self._table = table
        self._where = where
        self._mistakes = mistakes
        self._known: list[str] = []

    def note(self, key: str, mistake: str) -> None:
        """Notes a mistake at one key of this table."""
        self._mistakes.append(f"{self._name(key)}: {mistake}")

    def text(self, key: str) -> str:
        """Reads a required string that is not blank."""
        value = self._get(key)
        if isinstance(value, str) and value.strip():
            return value
        self._reject(key, value, "a string that is not empty")
        return ""

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """Reads a list of strings, none of them blank; a required one must have a member."""
        value = self._get(key)
        if value is None and not required:
            return ()
        good = isinstance(value, list) and all(isinstance(text, str) and text.strip() for text in value)
        if good and (value or not required):
            return tuple(value)
        self._reject(key, value, "a list of strings, none of them empty")
        return ()

    def number(self, key: str, default: float, *, most: float = math.inf) -> float:
        """Reads an optional finite number from 0 to ``most``."""
        value = self._get(key)
        if value is None:
            return default
        if _is_number(value) and 0 <= value <= most:
            return float(value)
        self._reject(key, value, "a number from 0" if most == math.inf else f"a number from 0 to {most:g}")
        return default

    def rate(self, key: str) -> float:
        """Reads a required number from 0 to 1."""
        value = self.number(key, -1.0, most=1.0)
        if key not in self._table:
            self.note(key, "missing; write a number from 0 to 1")
        return max(value, 0.0)

    def patterns(self, key: str, flags: int = 0) -> tuple[re.Pattern[str], ...]:
        """Reads a required list of regular expressions."""
        texts = self.texts(key, required=True)
        return tuple([pattern for text in texts if (pattern := self._compile(key, text, flags))])

    def pattern(self, key: str) -> re.Pattern[str]:
        """Reads one required regular expression."""
        text = self.text(key)
        return self._compile(key, text, 0) or re.compile("")

    def table(self, key: str) -> Fields:
        """Reads an optional table."""
        value = self._get(key)
        if value is not None and not isinstance(value, dict):
            self._reject(key, value, f"a table, [{self._name(key)}]")
        return Fields(value if isinstance(value, dict) else {}, self._name(key), self._mistakes)

    def tables(self, key: str, *, required: bool = False) -> Iterator[Fields]:
        """Reads a list of tables."""
        value = self._get(key)
        if value is None and not required:
            return
        if not isinstance(value, list) or not value or not all(isinstance(member, dict) for member in value):
            self._reject(key, value, f"one or more tables, each begun by [[{self._name(key)}]]")
            return
        for index, member in enumerate(value):
            yield Fields(member, f"{self._name(key)}[{index}]", self._mistakes)

    def names(self) -> tuple[str, ...]:
        """Returns the keys of this table."""
        return tuple(self._table)

    def finish(self) -> None:
        """Notes every key that nobody has read."""
        for key in self._table:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, n=1)
                known = ", ".join(self._known)
                self.note(
                    key, "unknown key; " + (f"did you mean {close[0]!r}?" if close else f"known are {known}")
                )

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def _get(self, key: str) -> Any:
        self._known.append(key)
        return self._table.get(key)

    def _reject(self, key: str, value: object, wanted: str) -> None:
        found = "missing" if value is None else f"{value!r:.60} will not do"
        self.note(key, f"{found}; write {wanted}")

    def _compile(self, key: str, text: str, flags: int) -> re.Pattern[str] | None:
        try:
            return re.compile(text, flags)
        except (re.error, RecursionError, OverflowError) as error:
            self.note(key, f"{text!r} is not a regular expression ({error}); escape special characters")
            return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
