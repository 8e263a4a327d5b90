"""What every scorer of faithfulness takes and gives: claims, each with what the context says of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

__all__ = ["Claim", "Faithfulness", "Scorer", "Support"]


class Support(StrEnum):
    """What the context says of one claim."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    AMBIGUOUS = "ambiguous"
    """The scorer cannot tell. It counts against the answer, and is shown."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of an answer.

    Attributes:
        text: the statement, as the answer has it or as a judge put it.
        support: what the context says of it.
        reason: why, in words for a person; ``""`` where there is nothing to add.
        quote: the evidence, verbatim from the context; ``""`` without any.
    """

    text: str
    support: Support
    reason: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How far one answer stays inside its context.

    Attributes:
        score: from 0 (nothing is supported) to 1 (everything is); ``None`` where it does not apply,
            because the answer claims nothing or the scorer got no usable judgement. It is never 0 or 1 for
            want of claims.
        claims: every claim of the answer, in its order.
        scorer: the name of the scorer.
        reason: why there is no score; ``""`` with one.
    """

    score: float | None
    claims: tuple[Claim, ...]
    scorer: str
    reason: str = ""


@runtime_checkable
class Scorer(Protocol):
    """Gives a faithfulness to an answer.

    A scorer holds settings only and may be shared by threads: whatever it finds is in what it returns.

    Attributes:
        name: how it is called in reports, gates and baselines.
    """

    @property
    def name(self) -> str:
        """How the scorer is called in reports, gates and baselines."""

    def score(self, answer: str, context: str, question: str = "") -> Faithfulness:
        """Returns how far ``answer`` stays inside ``context``.

        Args:
            answer: what the model said.
            context: everything it was given to know.
            question: what it was asked; no evidence for anything.
        """
