"""What is wrong with a dataset: all of it at once, each with its place; whatever is quoted is short."""

from pathlib import Path
from typing import Any, Final, NamedTuple

from pytest_llmrel.errors import DatasetError

__all__ = ["Problems", "clipped", "plain", "shown"]

_MOST: Final = 50
_MOST_SHOWN: Final = 60
_MOST_SAID: Final = 300


class _Problem(NamedTuple):
    line: int
    column: int
    text: str


class Problems:
    """Collects the problems of one file.

    Args:
        path: the file.

    Attributes:
        path: the file.
        count: how many there are; of which the first 50 are kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._kept: list[_Problem] = []

    def add(self, text: str, line: int = 0, column: int = 0) -> None:
        """One more.

        Args:
            text: what is wrong, and what to do.
            line: 1-based; 0 if it is about the file as a whole.
            column: 1-based; 0 if it is about the line as a whole.
        """
        self.count += 1
        if len(self._kept) < _MOST:
            self._kept.append(_Problem(line, column, text))

    def raise_all(self) -> None:
        """Ends the reading if there is any problem.

        Raises:
            DatasetError: with all of them, in the order of the lines.
        """
        if not self.count:
            return
        told = [f"{self._place(problem)}: {problem.text}" for problem in sorted(self._kept)]
        if more := self.count - len(told):
            told.append(f"{self.path}: and {more} more problem{'s' * (more > 1)}")
        raise DatasetError(*told)

    def _place(self, problem: _Problem) -> str:
        parts = [str(self.path), *(str(number) for number in (problem.line, problem.column) if number)]
        return ":".join(parts)


def shown(value: Any) -> str:
    """A value of the file as it may stand in a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", False: "false", True: "true"}[value]
    if isinstance(value, str):
        # Cut before it is spelled out: a hostile text may be long, and each character of it become ten.
        return repr(value if len(value) <= _MOST_SHOWN else f"{value[: _MOST_SHOWN - 1]}…")
    if isinstance(value, float) or (isinstance(value, int) and value.bit_length() < _MOST_SHOWN):
        return repr(value)
    return _KINDS.get(type(value), f"a {type(value).__name__}")


def plain(name: str) -> str:
    """A name without quotes, if it is one."""
    return name if name.isascii() and name.isidentifier() and len(name) < _MOST_SHOWN else shown(name)


def clipped(text: str) -> str:
    """What somebody else says about a value, on one line."""
    line = " ".join(text[: _MOST_SAID * 2].split())
    return line if len(line) <= _MOST_SAID else f"{line[: _MOST_SAID - 1]}…"


_KINDS: Final[dict[type, str]] = {
    dict: "an object",
    list: "a list",
    int: "a very long number",
    set: "a set",
    bytes: "binary data",
}
