"""The counts that the rates of a test are computed from, and can be computed from again."""

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Counted", "Outcomes"]


class Outcomes(NamedTuple):
    """Valid runs of one case in one wording, by outcome; each count is at least 0."""

    case: str
    variant: str
    passed: int
    failed: int
    abstained: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of a test.

    Attributes:
        cells: of every case and wording that was planned, in that order; zeros where no run was valid.
        injected_errors: runs that ended in an error after a fault that was injected.
    """

    cells: tuple[Outcomes, ...]
    injected_errors: int
