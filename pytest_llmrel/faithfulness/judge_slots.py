"""How many requests to a judge are under way at most: one count for threads and event loops together.

A semaphore of ``threading`` would block a loop, one of ``asyncio`` belongs to one loop; here whoever must
wait holds a future, which both can wait for.
"""

import threading
from collections import deque
from collections.abc import AsyncIterator, Hashable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager

__all__ = ["Slots", "slots_of"]


class Slots:
    """A count of free places, given out in the order in which they were asked for.

    Args:
        most: how many there are, at least 1.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold a place in this block; the thread waits for it."""
        place: Future[None] = Future()
        try:
            self._ask(place)
            place.result()
            yield
        finally:
            self._leave(place)

    @asynccontextmanager
    async def aheld(self) -> AsyncIterator[None]:
        """Hold a place in this block; the task waits for it, whatever its loop."""
        import asyncio

        place: Future[None] = Future()
        try:
            self._ask(place)
            await asyncio.wrap_future(place)
            yield
        finally:
            self._leave(place)

    def _ask(self, place: "Future[None]") -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                place.set_result(None)
            else:
                self._waiting.append(place)

    def _leave(self, place: "Future[None]") -> None:
        """Pass a place on, or give up waiting for one: whoever is interrupted may have just been given it."""
        with self._lock:
            if place.cancel():  # it was not given yet, and who comes by will see that
                return
            while self._waiting:
                if self._give(self._waiting.popleft()):
                    return
            self._free += 1

    @staticmethod
    def _give(place: "Future[None]") -> bool:
        if not place.set_running_or_notify_cancel():
            return False
        place.set_result(None)
        return True


_slots: dict[Hashable, Slots] = {}
_lock = threading.Lock()


def slots_of(judge: Hashable, most: int) -> Slots:
    """The places of a judge in this process; equal judges, made anew in every run, share them."""
    with _lock:
        return _slots.setdefault(judge, Slots(most))
