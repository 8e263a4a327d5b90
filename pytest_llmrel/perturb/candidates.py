"""What a hunt tries: the perturbations one by one, then compositions of them."""

from collections.abc import Iterator, Mapping
from random import Random

from pytest_llmrel.perturb.anatomy import Anatomy
from pytest_llmrel.perturb.edits import Edit, apply_edits, compatible
from pytest_llmrel.perturb.perturbation import Perturbation
from pytest_llmrel.perturb.registry import generator_of

__all__ = ["waves"]

_WAVES = 40
_ALONE = 4
"""So many waves try each perturbation alone, each time with other luck."""
_COMPOSED = 5
"""Compositions per wave."""


def waves(text: str, seed: int, known: Mapping[str, Perturbation]) -> Iterator[list[tuple[Edit, ...]]]:
    """Sets of edits to try, in waves, each set with a wording of its own; at last there are no more.

    A perturbation is tried with all of its edits: if one of them breaks the answer, the whole does.
    """
    anatomy, tried = Anatomy(text), {text}
    for wave in range(_WAVES):
        rng = generator_of(f"hunt, wave {wave}", seed)
        parts = {name: found.edits(anatomy, rng) for name, found in known.items()}
        sets = list(parts.values()) if wave < _ALONE else list(_compositions(parts, rng))
        fresh = []
        for edits in sets:
            wording = apply_edits(text, edits)
            if wording not in tried:
                tried.add(wording)
                fresh.append(edits)
        if fresh:
            yield fresh


def _compositions(parts: Mapping[str, tuple[Edit, ...]], rng: Random) -> Iterator[tuple[Edit, ...]]:
    """Two or three perturbations at a time; what collides gives way to what comes first."""
    able = [edits for edits in parts.values() if edits]
    for _ in range(_COMPOSED if len(able) > 1 else 0):
        chosen = rng.sample(able, min(len(able), rng.choice([2, 2, 3])))
        yield compatible(edit for edits in chosen for edit in edits)
