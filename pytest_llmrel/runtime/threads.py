"""Daemon threads that are used again: one that hangs is left behind, and blocks nobody's exit."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic

__all__ = ["ThreadTeam"]

_Job = Callable[[], Callable[[], None]]
"""Returns how to hand over what was made; that may lead to another job, so the thread counts as idle then."""
_PATIENCE = 0.3
"""Seconds in which the threads that have nothing to do go home."""


class ThreadTeam:
    """As many threads as there were jobs at once; neither they nor what they return may raise.

    Unlike those of ``concurrent.futures`` they are no obstacle for the interpreter to exit.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)

    def submit(self, job: _Job) -> None:
        """Hand ``job`` to an idle thread, or to a new one."""
        if not self._idle.acquire(blocking=False):
            name = f"llmrel-run-{len(self._threads)}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._jobs.put(job)

    def close(self) -> None:
        """Send the threads home; those that are still at work are left behind."""
        for _ in self._threads:
            self._jobs.put(None)
        deadline = monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            hand_over = job()
            self._idle.release()
            hand_over()
