"""Kindness to providers: how many calls a host gets at once, after it has said that it is too many.

Additive increase, multiplicative decrease (Chiu and Jain 1989), as TCP does it. Nothing is limited before a
host has answered 429.
"""

import math
import threading
from collections.abc import Callable
from time import monotonic

__all__ = ["LONGEST_PAUSE", "Throttle"]

LONGEST_PAUSE = 60.0
"""Seconds that a host may ask for with ``Retry-After``; the 429 of whoever wants more is passed on."""
_POLL = 0.01
"""Seconds after which a call that waits for another one to end looks again."""


class Throttle:
    """The calls in flight to one host. Thread-safe; decides, and waits for nothing itself.

    Attributes:
        limit: most calls in flight; infinite until the host complains.
        in_flight: calls that were admitted and have not ended.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pause_until = -math.inf
        self._lowered = -math.inf
        self.limit = math.inf
        self.in_flight = 0

    def admit(self, *, holds_one: bool = False) -> float:
        """Admit one more call: 0, or the seconds after which to ask again.

        Args:
            holds_one: whether who asks has a call in flight already; it might wait for itself for ever.
        """
        with self._lock:
            pause = self._pause_until - self._clock()
            if pause > 0:
                return pause
            if self.in_flight + 1 > self.limit and not holds_one:
                return _POLL
            self.in_flight += 1
            return 0.0

    def release(self) -> None:
        """An admitted call has ended, whichever way."""
        with self._lock:
            self.in_flight -= 1

    def accepted(self) -> None:
        """The host did not complain: one more at once, after as many calls as are allowed now."""
        with self._lock:
            self.limit += 1 / self.limit

    def refused(self, began: float, pause: float) -> None:
        """The host answered 429: half as many from now on.

        Calls that had begun before the limit was lowered last tell nothing new.

        Args:
            began: when the call was sent, by this throttle's clock.
            pause: seconds that the host wants to be left alone, at least 0.
        """
        with self._lock:
            now = self._clock()
            self._pause_until = max(self._pause_until, now + min(pause, LONGEST_PAUSE))
            if began >= self._lowered:
                self._lowered = now
                self.limit = max(1.0, min(self.limit, self.in_flight) / 2)
