"""Groups failures that are the same, as they come in, so that one sample of each kind is kept."""

import re
from collections import Counter

from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureGroup, FailureKey

__all__ = ["MOST_GROUPS", "FailureLog", "normalise"]

MOST_GROUPS = 50
"""Kinds of failure kept apart; the rest share one group, so that hostile messages cannot fill the memory."""

_VOLATILE = re.compile(
    r"""(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<address>\b0x[0-9a-fA-F]+\b)"""
    r"""|(?P<id>\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\b)"""
    r"""|(?P<hash>\b(?=[0-9a-f]*\d[a-f])[0-9a-f]{7,}\b)"""
    r"""|(?P<number>\d+(?:\.\d+)?)"""
)
_LONGEST = 300


def normalise(message: str) -> str:
    """The first line of a message without what differs from run to run: quoted text, numbers, addresses."""
    first = next((line for line in message.splitlines() if line.strip()), "")
    short = _VOLATILE.sub(lambda match: f"<{match.lastgroup}>", first[:_LONGEST])
    return " ".join(short.split())


class FailureLog:
    """Counts failures by kind; keeps the evidence of the first of each.

    Not thread-safe: one thread at a time records.
    """

    def __init__(self) -> None:
        self._counts: Counter[FailureKey] = Counter()
        self._variants: dict[FailureKey, Counter[str]] = {}
        self._evidence: dict[FailureKey, tuple[tuple[int, str, str], Evidence]] = {}

    def record(self, failure: Failure, attempt: Attempt) -> None:
        """Count one failure; of each kind the one with the lowest run number is described.

        So the sample does not depend on which run ended first. Runs end nearly in order, hence few are
        described in vain.
        """
        key = self._kind(failure)
        if self.wants(failure, attempt):
            self._evidence[key] = (_place(attempt), failure.describe())
        self._counts[key] += 1
        self._variants.setdefault(key, Counter())[attempt.variant.text] += 1

    def wants(self, failure: Failure, attempt: Attempt) -> bool:
        """Whether it would be described if it were recorded now."""
        key = self._kind(failure)
        return key not in self._evidence or _place(attempt) < self._evidence[key][0]

    def _kind(self, failure: Failure) -> FailureKey:
        key = failure.key
        if key not in self._counts and len(self._counts) >= MOST_GROUPS:
            return FailureKey(key.outcome, "various", "", "failures of other kinds")
        return key

    def groups(self) -> tuple[FailureGroup, ...]:
        """All kinds, most frequent first; the order does not depend on which run ended first."""
        return tuple(
            FailureGroup(key, count, dict(sorted(self._variants[key].items())), self._evidence[key][1])
            for key, count in sorted(self._counts.items(), key=_by_frequency)
        )


def _place(attempt: Attempt) -> tuple[int, str, str]:
    return attempt.run, attempt.case, attempt.variant.key


def _by_frequency(counted: tuple[FailureKey, int]) -> tuple[int, str, str, str, str]:
    key, count = counted
    return -count, key.outcome, key.location, key.type, key.message
