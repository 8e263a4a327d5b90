"""Which lane a call takes; a lane is a pool of a single connection, so that a free one is found in one step.

The pools of httpx look through all their connections when a call begins and when it ends, and so a call is
the dearer the more are in flight. Nothing is sent here: the transports do what this says.
"""

import threading
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

__all__ = ["Lanes"]

L = TypeVar("L", bound=Hashable)


class Lanes(Generic[L]):
    """The lanes of one transport, busy and idle; safe for threads.

    Args:
        make: a new lane; whether its connection is to be kept after a call.
        most: lanes there may be, ``None`` for any number; who takes one makes sure that not all are busy.
        most_kept: lanes that are kept after a call, ``None`` for any number.
        expiry: seconds after which an idle connection is of no use, ``None`` for never.
    """

    def __init__(
        self, make: Callable[[bool], L], most: int | None, most_kept: int | None, expiry: float | None
    ) -> None:
        self._make = make
        self._most = most
        self._most_kept = most_kept
        self._expiry = expiry
        self._kept: set[L] = set()
        self._passing: set[L] = set()
        self._idle: dict[Hashable, list[tuple[float, L]]] = {}
        self._lock = threading.Lock()

    def take(self, origin: Hashable) -> L:
        """A lane for a call to ``origin``: the one that was there last, as its connection is the freshest."""
        with self._lock:
            if origin in self._idle:
                return self._pop(origin, -1)
            if (longest := self._longest_idle()) is not None:
                return self._pop(longest, 0)  # its pool closes the connection to the other origin
            keeps = not self._is_keeping_enough
            lane = self._make(keeps)
            (self._kept if keeps else self._passing).add(lane)
            return lane

    def give(self, origin: Hashable, lane: L) -> None:
        """A call to ``origin`` is over, and its lane free."""
        with self._lock:
            if lane in self._kept:
                self._idle.setdefault(origin, []).append((monotonic(), lane))
            self._passing.discard(lane)

    def drop(self, lane: L) -> None:
        """A busy lane has failed, and nobody can tell what state it is in."""
        with self._lock:
            self._kept.discard(lane)
            self._passing.discard(lane)

    def clear(self) -> list[L]:
        """Every lane there was, busy ones included."""
        with self._lock:
            lanes = [*self._kept, *self._passing]
            for held in (self._kept, self._passing, self._idle):
                held.clear()
            return lanes

    def _pop(self, origin: Hashable, index: int) -> L:
        idle = self._idle[origin]
        _, lane = idle.pop(index)
        if not idle:
            del self._idle[origin]
        return lane

    def _longest_idle(self) -> Hashable | None:
        """The origin of the lane that was idle for longest, if that is to be used before another is made."""
        origin = min(self._idle, key=lambda origin: self._idle[origin][0][0], default=None)
        if origin is None:
            return None
        is_full = self._most is not None and len(self._kept) + len(self._passing) >= self._most
        since = self._idle[origin][0][0]
        is_stale = self._expiry is not None and monotonic() - since > self._expiry
        return origin if is_full or is_stale or self._is_keeping_enough else None

    @property
    def _is_keeping_enough(self) -> bool:
        return self._most_kept is not None and len(self._kept) >= self._most_kept
