"""Where a wording can be changed: its words, gaps and marks outside of what is protected."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pytest_llmrel.perturb.edits import Edit
from pytest_llmrel.perturb.protected import protected_spans
from pytest_llmrel.perturb.signs import APOSTROPHES, ENDS, MARKS

__all__ = ["Anatomy", "Place"]

_WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f]|[{APOSTROPHES}](?=[^\W\d_]))*")
_GAP = re.compile(r"(?<=\S)\s+(?=\S)")
_MARKS = re.compile(rf"(?<![{MARKS}])[{MARKS}]+(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Place:
    """Characters of a text that may be changed.

    Attributes:
        start: offset of the first.
        end: offset behind the last.
        text: what stands there.
    """

    start: int
    end: int
    text: str

    def becomes(self, new: str, name: str) -> Edit:
        """The edit that puts something else there."""
        return Edit(self.start, self.end, self.text, new, name)


class Anatomy:
    """A text, taken apart once.

    Args:
        text: any.

    Attributes:
        text: the text.
        protected: the spans that no place overlaps.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.protected = protected_spans(text)
        self._starts = [start for start, _ in self.protected]

    @cached_property
    def words(self) -> tuple[Place, ...]:
        """Letters with their accents and apostrophes."""
        return tuple(self.places(_WORD))

    @cached_property
    def gaps(self) -> tuple[Place, ...]:
        """White space between two things that are none."""
        return tuple(self.places(_GAP))

    @cached_property
    def marks(self) -> tuple[Place, ...]:
        """Full stops, commas and their like before a space or the end, each row of them as one."""
        return tuple(self.places(_MARKS))

    @cached_property
    def ends(self) -> tuple[Place, ...]:
        """The marks that end a sentence."""
        return tuple(mark for mark in self.marks if not set(ENDS).isdisjoint(mark.text))

    @cached_property
    def beginnings(self) -> tuple[Place, ...]:
        """The first word of each sentence, unless it is protected."""
        words = self.words
        starts = [word.start for word in words]
        behind = {bisect_right(starts, end - 1): end for end in (0, *(mark.end for mark in self.ends))}
        return tuple(
            words[index]
            for index, end in behind.items()
            if index < len(words) and not _says_something(self.text[end : words[index].start])
        )

    def places(self, pattern: re.Pattern[str]) -> Iterator[Place]:
        """Where a pattern is found outside of the protected spans."""
        for match in pattern.finditer(self.text):
            if not self.touches(*match.span()):
                yield Place(match.start(), match.end(), match.group())

    def touches(self, start: int, end: int) -> bool:
        """Whether a span overlaps a protected one, or lies within it."""
        index = bisect_right(self._starts, end - 1 if end > start else start - 1) - 1
        return index >= 0 and self.protected[index][1] > start

    def insertion(self, offset: int, new: str, name: str) -> Edit:
        """The edit that inserts something; the offset is not within a protected span."""
        return Edit(offset, offset, "", new, name)

    @property
    def says_something(self) -> bool:
        """Whether there is a letter or a digit."""
        return _says_something(self.text)


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)
