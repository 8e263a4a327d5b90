"""Perturbations of what stands between the words, and of where a wording ends."""

import re
from collections.abc import Iterator
from random import Random

from pytest_llmrel.perturb.anatomy import Anatomy, Place
from pytest_llmrel.perturb.edits import Edit
from pytest_llmrel.perturb.signs import APOSTROPHES

__all__ = ["LEAST_WORDS", "punctuation", "speech", "truncated", "whitespace"]

LEAST_WORDS = 3
"""So many words at least are left by ``truncated``."""
_NO_APOSTROPHES = str.maketrans("", "", APOSTROPHES)
_ROW = 3
"""A row of so many marks is not made longer."""


def whitespace(anatomy: Anatomy, rng: Random) -> Iterator[Edit]:
    """Gaps become wider, a tab or a line break; spaces at both ends."""
    if not anatomy.says_something:
        return
    yield anatomy.insertion(0, " " * rng.randint(1, 3), "whitespace")
    for gap in anatomy.gaps:
        ways = [gap.text + " ", gap.text + "  ", *(way for way in ("\t", "\n") if way != gap.text)]
        yield gap.becomes(rng.choice(ways), "whitespace")
    yield anatomy.insertion(len(anatomy.text), rng.choice([" ", "  ", "\n"]), "whitespace")


def punctuation(anatomy: Anatomy, rng: Random) -> Iterator[Edit]:
    """Marks are dropped, repeated or taken for another, apostrophes forgotten, the last mark added."""
    for mark in anatomy.marks:
        yield mark.becomes(rng.choice(_other_marks(mark)), "punctuation")
    for word in anatomy.words:
        bare = word.text.translate(_NO_APOSTROPHES)
        if bare != word.text:
            yield word.becomes(bare, "punctuation")
    end = len(anatomy.text.rstrip())
    if anatomy.text[end - 1 : end].isalnum():
        yield anatomy.insertion(end, rng.choice(["?", "!", ".", "..."]), "punctuation")


def _other_marks(mark: Place) -> list[str]:
    ways = ["", ""]
    if len(mark.text) < _ROW:
        ways.append(mark.text + mark.text[-1])
    if mark.text == "?":
        ways += [".", "?!"]
    return ways


def speech(anatomy: Anatomy, _: Random) -> Iterator[Edit]:
    """As a transcript of speech: no marks, no capitals where sentences begin, one line."""
    for mark in anatomy.marks:
        yield mark.becomes("", "speech")
    for word in anatomy.beginnings:
        new = word.text[0].lower() + word.text[1:]
        if new != word.text and new.casefold() == word.text.casefold():
            yield word.becomes(new, "speech")
    for gap in anatomy.gaps:
        if "\n" in gap.text:
            yield gap.becomes(" ", "speech")


def truncated(anatomy: Anatomy, rng: Random) -> Iterator[Edit]:
    """The end is missing: cut behind a word, in the second half where that is possible."""
    text = anatomy.text
    ends = [match.end() for match in re.finditer(r"\S+", text)][:-1]
    cuts = [end for end in ends[LEAST_WORDS - 1 :] if not anatomy.touches(end, end)]
    late = [end for end in cuts if 2 * end >= len(text)]
    if cuts:
        cut = rng.choice(late or cuts)
        yield Place(cut, len(text), text[cut:]).becomes("", "truncated")
