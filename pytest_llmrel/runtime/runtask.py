"""One asyncio task per run, in which all its coroutines are executed one after the other."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from contextvars import Context, copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from pytest_llmrel.errors import RunTimeout

__all__ = ["GRACE", "Reply", "RunTask", "alone", "carry", "done_elsewhere", "within"]

T = TypeVar("T")

GRACE = 1.0
"""Seconds a cancelled coroutine has to end; after that the run is given up."""


class RunTask:
    """Executes the coroutines of a run (fixture set-ups, test body, tear-downs) in a single task.

    What a fixture enters before its ``yield`` (a task group, a timeout, a cancel scope) must be left
    in the same task, and what it sets in a ContextVar must be visible to the test: pytest knows only
    synchronous fixtures, so every coroutine arrives here on its own.
    """

    def __init__(self) -> None:
        self._jobs: asyncio.Queue[tuple[Coroutine[Any, Any, Any], Context, asyncio.Future[Reply]] | None]
        self._jobs = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._out_of_time = False

    async def perform(self, coroutine: Coroutine[Any, Any, Any], context: Context, seconds: float) -> "Reply":
        """Execute ``coroutine`` in the run's task.

        Args:
            coroutine: what to execute.
            context: whose variables the coroutine is to see.
            seconds: after which it is cancelled.

        Returns:
            What became of it. Nothing is raised here: asyncio ends the whole loop on some exceptions.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._serve())
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._jobs.put_nowait((coroutine, context, reply))
        either: set[asyncio.Future[Any]] = {reply, self._task}
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if reply.done():
            return reply.result()
        if self._task.done():
            return Reply(error=RuntimeError("the task of this run was cancelled from outside"))
        self._out_of_time = self._task.cancel()
        await asyncio.wait({reply}, timeout=GRACE)
        return Reply(error=_timeout(seconds, reply.result().error if reply.done() else None))

    def interrupt(self) -> None:
        """Cancel what is being executed, so that the next coroutine has its turn; loop not running."""
        if self._task is not None:
            self._task.cancel()

    async def end(self) -> None:
        """Let the task end."""
        if self._task is not None:
            self._jobs.put_nowait(None)
            await asyncio.wait({self._task}, timeout=GRACE)

    async def _serve(self) -> None:
        while (job := await self._next_job()) is not None:
            coroutine, context, reply = job
            carry(context)
            try:
                value = await coroutine
            except BaseException as error:  # noqa: BLE001  a value from here on
                result = Reply(error=error)
            else:
                result = Reply(value, copy_context())
            if self._out_of_time and self._task is not None:
                self._out_of_time = False
                self._task.uncancel()
            if not reply.done():
                reply.set_result(result)

    async def _next_job(self) -> Any:
        """Wait for it; a task group in a fixture may cancel us meanwhile, and means the next coroutine."""
        try:
            return await self._jobs.get()
        except asyncio.CancelledError:
            job = await self._jobs.get()
            if self._task is not None:
                self._task.cancel()
            return job


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a coroutine: its value and the context it left, or what it raised."""

    value: Any = None
    context: Context | None = None
    error: BaseException | None = None


def carry(context: Context) -> None:
    """Make the variables of ``context`` visible in the current one."""
    missing = object()
    for variable, value in context.items():
        if variable.get(missing) is not value:
            variable.set(value)


def done_elsewhere(
    coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop, patience: float | None
) -> T:
    """Execute ``coroutine`` on a loop that runs in another thread, and wait for it here.

    As ``asyncio.run_coroutine_threadsafe``, whose future costs more than many a run.

    Raises:
        TimeoutError: it has not ended after ``patience`` seconds.
        CancelledError: of ``concurrent.futures``; it was cancelled.
        RuntimeError: the loop is closed.
    """
    ended: SimpleQueue[asyncio.Future[T]] = SimpleQueue()

    def begin() -> None:
        asyncio.ensure_future(coroutine, loop=loop).add_done_callback(ended.put)

    loop.call_soon_threadsafe(begin)
    try:
        task = ended.get(timeout=patience)
    except Empty:
        raise TimeoutError from None
    if task.cancelled():
        raise CancelledError
    return task.result()


async def alone(coroutine: Coroutine[Any, Any, Any], seconds: float) -> Reply:
    """Execute ``coroutine`` in the current task: all there is to a run without async fixtures."""
    try:
        return Reply(await within(seconds, coroutine))
    except BaseException as error:  # noqa: BLE001  a value from here on
        return Reply(error=error)


async def within(seconds: float, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Await ``coroutine``, cancelled after ``seconds``.

    Raises:
        RunTimeout: it took longer.
    """
    try:
        async with asyncio.timeout(seconds) as scope:
            return await coroutine
    except TimeoutError as error:
        if scope.expired():
            raise _timeout(seconds, error.__cause__) from None
        raise


def _timeout(seconds: float, cancelled: BaseException | None) -> RunTimeout:
    """With the traceback of the cancelled coroutine, which shows where it was waiting."""
    trace = None if cancelled is None else cancelled.__traceback__
    return RunTimeout(f"the run took longer than {seconds:g} s").with_traceback(trace)
