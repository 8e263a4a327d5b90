"""What every reader of a dataset gives: rows as they stand in the file, each with its line."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from pytest_llmrel.datasets.problems import Problems

__all__ = ["Reader", "Row"]


class Row(NamedTuple):
    """One row.

    Attributes:
        line: where it begins, 1-based.
        fields: column -> value.
        column: where in the line, 1-based; 0 if a row has its lines for itself.
    """

    line: int
    fields: Mapping[str, Any]
    column: int = 0


Reader = Callable[[BinaryIO, Problems], Iterator[Row]]
"""Gives the sound rows of a file and adds whatever is wrong with the others to the problems."""
