"""What a run recorded of the quality of an answer, and what a whole test has of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Extreme", "JudgeId", "Score", "Scoring"]


class JudgeId(NamedTuple):
    """What makes a judge another judge: the model, and the hash of the prompt it is asked with."""

    model: str
    prompt_hash: str


@dataclass(frozen=True, slots=True)
class Score:
    """A number that a run recorded under a name.

    Attributes:
        name: under which its mean can be gated.
        value: of any size, may be non-finite; ``None`` where the scorer found it not applicable.
        scorer: who gave it, ``""`` for the test itself.
        judge: the model behind it, ``None`` without one.
        said: why it is not better, in words; untrusted text.
        text: that was scored; untrusted.
    """

    name: str
    value: float | None
    scorer: str = ""
    judge: JudgeId | None = None
    said: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Extreme:
    """The lowest or the highest value of a score: of several equal ones that of the first run.

    Attributes:
        value: as recorded.
        case: of the run.
        variant: text of its wording.
        run: its number.
        said: why it is not better.
        text: that was scored.
    """

    value: float
    case: str
    variant: str
    run: int
    said: str
    text: str


@dataclass(frozen=True, slots=True)
class Scoring:
    """What is known of one score beside its values.

    Attributes:
        scorers: who gave it, sorted.
        judges: the models behind it, sorted.
        not_applicable: why there was no value -> in how many runs.
        full: ``(runs with a value of at least 1, runs with a value)`` of each case.
        lowest: of the finite values; ``None`` without any.
        highest: of the finite values; ``None`` without any.
    """

    scorers: tuple[str, ...] = ()
    judges: tuple[JudgeId, ...] = ()
    not_applicable: Mapping[str, int] = field(default_factory=dict)
    full: tuple[tuple[int, int], ...] = ()
    lowest: Extreme | None = None
    highest: Extreme | None = None
