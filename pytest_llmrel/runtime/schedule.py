"""Which attempts to start, and when it is over: decides, and does no I/O."""

from collections.abc import Collection, Sequence

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
        self._next = 0
        self._end = self._allowed = len(attempts)
        self._skipped = set[Attempt]()
        self.stop_reason = ""

    def start(self, most: int) -> list[Attempt]:
        """The attempts to start now, ``most`` of them at most."""
        room, last = min(most, self._concurrency - self._in_flight), min(self._end, self._allowed)
        started: list[Attempt] = []
        while len(started) < room and self._next < last:
            attempt = self._attempts[self._next]
            self._next += 1
            if attempt in self._skipped:
                self._skipped.remove(attempt)
            else:
                started.append(attempt)
        self._in_flight += len(started)
        return started

    @property
    def is_due(self) -> bool:
        """Whether an attempt could be started, if there were room for it."""
        return self._next < min(self._end, self._allowed) and self._in_flight < self._concurrency

    def skip(self, ended: Collection[Attempt]) -> None:
        """Leave out attempts that have ended before: they count as started, and are never handed out."""
        if ended:
            waiting = (self._attempts[place] for place in range(self._next, self._end))
            self._skipped.update(attempt for attempt in waiting if attempt in ended)

    def allow(self, total: int) -> None:
        """Start none but the first ``total`` attempts, for now.

        Whoever holds attempts back has to allow more, or stop, when the last one in flight has ended.
        """
        self._allowed = total

    def finish(self) -> None:
        """One of the attempts in flight has ended."""
        self._in_flight -= 1

    def stop(self, reason: str) -> None:
        """Start nothing more; the first reason given is kept."""
        self.stop_reason = self.stop_reason or reason
        self._end = self._next
        self._skipped.clear()

    @property
    def finished(self) -> bool:
        """Whether nothing is in flight and nothing is left to start."""
        return self._end - self._next == len(self._skipped) and not self._in_flight
