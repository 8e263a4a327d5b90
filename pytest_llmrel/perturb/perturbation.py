"""What a perturbation is: a name, what it promises, and the edits that it consists of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from pytest_llmrel.perturb.anatomy import Anatomy
from pytest_llmrel.perturb.edits import Edit, apply_edits, compatible

__all__ = ["Perturbation"]


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One way in which people write the same thing differently.

    Attributes:
        name: by which it is asked for.
        invariant: what it leaves as it is, in one sentence.
        find: the atomic edits that are possible in a text, with the luck of a generator.
        share: of the edits that `apply` makes, from 0 (a single one) to 1 (all of them).
    """

    name: str
    invariant: str
    find: Callable[[Anatomy, Random], Iterable[Edit]]
    share: float = 1.0

    def edits(self, text: str | Anatomy, rng: Random) -> tuple[Edit, ...]:
        """All atomic edits of a text, in its order: any of them can be applied without the others.

        Returns:
            None only if the perturbation can change nothing in this text.
        """
        anatomy = text if isinstance(text, Anatomy) else Anatomy(text)
        return compatible(self.find(anatomy, rng))

    def apply(self, text: str, rng: Random) -> str:
        """The text with some of the edits.

        Returns:
            A text that differs, or the very text if nothing in it can be changed.
        """
        edits = self.edits(text, rng)
        if self.share < 1 and edits:
            edits = tuple(rng.sample(edits, max(1, round(self.share * len(edits)))))
        result = apply_edits(text, edits)
        return result if result != text or not edits else apply_edits(text, edits[:1])
