"""Which attempts to start, and when it is over: decides, and does no I/O."""

from collections import deque
from collections.abc import Iterable

from pytest_llmrel.core.model import Attempt

__all__ = ["Schedule"]


class Schedule:
    """Hands out attempts in order, never more at once than ``concurrency``.

    Laws: an attempt is handed out at most once; no more than ``concurrency`` are ever in flight;
    after ``stop`` nothing more is handed out.

    Attributes:
        stop_reason: why it was stopped early, ``""`` if it was not.
    """

    def __init__(self, attempts: Iterable[Attempt], concurrency: int) -> None:
        self._waiting = deque(attempts)
        self._concurrency = concurrency
        self._in_flight = 0
        self.stop_reason = ""

    def start(self) -> list[Attempt]:
        """The attempts to start now."""
        room = min(self._concurrency - self._in_flight, len(self._waiting))
        self._in_flight += max(room, 0)
        return [self._waiting.popleft() for _ in range(room)]

    def finish(self) -> None:
        """One of the attempts in flight has ended."""
        self._in_flight -= 1

    def stop(self, reason: str) -> None:
        """Start nothing more; the first reason given is kept."""
        self.stop_reason = self.stop_reason or reason
        self._waiting.clear()

    @property
    def finished(self) -> bool:
        """Whether nothing is in flight and nothing is left to start."""
        return not self._waiting and not self._in_flight
