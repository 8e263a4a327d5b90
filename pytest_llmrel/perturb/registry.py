"""The perturbations by name: ours, and those of users."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from random import Random
from types import MappingProxyType
from typing import Any

from pytest_llmrel.errors import PerturbationError
from pytest_llmrel.perturb.anatomy import Anatomy
from pytest_llmrel.perturb.edits import Edit, edits_between
from pytest_llmrel.perturb.letters import case, typos, unicode
from pytest_llmrel.perturb.perturbation import Perturbation
from pytest_llmrel.perturb.phrases import distractor, filler, polite
from pytest_llmrel.perturb.spacing import LEAST_WORDS, punctuation, speech, truncated, whitespace

__all__ = ["PERTURBATIONS", "edits_of", "generator_of", "perturbation", "perturbed", "with_own"]

_FACTS = "numbers, dates, names, identifiers, addresses and quoted text stay as they are"

PERTURBATIONS: Mapping[str, Perturbation] = MappingProxyType(
    {
        found.name: found
        for found in (
            Perturbation("case", f"Only the case of letters changes; {_FACTS}.", case),
            Perturbation("whitespace", f"Only white space changes; {_FACTS}.", whitespace, 0.5),
            Perturbation("typos", f"Words keep their first letter; {_FACTS}.", typos, 0.25),
            Perturbation("punctuation", f"Letters and spaces stay; {_FACTS}.", punctuation, 0.6),
            Perturbation(
                "unicode", f"It reads the same after NFKC, but for apostrophes; {_FACTS}.", unicode, 0.5
            ),
            Perturbation("filler", f"Words are only added; {_FACTS}.", filler, 0.2),
            Perturbation("polite", f"Words are only added, at both ends; {_FACTS}.", polite),
            Perturbation("distractor", f"A sentence is only added, at an end; {_FACTS}.", distractor, 0.5),
            Perturbation(
                "truncated",
                f"What is left is a beginning of at least {LEAST_WORDS} words, cut between words and never "
                "inside a number, date, name, identifier, address or quotation.",
                truncated,
            ),
            Perturbation(
                "speech", f"The words stay, but for capitals where sentences begin; {_FACTS}.", speech
            ),
        )
    }
)
"""Ours, in the order in which they are tried; read-only. The phrases of ``filler``, ``polite`` and
``distractor`` are English."""


def perturbed(text: str, name: str, seed: int, known: Mapping[str, Perturbation] = PERTURBATIONS) -> str:
    """The text with one perturbation: the same in every process for the same seed.

    Args:
        text: a wording.
        name: of a perturbation.
        seed: any integer; another one gives another result, where there is more than one.
        known: the perturbations that there are.

    Returns:
        A text that differs, or an equal one if there is nothing that the perturbation could change.

    Raises:
        PerturbationError: no such perturbation; or one of the user's own failed.
    """
    return perturbation(name, known).apply(text, generator_of(name, seed))


def edits_of(
    name: str, text: str, rng: Random, known: Mapping[str, Perturbation] = PERTURBATIONS
) -> tuple[Edit, ...]:
    """The atomic edits of one perturbation: any subset of them can be given to ``apply_edits``.

    Args:
        name: of a perturbation.
        text: a wording.
        rng: decides among the edits that are possible at the same place.
        known: the perturbations that there are.

    Returns:
        In the order of the text; none if there is nothing that the perturbation could change.

    Raises:
        PerturbationError: no such perturbation; or one of the user's own failed.
    """
    return perturbation(name, known).edits(text, rng)


def generator_of(name: str, seed: int) -> Random:
    """The luck of one perturbation with one seed; a string as seed is hashed without salt."""
    return Random(f"{name}:{seed}")  # noqa: S311  luck, not a secret


def perturbation(name: str, known: Mapping[str, Perturbation] = PERTURBATIONS) -> Perturbation:
    """The perturbation of that name.

    Raises:
        PerturbationError: there is none; the text lists those that there are.
    """
    found = known.get(name)
    if found is None:
        close = get_close_matches(str(name), known, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise PerturbationError(f"no perturbation {name!r}: {hint}there are {', '.join(known)}")
    return found


def with_own(own: Mapping[str, Callable[[str, Random], str]]) -> Mapping[str, Perturbation]:
    """Our perturbations and those of users behind them.

    Their edits are found by comparing the text with the result, word by word. They promise nothing
    about names and numbers; what they give must be text, and the same again for the same seed.

    Args:
        own: name -> function of a text and a generator that gives another text, or the same one if
            there is nothing to change.

    Raises:
        PerturbationError: names or functions that will not do, all of them.
    """
    problems = list(_problems(own))
    if problems:
        raise PerturbationError(*problems)
    return MappingProxyType({**PERTURBATIONS, **{name: _own(name, own[name]) for name in own}})


def _problems(own: Mapping[Any, Any]) -> Iterator[str]:
    for name, function in own.items():
        if not isinstance(name, str) or not name.replace("-", "_").isidentifier():
            yield f"a perturbation cannot be called {name!r}; write letters, digits, - and _"
        elif name in PERTURBATIONS:
            yield f"there is a perturbation {name!r} already; call yours differently"
        if not callable(function):
            yield f"perturbation {name!r} is {function!r}; write a function of a text and a random.Random"


def _own(name: str, function: Callable[[str, Random], str]) -> Perturbation:
    def find(anatomy: Anatomy, rng: Random) -> Iterable[Edit]:
        return edits_between(anatomy.text, _result(name, function, anatomy.text, rng), name)

    return Perturbation(name, "The user's own; it promises nothing.", find)


def _result(name: str, function: Callable[[str, Random], str], text: str, rng: Random) -> str:
    seed = rng.getrandbits(64)
    try:
        result, again = (function(text, generator_of(name, seed)) for _ in range(2))
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise PerturbationError(f"perturbation {name!r} failed on {text[:80]!r}: {what}") from error
    if not isinstance(result, str):
        raise PerturbationError(
            f"perturbation {name!r} gave {result!r} for {text[:80]!r}; it must give a text"
        )
    if result != again:
        raise PerturbationError(
            f"perturbation {name!r} gave two results for the same text and seed; "
            "draw from the generator that it is given, and from nothing else"
        )
    return result
