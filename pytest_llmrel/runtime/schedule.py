"""Which attempts to start, and when it is over: decides, and does no I/O."""

from collections.abc import Sequence

from pytest_llmrel.core.model import Attempt

__all__ = ["Schedule"]


class Schedule:
    """Hands out attempts in order, never more at once than ``concurrency``.

    Laws: an attempt is handed out at most once; no more than ``concurrency`` are ever in flight;
    nothing is handed out beyond what ``allow`` has allowed last, and after ``stop`` nothing at all.

    Attributes:
        stop_reason: why it was stopped early, ``""`` if it was not.
    """

    def __init__(self, attempts: Sequence[Attempt], concurrency: int) -> None:
        self._attempts = attempts
        self._concurrency = concurrency
        self._in_flight = 0
        self._started = 0
        self._last = self._allowed = len(attempts)
        self.stop_reason = ""

    def start(self, most: int) -> list[Attempt]:
        """The attempts to start now, ``most`` of them at most."""
        first = self._started
        allowed = min(most, self._last - first, self._allowed - first)
        room = max(0, min(self._concurrency - self._in_flight, allowed))
        self._in_flight += room
        self._started += room
        return [self._attempts[place] for place in range(first, first + room)]

    def allow(self, total: int) -> None:
        """Start no more than ``total`` attempts all together, for now.

        Whoever holds attempts back has to allow more, or stop, when the last one in flight has ended.
        """
        self._allowed = total

    def finish(self) -> None:
        """One of the attempts in flight has ended."""
        self._in_flight -= 1

    def stop(self, reason: str) -> None:
        """Start nothing more; the first reason given is kept."""
        self.stop_reason = self.stop_reason or reason
        self._last = self._started

    @property
    def finished(self) -> bool:
        """Whether nothing is in flight and nothing is left to start."""
        return self._started == self._last and not self._in_flight
