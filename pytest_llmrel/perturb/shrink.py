"""Delta debugging: the fewest of several edits that still break, by a test that costs runs."""

from collections.abc import Callable, Generator, Iterator
from itertools import pairwise
from typing import TypeVar

__all__ = ["Steps", "shrunk"]

Item = TypeVar("Item")
Request = TypeVar("Request")
Answer = TypeVar("Answer")
_HALVES = 2
Steps = Generator[Request, None, Answer]
"""A computation that asks for things to be done, and goes on when they are."""


def shrunk(
    items: tuple[Item, ...], breaks: Callable[[tuple[Item, ...]], Steps[Request, bool]]
) -> Steps[Request, tuple[Item, ...]]:
    """A part of the items that breaks, and does not without any one of them.

    The algorithm ddmin: Zeller and Hildebrandt 2002, IEEE Trans. Softw. Eng. 28, 183-200.

    Args:
        items: that break together.
        breaks: the test of a part.

    Returns:
        In the order of the items; a single one if that breaks alone. The empty part is never tested.
    """
    pieces = _HALVES
    while len(items) > 1:
        for part in _parts(items, pieces):
            if (yield from breaks(part)):
                pieces = 2 if len(part) <= len(items) / pieces + 1 else max(2, pieces - 1)
                items = part
                break
        else:
            if pieces >= len(items):
                break
            pieces = 2 * pieces
        pieces = min(pieces, len(items))
    return items


def _parts(items: tuple[Item, ...], pieces: int) -> Iterator[tuple[Item, ...]]:
    """The pieces, then what is left without each of them."""
    edges = [len(items) * place // pieces for place in range(pieces + 1)]
    bounds = list(pairwise(edges))
    yield from (items[start:end] for start, end in bounds)
    if pieces > _HALVES:
        yield from (items[:start] + items[end:] for start, end in bounds)
