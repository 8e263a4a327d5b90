"""JSON without what Python lets pass: doubled keys, NaN and infinity; with the place of every mistake."""

import json
from typing import Any, Final

from pytest_llmrel.datasets.lines import text_of
from pytest_llmrel.datasets.problems import Problems, shown

__all__ = ["Position", "StrictJson"]

Position = tuple[int, int]
"""Line and column, 1-based."""

_DEEP: Final = "nested too deeply"
_LONG: Final = "a number is too long"


class StrictJson:
    """Decodes one value after another and tells what is wrong with it.

    Args:
        problems: where that is told.
        of_views: whether what is decoded has a character for each byte; see ``whole_view``.
    """

    def __init__(self, problems: Problems, *, of_views: bool = False) -> None:
        self._problems, self._of_views = problems, of_views
        self._notes: list[str] = []
        # The decoder goes on after a doubled key: all mistakes of a file are told at once.
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=self._constant)

    def value(self, text: str, start: int, line: int, advice: str) -> tuple[Any, int, bool]:
        """The value that begins at ``start``.

        Args:
            text: the document, or the part of it that begins at the start of a line.
            start: where in the text.
            line: the line that ``start`` is in.
            advice: what to do with something that is not JSON.

        Returns:
            The value, where it ends (-1 if nobody knows), and whether it is sound.
        """
        self._notes.clear()
        try:
            value, end = self._decoder.raw_decode(text, start)
            if self._of_views and not (part := text[start:end]).isascii():
                self._notes.clear()
                value, _ = self._decoder.raw_decode(text_of(part))
        except json.JSONDecodeError as error:
            before = text[text.rfind("\n", 0, error.pos) + 1 : error.pos]
            column = 1 + len(text_of(before) if self._of_views else before)
            last = line + text.count("\n", start, error.pos)
            self._problems.add(f"not JSON ({error.msg}); {advice}", last, column)
        except (ValueError, RecursionError) as error:
            reason = _DEEP if isinstance(error, RecursionError) else _LONG
            self._problems.add(f"not readable as JSON ({reason}); {advice}", line)
        else:
            for note in self._notes:
                self._problems.add(note, line)
            return value, end, not self._notes
        return None, -1, False

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            doubles = sorted({name for name in names if names.count(name) > 1})
            self._notes += [f"key {shown(name)} is there twice in one object; remove one" for name in doubles]
        return found

    def _constant(self, constant: str) -> None:
        self._notes.append(f"{constant} is no number in JSON; write null, or a text")
