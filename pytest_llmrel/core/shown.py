"""What the runs of a test show beyond their counts: about a gate, between wordings, between cases."""

from dataclasses import dataclass

__all__ = ["Clustering", "Sensitivity", "Shown"]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the runs show about a gate with 95 % confidence, one-sided; at most one of the two.

    Attributes:
        met: that the bar is met.
        missed: that the bar is missed.
        can_miss: whether so many runs could show at all that the bar is missed.
        can_meet: whether they could show at all that it is met.
        method: how this was found, or why nothing can be shown.
    """

    met: bool
    missed: bool
    can_miss: bool
    can_meet: bool
    method: str

    @classmethod
    def nothing(cls, reason: str) -> "Shown":
        """Nothing can be shown; ``reason`` says why."""
        return cls(met=False, missed=False, can_miss=False, can_meet=False, method=reason)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How much the pass rate depends on the wording.

    Attributes:
        sd: standard deviation between wordings without the noise of few runs, 0..0.5.
        p: chance of a spread like this if the wording made no difference (permutation test).
        spread: highest minus lowest observed rate.
        noise_spread: what that would be on average if the wording made no difference.
        worst: key of the wording with the lowest rate.
        worst_rate: its rate, shrunken towards the others by as much as noise is to blame.
    """

    sd: float
    p: float
    spread: float
    noise_spread: float
    worst: str
    worst_rate: float


@dataclass(frozen=True, slots=True)
class Clustering:
    """How alike the runs of one case are, and what that costs.

    Attributes:
        cases: how many.
        icc: intraclass correlation of the runs of a case.
        design_effect: how many times more runs this takes than independent ones would.
        advice: ``"more cases"`` or ``"more runs"``, whichever narrows the interval more.
    """

    cases: int
    icc: float
    design_effect: float
    advice: str
