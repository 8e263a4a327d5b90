"""A time limit for code in the main thread, by the operating system's timer."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

from pytest_llmrel.errors import RunTimeout

__all__ = ["can_interrupt", "time_limit"]

_AGAIN = 1.0
"""Seconds until code that swallowed the first interruption gets the next."""


def can_interrupt() -> bool:
    """Whether the calling thread can be interrupted by a timer: POSIX, main thread only."""
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise :class:`RunTimeout` in the block once ``seconds`` have passed.

    A timer that someone else has set (SIGALRM) is put back afterwards, with the time it had left.
    """
    over = False

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if not over:
            raise RunTimeout(f"the run took longer than {seconds:g} s")

    handler = signal.signal(signal.SIGALRM, interrupt)
    began = monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (monotonic() - began), 0.001), interval)
