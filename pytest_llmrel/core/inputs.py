"""What a test is run over: the rows of its dataset, and the wordings of its request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_llmrel.core.case import Case
from pytest_llmrel.core.model import Variant

__all__ = ["Inputs"]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a test is run over: the rows of its dataset, and the wordings of its request.

    Attributes:
        variants: the wordings; a single empty one without ``paraphrase``. Where each case has wordings of
            its own, all of them.
        argname: the argument that receives the wording, ``None`` without ``paraphrase``.
        cases: rows of the dataset, empty without ``golden``.
        case_argname: the argument that receives the case, ``None`` without ``golden``.
        own_variants: the wordings of each case by its id, where they differ from case to case.
        dataset: hash of the whole dataset, ``""`` without ``golden``.
    """

    variants: tuple[Variant, ...] = (Variant(),)
    argname: str | None = None
    cases: tuple[Case, ...] = ()
    case_argname: str | None = None
    own_variants: Mapping[str, tuple[Variant, ...]] = field(default_factory=dict)
    dataset: str = ""

    @property
    def tasks(self) -> list[tuple[str, Variant]]:
        """Id of the case, ``""`` without a dataset, and wording: each pair is run k times."""
        ids = [case.id for case in self.cases] or [""]
        return [(each, variant) for each in ids for variant in self.own_variants.get(each, self.variants)]

    @property
    def most_wordings(self) -> int:
        """Of the case that has most."""
        return max(map(len, self.own_variants.values()), default=len(self.variants))
