"""Two ways to execute attempts: in the calling thread, or in threads that can be left behind."""

import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType

from pytest_llmrel.core.model import Attempt, Sample
from pytest_llmrel.runtime.pool import Inbox
from pytest_llmrel.runtime.threads import ThreadTeam

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

    def start(self, attempts: Sequence[Attempt]) -> None:
        """Execute ``attempts`` now."""
        for attempt in attempts:
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
    """Runs in threads, which are left behind if they hang.

    Args:
        team: the threads.
        execute: runs an attempt to its sample.
        give_up: makes the sample of a run that is left behind, from where its thread is now.
        limit: seconds a run may take.
        stuck: see :meth:`Crew.stuck`.
    """

    def __init__(
        self,
        team: ThreadTeam,
        execute: Execute,
        give_up: GiveUp,
        inbox: Inbox,
        limit: float,
        stuck: Callable[[], str] = str,
    ) -> None:
        self.limit: float | None = limit
        self.stuck = stuck
        self._team = team
        self._execute = execute
        self._give_up = give_up
        self._inbox = inbox
        self._at_work: dict[Attempt, int | None] = {}

    def start(self, attempts: Sequence[Attempt]) -> None:
        """Hand each of ``attempts`` to a thread."""
        for attempt in attempts:
            self._at_work[attempt] = None
            self._team.submit(partial(self._work, attempt))

    def abandon(self, attempt: Attempt) -> Sample | None:
        """Leave the thread of ``attempt`` behind."""
        if attempt not in self._at_work:
            return None
        ident = self._at_work.pop(attempt, None)
        frame = sys._current_frames().get(ident or 0)  # noqa: SLF001  documented, despite its name
        stack = [] if frame is None else list(traceback.walk_stack(frame))
        return self._give_up(attempt, stack[::-1])

    def close(self, *, patient: bool) -> None:
        """What no thread has begun yet is not begun any more; nobody waits for what was."""
        if not patient:
            self._at_work.clear()

    def _work(self, attempt: Attempt) -> Callable[[], None]:
        if attempt not in self._at_work:
            return _nothing
        self._at_work[attempt] = threading.get_ident()
        try:
            delivery: Sample | BaseException = self._execute(attempt)
        except BaseException as error:  # noqa: BLE001  it is raised again, by the pool
            delivery = error
        # Whoever takes the entry out, this thread or `abandon`, speaks for the run.
        is_wanted = self._at_work.pop(attempt, self) is not self
        return partial(self._inbox.put, delivery) if is_wanted else _nothing


def _nothing() -> None:
    """There is nothing to hand over."""
