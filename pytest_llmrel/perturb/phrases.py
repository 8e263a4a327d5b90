"""Perturbations that add words without content; their phrases are English."""

from collections.abc import Iterator
from random import Random

from pytest_llmrel.perturb.anatomy import Anatomy
from pytest_llmrel.perturb.edits import Edit
from pytest_llmrel.perturb.signs import CLOSERS, ENDS

__all__ = ["distractor", "filler", "polite"]

_FILLERS = ("um, ", "uh, ", "like, ", "you know, ", "well, ", "so, ", "basically, ")
_HESITATIONS = ("Um... ", "Well... ", "So... ", "Okay, so... ", "Hmm... ")
_GREETINGS = ("Hi! ", "Hello! ", "Hi there! ", "Good morning! ", "Hello, I hope you are well. ")
_COURTESIES = (
    "thanks",
    "thank you",
    "thank you very much",
    "thanks in advance",
    "please let me know, thanks",
    "please and thank you",
)
_ASIDES = (
    "it is raining here today",
    "my neighbour is mowing the lawn",
    "we are having soup for dinner",
    "my cat is asleep on the sofa",
    "the train was late again",
)


def filler(anatomy: Anatomy, rng: Random) -> Iterator[Edit]:
    """Words that only gain time, in English: before the first word, and between any two."""
    if not anatomy.says_something:
        return
    yield anatomy.insertion(0, rng.choice(_HESITATIONS), "filler")
    for gap in anatomy.gaps:
        yield anatomy.insertion(gap.end, rng.choice(_FILLERS), "filler")


def polite(anatomy: Anatomy, rng: Random) -> Iterator[Edit]:
    """A greeting in front and thanks behind, in English."""
    if not anatomy.says_something:
        return
    yield anatomy.insertion(0, rng.choice(_GREETINGS), "polite")
    thanks = rng.choice(_COURTESIES)
    end = len(anatomy.text.rstrip())
    closing = f" {thanks.capitalize()}!" if _ends(anatomy.text) else f", {thanks}"
    yield anatomy.insertion(end, closing, "polite")


def distractor(anatomy: Anatomy, rng: Random) -> Iterator[Edit]:
    """A sentence that has nothing to do with the rest, in English: in front and behind."""
    if not anatomy.says_something:
        return
    first, last = rng.sample(_ASIDES, 2)
    yield anatomy.insertion(0, f"By the way, {first}. ", "distractor")
    stop = "" if _ends(anatomy.text) else "."
    yield anatomy.insertion(len(anatomy.text.rstrip()), f"{stop} By the way, {last}.", "distractor")


def _ends(text: str) -> bool:
    """Whether the last sentence has an end."""
    return text.rstrip(f" \t\r\n{CLOSERS}").endswith(tuple(ENDS))
