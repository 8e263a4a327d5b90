"""Two ways to execute attempts: in the calling thread, or in daemon threads that can be left behind."""

import sys
import threading
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType

from pytest_llmrel.core.model import Attempt, Sample
from pytest_llmrel.runtime.drive import Inbox

__all__ = ["Execute", "GiveUp", "InlineCrew", "Stack", "ThreadCrew"]

Execute = Callable[[Attempt], Sample]
Stack = list[tuple[FrameType, int]]
"""Frames with their current line, outermost first."""
GiveUp = Callable[[Attempt, Stack], Sample]


class InlineCrew:
    """One run at a time, in the calling thread; the time limit is the business of ``execute``."""

    limit: float | None = None

    def __init__(self, execute: Execute, inbox: Inbox) -> None:
        self._execute = execute
        self._inbox = inbox

    def start(self, attempt: Attempt) -> None:
        """Execute ``attempt`` now."""
        self._inbox.put(self._execute(attempt))

    def abandon(self, attempt: Attempt) -> None:  # noqa: ARG002  the interface of a crew
        """Nothing to give up: a run has ended when ``start`` returns."""
        return

    def stuck(self) -> str:
        """Never."""
        return ""

    def close(self, *, patient: bool) -> None:
        """Nothing to release."""


class ThreadCrew:
    """Runs in daemon threads, started as needed: one that hangs is left behind and blocks nobody's exit.

    Args:
        execute: runs an attempt to its sample.
        give_up: makes the sample of a run that is left behind, from where its thread is now.
        limit: seconds a run may take.
        stuck: see :meth:`Crew.stuck`.
    """

    def __init__(
        self,
        execute: Execute,
        give_up: GiveUp,
        inbox: Inbox,
        limit: float,
        stuck: Callable[[], str] = str,
    ) -> None:
        self.limit: float | None = limit
        self.stuck = stuck
        self._execute = execute
        self._give_up = give_up
        self._inbox = inbox
        self._jobs: SimpleQueue[Attempt | None] = SimpleQueue()
        self._at_work: dict[Attempt, int | None] = {}
        self._threads: list[threading.Thread] = []
        self._lost = 0

    def start(self, attempt: Attempt) -> None:
        """Hand ``attempt`` to an idle thread, or to a new one."""
        self._at_work[attempt] = None
        if len(self._at_work) > len(self._threads) - self._lost:
            name = f"llmrel-run-{len(self._threads)}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._jobs.put(attempt)

    def abandon(self, attempt: Attempt) -> Sample | None:
        """Leave the thread of ``attempt`` behind."""
        if attempt not in self._at_work:
            return None
        ident = self._at_work.pop(attempt, None)
        self._lost += 1
        frame = sys._current_frames().get(ident or 0)  # noqa: SLF001  documented, despite its name
        stack = [] if frame is None else list(traceback.walk_stack(frame))
        return self._give_up(attempt, stack[::-1])

    def close(self, *, patient: bool) -> None:
        """Send the threads home; those that are left behind are daemons."""
        for _ in self._threads:
            self._jobs.put(None)
        if patient and not self._lost:
            for thread in self._threads:
                thread.join(1.0)

    def _work(self) -> None:
        while (attempt := self._jobs.get()) is not None:
            if attempt not in self._at_work:
                continue
            self._at_work[attempt] = threading.get_ident()
            try:
                delivery: Sample | BaseException = self._execute(attempt)
            except BaseException as error:  # noqa: BLE001  it is raised again, by the driver
                delivery = error
            # Whoever takes the entry out, this thread or `abandon`, speaks for the run.
            if self._at_work.pop(attempt, self) is self:
                return
            self._inbox.put(delivery)
