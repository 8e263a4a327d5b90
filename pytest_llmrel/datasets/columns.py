"""Which columns the rows of a dataset have; rows that differ from the others in them."""

from array import array
from collections import Counter
from typing import Final

from pytest_llmrel.datasets.problems import Problems, plain
from pytest_llmrel.datasets.rows import Row

__all__ = ["Columns"]

_MOST_NAMED: Final = 5


class Columns:
    """Remembers the columns of every row: rows with the same ones share one tuple of names."""

    def __init__(self) -> None:
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}
        # Line and column of every row, one after the other: 16 bytes a row, as there may be many.
        self._places: dict[frozenset[str], array[int]] = {}

    def shared(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The same names, in the tuple that the first row with them has."""
        return self._shared.setdefault(names, names)

    def note(self, row: Row) -> None:
        """One more row."""
        self._places.setdefault(frozenset(row.fields), array("L")).extend((row.line, row.column))

    def tell(self, problems: Problems) -> None:
        """Adds the rows whose columns are not those of most others: one problem for each row."""
        usual = self._usual()
        for names, places in self._places.items():
            parts = []
            if lacking := usual - names:
                where = self._where(lacking)
                parts.append(f"without {_named(lacking)}{where}; write null or an empty text for none")
            if more := names - usual:
                parts.append(f"with {_named(more)}, which most rows have not: give it to all, or rename it")
            if parts:
                for line, column in zip(places[::2], places[1::2], strict=True):
                    problems.add("; ".join(parts), line, column)

    def _where(self, names: frozenset[str]) -> str:
        having = [places[0] for others, places in self._places.items() if names <= others]
        return f", as line {min(having)} has" if having else ", as other rows have"

    def _usual(self) -> frozenset[str]:
        """The columns that at least half of the rows have."""
        counts: Counter[str] = Counter()
        for names, places in self._places.items():
            counts.update(dict.fromkeys(names, len(places)))
        rows = sum(map(len, self._places.values()))
        return frozenset(name for name, count in counts.items() if 2 * count >= rows)


def _named(names: frozenset[str]) -> str:
    shown = ", ".join(plain(name) for name in sorted(names)[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} more"
