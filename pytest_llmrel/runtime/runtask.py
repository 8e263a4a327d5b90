"""One asyncio task per run, in which all its coroutines are executed one after the other."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context, copy_context
from typing import Any

from pytest_llmrel.errors import RunTimeout

__all__ = ["RunTask", "carry", "within"]

_GRACE = 1.0
"""Seconds a cancelled coroutine has to end; after that the run is given up."""


class RunTask:
    """Executes the coroutines of a run (fixture set-ups, test body, tear-downs) in a single task.

    What a fixture enters before its ``yield`` (a task group, a timeout, a cancel scope) must be left
    in the same task, and what it sets in a ContextVar must be visible to the test: pytest knows only
    synchronous fixtures, so every coroutine arrives here on its own.
    """

    def __init__(self) -> None:
        self._jobs: asyncio.Queue[tuple[Coroutine[Any, Any, Any], Context, asyncio.Future[Any]] | None]
        self._jobs = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def perform(self, coroutine: Coroutine[Any, Any, Any], context: Context, seconds: float) -> Any:
        """Execute ``coroutine`` in the run's task and return its value with the context it left.

        Args:
            coroutine: what to execute.
            context: whose variables the coroutine is to see.
            seconds: after which it is cancelled.

        Raises:
            RunTimeout: it took longer than ``seconds``.
            BaseException: what the coroutine raised.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._serve())
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._jobs.put_nowait((coroutine, context, reply))
        await asyncio.wait({reply}, timeout=seconds)
        if not reply.done():
            self._task.cancel()
            await asyncio.wait({reply}, timeout=_GRACE)
            raise _timeout(seconds, reply.exception() if reply.done() else None)
        return reply.result()

    def interrupt(self) -> None:
        """Cancel what is being executed, so that the next coroutine has its turn; loop not running."""
        if self._task is not None:
            self._task.cancel()

    async def end(self) -> None:
        """Let the task end."""
        if self._task is not None:
            self._jobs.put_nowait(None)
            await asyncio.wait({self._task}, timeout=_GRACE)

    async def _serve(self) -> None:
        task = asyncio.current_task()
        while (job := await self._jobs.get()) is not None:
            coroutine, context, reply = job
            carry(context)
            try:
                value = await coroutine
            except BaseException as error:  # noqa: BLE001  it is raised again, where the coroutine was asked for
                if task is not None:
                    task.uncancel()
                if not reply.done():
                    reply.set_exception(_portable(error))
                    reply.exception()  # so that asyncio does not complain if nobody is left to ask
            else:
                if not reply.done():
                    reply.set_result((value, copy_context()))


def _portable(error: BaseException) -> BaseException:
    # A future refuses StopIteration, and takes CancelledError for its own cancellation.
    if isinstance(error, StopIteration | asyncio.CancelledError):
        wrapped = RuntimeError(f"the coroutine ended with {type(error).__name__}")
        wrapped.__cause__ = error
        return wrapped
    return error


def carry(context: Context) -> None:
    """Make the variables of ``context`` visible in the current one."""
    missing = object()
    for variable, value in context.items():
        if variable.get(missing) is not value:
            variable.set(value)


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
    trace = None if cancelled is None else (cancelled.__cause__ or cancelled).__traceback__
    return RunTimeout(f"the run took longer than {seconds:g} s").with_traceback(trace)
