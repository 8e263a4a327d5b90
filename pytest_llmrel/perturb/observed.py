"""What a hunt has seen of each wording, and what that shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log

from pytest_llmrel.stats.intervals import wilson
from pytest_llmrel.stats.lower import evidence_lower

__all__ = ["Counts", "Observed"]

_BROKEN_SHARE = 0.3
"""A wording that breaks is presumed to pass that much as often as the primary one."""
_DENIED = log(10)
"""How much likelier the primary's pass rate must be than the presumed one, to deny what was shown."""
_LEAST_FAILURES = 3
"""Fewer failures are no break, however rare they are in the primary wording."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Runs of one wording: ``passed`` of ``n``."""

    passed: int = 0
    n: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.n + other.n)

    @property
    def failed(self) -> int:
        """Runs that did not pass."""
        return self.n - self.passed

    @property
    def rate(self) -> float | None:
        """Share of passes, 0 to 1; ``None`` without a run."""
        return self.passed / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson 95 % of the share, as if the number of runs had been fixed; ``None`` without a run."""
        return wilson(self.passed, self.n) if self.n else None

    @property
    def expected(self) -> float:
        """The share with one pass and one failure added, which is never 0 or 1 (Laplace)."""
        return (self.passed + 1) / (self.n + 2)


class Observed:
    """The counts of all wordings: they add up, so that no wording is judged from scratch twice.

    Args:
        primary: the wording that the others are compared with.
        wordings: how many others may be looked at; each has an equal share of the level.
        alpha: chance of calling any of them lower, if none is: 0 to 1.
    """

    def __init__(self, primary: str, wordings: int, alpha: float) -> None:
        self._primary = primary
        self._counts = {primary: Counts()}
        self._bar = wordings / alpha
        self._most = wordings
        self._shown: set[str] = set()

    def add(self, wording: str, counts: Counts) -> None:
        """Add runs of a wording."""
        self._counts[wording] = self.of(wording) + counts

    def of(self, wording: str) -> Counts:
        """The counts of a wording; none if it was never looked at."""
        return self._counts.get(wording, Counts())

    @property
    def primary(self) -> Counts:
        """Those of the primary wording."""
        return self._counts[self._primary]

    @property
    def wordings(self) -> int:
        """How many others were looked at."""
        return len(self._counts) - 1

    def admitted(self, wordings: Iterable[str]) -> tuple[str, ...]:
        """Those that may be looked at: known ones, and others while a share of the level is left."""
        found: list[str] = []
        left = self._most - self.wordings
        for wording in wordings:
            is_known = wording in self._counts
            if is_known or left > 0:
                found.append(wording)
                left -= not is_known
        return tuple(found)

    def evidence(self, wording: str, more: Counts = Counts()) -> float:
        """The e-value of its pass rate being below the primary's, if these runs came to what is known."""
        here, counts = self.primary, self.of(wording) + more
        return evidence_lower(here.passed, here.n, counts.passed, counts.n)

    def breaks(self, wording: str, more: Counts = Counts()) -> bool:
        """Whether it was shown to pass less often than the primary wording, and later runs do not deny it.

        By Bonferroni over all wordings that may be looked at, the chance that this is ever said of one
        that is no worse is at most ``alpha``.
        """
        if wording not in self._shown:
            failed = self.of(wording).failed + more.failed
            if failed < _LEAST_FAILURES or self.evidence(wording, more) < self._bar:
                return False
            if not more.n:
                self._shown.add(wording)
        return self.speaks_against(wording, self.presumed, more) < _DENIED

    def is_evident(self, wording: str) -> bool:
        """Whether all of its runs, not only those up to some moment, show that it breaks."""
        return self.evidence(wording) >= self._bar

    @property
    def presumed(self) -> float:
        """Pass rate of a wording that breaks, as long as nothing better is known: within (0, 1)."""
        return _BROKEN_SHARE * self.primary.expected

    def speaks_against(self, wording: str, broken: float, more: Counts = Counts()) -> float:
        """Logarithm of how much likelier its runs are with the primary's pass rate than with a broken one.

        Args:
            wording: the one that is suspected.
            broken: pass rate of a wording that breaks, within (0, 1).
            more: runs that might come to what is known.
        """
        counts, usual = self.of(wording) + more, self.primary.expected
        broken = min(broken, 0.9 * usual)
        return counts.passed * log(usual / broken) + counts.failed * log((1 - usual) / (1 - broken))
