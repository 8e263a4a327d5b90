"""Atomic edits of a wording: each can be applied without the others."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise, takewhile

__all__ = ["Edit", "apply_edits", "compatible", "edits_between"]

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_TOKENS = 2000
"""Longer changes are not taken apart: the time grows with the square of their length."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """One change at one place.

    Attributes:
        start: offset of the first character that is replaced, or before which something is inserted.
        end: offset behind the last one; ``start`` for an insertion.
        old: what stands there, ``text[start:end]``.
        new: what shall stand there.
        name: of the perturbation that it is part of.
    """

    start: int
    end: int
    old: str
    new: str
    name: str

    def __str__(self) -> str:
        """In words, for people: the offsets mean nothing to them."""
        if not self.old:
            return f"{self.name}: insert {self.new!r}"
        return f"{self.name}: {self.old!r} -> {self.new!r}" if self.new else f"{self.name}: drop {self.old!r}"


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with all the edits, whatever their order.

    Raises:
        ValueError: two of them change the same place, or one was made for another text.
    """
    pieces, place = [], 0
    last: Edit | None = None
    for edit in sorted(edits):
        if text[edit.start : edit.end] != edit.old or not 0 <= edit.start <= edit.end <= len(text):
            raise ValueError(f"{edit} is an edit of another text")
        if last is not None and _collide(last, edit):
            raise ValueError(f"{last} and {edit} change the same place")
        pieces += [text[place : edit.start], edit.new]
        place, last = edit.end, edit
    return "".join([*pieces, text[place:]])


def compatible(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits that can be applied together, in the order of the text; of two that collide, the first given.

    Edits collide that change the same characters, or that insert something at the same place.
    """
    kept: list[Edit] = []
    for edit in edits:
        place = bisect_left(kept, edit)
        around = [*kept[max(0, place - 1) : place], edit, *kept[place : place + 1]]
        if not any(_collide(first, second) for first, second in pairwise(around)):
            kept.insert(place, edit)
    return tuple(kept)


def edits_between(text: str, result: str, name: str) -> tuple[Edit, ...]:
    """The edits that make one text of another, word by word: for perturbations that give only a result.

    Each of them alone is an edit of the text, all of them together give the result.
    """
    old, new = _TOKEN.findall(text), _TOKEN.findall(result)
    front = _alike(old, new)
    back = _alike(reversed(old[front:]), reversed(new[front:]))
    old_middle, new_middle = old[front : len(old) - back], new[front : len(new) - back]
    return tuple(_differences(len("".join(old[:front])), old_middle, new_middle, name))


def _alike(first: Iterable[str], second: Iterable[str]) -> int:
    """How many tokens at the front are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _differences(place: int, old: list[str], new: list[str], name: str) -> Iterator[Edit]:
    if max(len(old), len(new)) > _MOST_TOKENS:
        steps: Iterable[tuple[str, int, int, int, int]] = [("replace", 0, len(old), 0, len(new))]
    else:
        steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for kind, first, last, new_first, new_last in steps:
        was, becomes = "".join(old[first:last]), "".join(new[new_first:new_last])
        if kind != "equal":
            yield Edit(place, place + len(was), was, becomes, name)
        place += len(was)


def _collide(first: Edit, second: Edit) -> bool:
    """Whether two edits, in order, change the same place."""
    if first.start == first.end == second.start == second.end:
        return True
    return second.start < first.end
