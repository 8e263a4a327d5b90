"""A crew for runs that are nothing but a coroutine: a task each on one event loop, no thread per run."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import copy_context
from typing import Any

from pytest_llmrel.core.model import Attempt, Sample
from pytest_llmrel.runtime.crews import GiveUp, Stack
from pytest_llmrel.runtime.loops import LoopHost
from pytest_llmrel.runtime.pool import Inbox

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
        give_up: GiveUp,
        inbox: Inbox,
        limit: float,
    ) -> None:
        self.limit: float | None = limit
        self._host = host
        self._execute = execute
        self._give_up = give_up
        self._inbox = inbox
        self._tasks: dict[Attempt, asyncio.Task[None]] = {}
        # What the shared fixtures set is visible to every run, and nothing of the run whose place it takes.
        self._context = copy_context()

    def start(self, attempts: Sequence[Attempt]) -> None:
        """Create a task for each of ``attempts``; the loop is woken once, if it has to be."""
        if _is_running_here(self._host.loop):
            self._context.run(self._spawn, attempts)
        else:
            self._host.loop.call_soon_threadsafe(self._spawn, attempts, context=self._context)

    def abandon(self, attempt: Attempt) -> Sample:
        """Give up ``attempt``; its task may still be there, nobody listens to it any more."""
        task = self._tasks.get(attempt)
        return self._give_up(attempt, [] if task is None else _stack(task.get_coro()))

    def stuck(self) -> str:
        """Where the loop is blocked, ``""`` if it is not."""
        return self._host.stuck()

    def close(self, *, patient: bool) -> None:  # noqa: ARG002  the interface of a crew
        """Cancel the runs that are left: those that were given up, or all of a test that was."""
        if self._tasks:
            self._host.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    def _spawn(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            # The loop itself holds tasks only weakly.
            self._tasks[attempt] = self._host.loop.create_task(self._deliver(attempt))

    async def _deliver(self, attempt: Attempt) -> None:
        try:
            delivery: Sample | BaseException = await self._execute(attempt)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  it is raised again, by the pool
            delivery = error
        finally:
            self._tasks.pop(attempt, None)
        self._inbox.put(delivery)


def _is_running_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _stack(coroutine: Any) -> Stack:
    """Where a suspended coroutine waits: its frames, down the chain of awaits."""
    frames: Stack = []
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        frames.append((frame, frame.f_lineno))
        coroutine = coroutine.cr_await
    return frames
