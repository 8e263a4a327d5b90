"""Perturbations of letters: case, typos, and the look-alikes of Unicode."""

from collections.abc import Iterator
from random import Random

from pytest_llmrel.perturb.anatomy import Anatomy
from pytest_llmrel.perturb.edits import Edit
from pytest_llmrel.perturb.signs import CURLY, LOOK_ALIKES

__all__ = ["case", "typos", "unicode"]

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LEAST_LETTERS = 3
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_WIDE_WORDS = 0.3
"""Share of the words that become full-width; all of them would be another language."""


def case(anatomy: Anatomy, rng: Random) -> Iterator[Edit]:
    """All words in lower case, in capitals, or each with a capital; an edit per word."""
    lower, upper, title = (
        [
            word.becomes(new, "case")
            for word in anatomy.words
            if (new := turn(word.text)) != word.text and new.casefold() == word.text.casefold()
        ]
        for turn in (str.lower, str.upper, str.capitalize)
    )
    ways = [(way, weight) for way, weight in ((lower, 7), (upper, 2), (title, 1)) if way]
    if ways:
        yield from rng.choices([way for way, _ in ways], [weight for _, weight in ways])[0]


def typos(anatomy: Anatomy, rng: Random) -> Iterator[Edit]:
    """A slip in each word of three letters or more; the first letter stays."""
    for word in anatomy.words:
        if sum(letter.isalpha() for letter in word.text) >= _LEAST_LETTERS:
            yield word.becomes(_slip(word.text, rng), "typos")


def _slip(word: str, rng: Random) -> str:
    slips = [_neighbour, _double, _drop, _swap]
    rng.shuffle(slips)
    places = [place for place in range(1, len(word)) if word[place].isalpha()]
    rng.shuffle(places)
    for slip in slips:
        for place in places:
            new = slip(word, place, rng)
            if new != word:
                return new
    raise AssertionError("a letter can always be doubled")


def _neighbour(word: str, place: int, rng: Random) -> str:
    """The key beside the right one, on a QWERTY keyboard; other letters stay."""
    letter = word[place]
    row = next((row for row in _ROWS if letter.lower() in row), "")
    if not row:
        return word
    at = row.index(letter.lower())
    beside = rng.choice(row[max(0, at - 1) : at] + row[at + 1 : at + 2])
    return word[:place] + (beside.upper() if letter.isupper() else beside) + word[place + 1 :]


def _double(word: str, place: int, _: Random) -> str:
    return word[: place + 1] + word[place:]


def _drop(word: str, place: int, _: Random) -> str:
    return word[:place] + word[place + 1 :]


def _swap(word: str, place: int, _: Random) -> str:
    pair = word[place : place + 2]
    return word[:place] + pair[::-1] + word[place + 2 :] if pair.isalpha() else word


def unicode(anatomy: Anatomy, rng: Random) -> Iterator[Edit]:
    """No-break spaces, curly apostrophes, full-width letters and marks, an ellipsis of one character."""
    for gap in anatomy.gaps:
        if gap.text == " ":
            yield gap.becomes("\u00a0", "unicode")
    for mark in anatomy.marks:
        if new := LOOK_ALIKES.get(mark.text):
            yield mark.becomes(new, "unicode")
    wide = []
    for word in anatomy.words:
        if "'" in word.text:
            yield word.becomes(word.text.replace("'", CURLY), "unicode")
        elif word.text.isascii():
            wide.append(word.becomes(word.text.translate(_FULL_WIDTH), "unicode"))
    if wide:
        yield from rng.sample(wide, max(1, round(_WIDE_WORDS * len(wide))))
