"""Wordings made by perturbations of the primary one: the built-in ones, and the user's own by hook."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from pytest_llmrel.errors import PlanError

if TYPE_CHECKING:
    from pytest_llmrel.perturb.perturbation import Perturbation

__all__ = ["edited", "known_perturbations"]

_KNOWN = pytest.StashKey["Mapping[str, Perturbation]"]()
_TRIES: Final = 20
"""Seeds per wording that is wanted: short texts have few typos, and the same one may come twice."""


def edited(config: pytest.Config, text: str, *, names: Sequence[str], times: int | None) -> list[str]:
    """The text with each of these perturbations, the same in every session.

    Args:
        config: of the session, whose hooks may know more of them.
        text: the primary wording.
        names: of perturbations.
        times: different wordings per perturbation, or as many as there are; one if ``None``.

    Raises:
        PerturbationError: one is unknown, or one of the user's own failed.
        PlanError: the hook is wrong.
    """
    if not names:
        return []
    from pytest_llmrel.perturb.registry import perturbed

    known, wanted = known_perturbations(config), times or 1
    made: list[str] = []
    for name in names:
        found: dict[str, None] = {}
        for seed in range(wanted * _TRIES):
            if len(found) == wanted:
                break
            result = perturbed(text, name, seed, known)
            if result != text:
                found[result] = None
        made += found
    return made


def known_perturbations(config: pytest.Config) -> "Mapping[str, Perturbation]":
    """Ours, and those of the hook ``pytest_llmrel_perturbations``.

    Raises:
        PerturbationError: a name or a function that will not do.
        PlanError: an answer is no mapping.
    """
    known = config.stash.get(_KNOWN, None)
    if known is None:
        from pytest_llmrel.perturb.registry import with_own

        known = config.stash[_KNOWN] = with_own(_own(config))
    return known


def _own(config: pytest.Config) -> Mapping[str, Callable[[str, Random], str]]:
    own: dict[str, Callable[[str, Random], str]] = {}
    for answer in config.hook.pytest_llmrel_perturbations(config=config):
        if not isinstance(answer, Mapping):
            raise PlanError(f"hook pytest_llmrel_perturbations returned {answer!r}; it must be a dict")
        own |= answer
    return own
