"""What every scorer of faithfulness takes and gives: an answer and its context in, judged claims out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

__all__ = ["Claim", "Faithfulness", "Scorer", "Support"]


class Support(StrEnum):
    """What a context says of a claim."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of an answer; untrusted text, to be made printable where it is shown.

    Attributes:
        text: the statement.
        support: what the context says of it; an ambiguous claim counts against the answer.
        reason: why it is not supported, in words.
        quote: the evidence, verbatim from the context, or ``""``.
    """

    text: str
    support: Support
    reason: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """What a scorer found.

    Attributes:
        score: supported claims over all claims, 0 to 1; ``None`` where that is not applicable.
        claims: that were found in the answer.
        scorer: name of the scorer.
        reason: why there is no score, or what is to be known of it.
    """

    score: float | None
    claims: tuple[Claim, ...]
    scorer: str
    reason: str = ""


class Scorer(Protocol):
    """Gives an answer a score; keeps nothing of it, and may be called from many threads."""

    @property
    def name(self) -> str:
        """By which results and reports call it; read-only, for scorers are frozen."""
        ...

    def score(self, answer: str, context: str, question: str = "") -> Faithfulness:
        """Say whether ``answer``, given to ``question``, stays inside ``context``."""
        ...
