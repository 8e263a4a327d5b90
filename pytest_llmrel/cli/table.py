"""Lines of a table for the terminal: the first column to the left, numbers to the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["aligned"]


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """The table, line by line; columns in which no row says anything are left out.

    Args:
        header: one name a column.
        rows: as many cells each.
        left: columns at either end that hold words, not numbers.
    """
    columns = [column for column in zip(header, *rows, strict=True) if any(column[1:])]
    numbers = range(left, len(columns) - left)
    widths = [max(map(len, column)) for column in columns]
    padded = [
        [cell.rjust(width) if number in numbers else cell.ljust(width) for cell in column]
        for number, (column, width) in enumerate(zip(columns, widths, strict=True))
    ]
    return ["  ".join(line).rstrip() for line in zip(*padded, strict=True)]
