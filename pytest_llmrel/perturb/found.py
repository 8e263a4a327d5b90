"""What a hunt finds: values for reports and files."""

from dataclasses import dataclass

from pytest_llmrel.perturb.edits import Edit
from pytest_llmrel.perturb.observed import Counts

__all__ = ["Broken", "HuntResult"]


@dataclass(frozen=True, slots=True)
class Broken:
    """A wording that passes less often than the primary one.

    Attributes:
        wording: the text.
        counts: of its runs.
        edits: that make it of the primary wording, in the order of the text.
        evidence: e-value of its pass rate being lower; the hunt asks for the number of wordings it may
            look at, divided by its level.
    """

    wording: str
    counts: Counts
    edits: tuple[Edit, ...]
    evidence: float


@dataclass(frozen=True, slots=True)
class HuntResult:
    """What a hunt found.

    Attributes:
        primary: the wording that it began with.
        counts: of its runs.
        broken: the wording with the fewest edits that is shown to break; ``None`` if none is shown to.
        shrunk: none of its edits can be left out: without any one, it was let go. If not, the budget
            ended before that was settled, and fewer edits may do.
        calls: that were spent.
        wordings: that were looked at besides the primary one.
        remark: why nothing could be found, or the search was too short to say that there is nothing; ``""``
            if neither is so.
    """

    primary: str
    counts: Counts
    broken: Broken | None
    shrunk: bool
    calls: int
    wordings: int
    remark: str
