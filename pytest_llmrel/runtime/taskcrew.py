"""A crew for runs that are nothing but a coroutine: a task each on one event loop, no thread per run."""

import asyncio
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

from pytest_llmrel.core.model import Attempt, Sample
from pytest_llmrel.runtime.drive import Inbox
from pytest_llmrel.runtime.loops import LoopHost

__all__ = ["TaskCrew"]


class TaskCrew:
    """Runs as tasks on the loop of ``host``.

    Args:
        host: the loop.
        execute: makes the coroutine that takes an attempt to its sample, its time limit included.
        give_up: makes the sample of a run that ignores its cancellation, or blocks the loop.
        limit: seconds after which a run is given up; more than its own time limit.
    """

    def __init__(
        self,
        host: LoopHost,
        execute: Callable[[Attempt], Coroutine[Any, Any, Sample]],
        give_up: Callable[[Attempt, FrameType | None], Sample],
        inbox: Inbox,
        limit: float,
    ) -> None:
        self.limit: float | None = limit
        self._host = host
        self._execute = execute
        self._give_up = give_up
        self._inbox = inbox
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, attempt: Attempt) -> None:
        """Create the task of ``attempt``."""
        self._host.loop.call_soon_threadsafe(self._spawn, attempt)

    def abandon(self, attempt: Attempt) -> Sample:
        """Give up ``attempt``; its task may still be there, nobody listens to it any more."""
        return self._give_up(attempt, None)

    def stuck(self) -> str:
        """Where the loop is blocked, ``""`` if it is not."""
        return self._host.stuck()

    def close(self, *, patient: bool) -> None:
        """The host cancels what is left."""

    def _spawn(self, attempt: Attempt) -> None:
        task = self._host.loop.create_task(self._deliver(attempt))
        self._tasks.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, attempt: Attempt) -> None:
        try:
            self._inbox.put(await self._execute(attempt))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  it is raised again, by the driver
            self._inbox.put(error)
