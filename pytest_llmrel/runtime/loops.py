"""Event loops for the coroutines of runs: in a thread, for one test or several, or driven where asked."""

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from pytest_llmrel.runtime.runtask import done_elsewhere

__all__ = ["InlineLoop", "LoopHost", "SharedLoop", "ThreadLoop", "common_loop"]

T = TypeVar("T")
_PATIENCE = 0.3
"""Seconds in which a loop must answer, or end its tasks; Ctrl-C has to be over within one second."""


_Tasks = WeakSet[asyncio.Task[Any]]
_own_tasks: ContextVar[_Tasks | None] = ContextVar("pytest_llmrel_own_tasks", default=None)
"""The tasks of the test that the running code belongs to, where tests share a loop."""


class LoopHost(Protocol):
    """Where the coroutines of an item's runs are executed."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """For tasks that nobody waits for."""

    def enter(self) -> None:
        """What the current context, that of a run, starts on the loop belongs to this host from now on."""

    def run(self, coroutine: Coroutine[Any, Any, T], patience: float | None = None) -> T:
        """Execute ``coroutine`` on the loop and wait for it; not from the loop's own thread.

        Raises:
            TimeoutError: it has not ended after ``patience`` seconds, where the loop can tell.
        """

    def stuck(self) -> str:
        """Where the loop is blocked, ``""`` if it is not."""

    def close(self) -> None:
        """Cancel what is left on the loop, and close it if it is ours."""


class InlineLoop:
    """A loop that runs in the calling thread, and only while a coroutine is waited for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, owned: bool) -> None:
        self.loop = loop
        self._owned = owned
        self._foreign = asyncio.all_tasks(loop)

    def enter(self) -> None:
        """All that is new on the loop is of this host."""

    def run(self, coroutine: Coroutine[Any, Any, T], patience: float | None = None) -> T:  # noqa: ARG002  the interface of a host
        """Execute ``coroutine`` here.

        Raises:
            RuntimeError: called from a coroutine, which would wait for itself forever.
        """
        if self.loop.is_running():
            raise _refused(coroutine)
        task = self.loop.create_task(coroutine)
        try:
            return self.loop.run_until_complete(task)
        except KeyboardInterrupt:
            task.cancel()
            raise

    def stuck(self) -> str:
        """Never: a blocking call blocks only its own run."""
        return ""

    def close(self) -> None:
        """Cancel what is left on the loop, and close it if it is ours."""
        if not self.loop.run_until_complete(_wind_up(asyncio.all_tasks(self.loop) - self._foreign)):
            _leave_running(self.loop)
        elif self._owned:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()


class ThreadLoop:
    """A loop in a daemon thread.

    It is not in the main thread so that a run that blocks it can never hang the session.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, owned: bool) -> None:
        self.loop = loop
        self._owned = owned
        self._foreign = asyncio.all_tasks(loop)
        self._thread = threading.Thread(target=self._serve, name="llmrel-loop", daemon=True)
        self._thread.start()

    def enter(self) -> None:
        """All that is new on the loop is of this host."""

    def run(self, coroutine: Coroutine[Any, Any, T], patience: float | None = None) -> T:
        """Execute ``coroutine`` on the loop and wait for it, in a thread that is not the loop's.

        Raises:
            TimeoutError: it has not ended after ``patience`` seconds.
            RuntimeError: called from a coroutine, which would wait for itself forever.
        """
        if threading.current_thread() is self._thread:
            raise _refused(coroutine)
        return done_elsewhere(coroutine, self.loop, patience)

    def stuck(self) -> str:
        """Where the loop is blocked, ``""`` if it answers."""
        answered = threading.Event()
        self.loop.call_soon_threadsafe(answered.set)
        if answered.wait(_PATIENCE):
            return ""
        frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001  documented, despite its name
        where = "".join(traceback.format_stack(frame)[-1:]).strip() if frame else "an unknown place"
        return (
            f"a run blocks the event loop, so no other can go on; a synchronous call in async code? {where}"
        )

    def close(self) -> None:
        """Cancel what the runs left on the loop; one that cannot be ended is left running, in its daemon."""
        try:
            ended = self.wind_up()
        except TimeoutError:
            return
        if not ended:
            return
        if self._owned:
            finishing = self.loop.shutdown_asyncgens()
            asyncio.run_coroutine_threadsafe(finishing, self.loop).result(_PATIENCE)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_PATIENCE)
        if self._owned and not self._thread.is_alive():
            self.loop.close()

    def wind_up(self, tasks: _Tasks | None = None) -> bool:
        """Cancel these tasks, or all but those that were there before; whether they ended.

        Raises:
            TimeoutError: the loop does not answer.
        """

        async def end() -> bool:
            everything = asyncio.all_tasks() - self._foreign
            return await _wind_up(everything if tasks is None else everything & set(tasks))

        return asyncio.run_coroutine_threadsafe(end(), self.loop).result(_PATIENCE * 2)

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            asyncio.set_event_loop(None)


class SharedLoop:
    """A test's share of a loop that several have in common: it ends only what its own runs left there.

    A client that a shared fixture made goes on working from test to test: it belongs to one loop.

    Args:
        common: made by :func:`common_loop`.
        when_blocked: called when it is found to be.
    """

    def __init__(self, common: ThreadLoop, when_blocked: Callable[[], None]) -> None:
        self._common = common
        self._when_blocked = when_blocked
        self._tasks = _Tasks()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The common one."""
        return self._common.loop

    def enter(self) -> None:
        """What the current context, that of a run, starts on the loop is this test's from now on."""
        _own_tasks.set(self._tasks)

    def run(self, coroutine: Coroutine[Any, Any, T], patience: float | None = None) -> T:
        """See :meth:`ThreadLoop.run`."""
        return self._common.run(coroutine, patience)

    def stuck(self) -> str:
        """Where the loop is blocked, ``""`` if it answers."""
        where = self._common.stuck()
        if where:
            self._when_blocked()
        return where

    def close(self) -> None:
        """Cancel what the runs of this test left on the loop, if they left anything."""
        if not self._tasks:
            return
        try:
            self._common.wind_up(self._tasks)
        except TimeoutError:
            self._when_blocked()


def common_loop() -> ThreadLoop:
    """A loop for several tests, which knows whose task is whose."""
    loop = asyncio.new_event_loop()
    loop.set_task_factory(_owned_task)
    return ThreadLoop(loop, owned=True)


def _owned_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    task = asyncio.Task(coroutine, loop=loop, **options)
    tasks = _own_tasks.get()
    if tasks is not None:
        tasks.add(task)
    return task


def _refused(coroutine: Coroutine[Any, Any, Any]) -> RuntimeError:
    coroutine.close()
    return RuntimeError(
        "an async fixture was requested with request.getfixturevalue() inside a coroutine; "
        "name it in the signature of the test or fixture instead"
    )


async def _wind_up(tasks: "set[asyncio.Task[Any]]") -> bool:
    """Cancel these tasks, but not this one, as ``asyncio.run`` would; whether all of them ended."""
    left = tasks - {asyncio.current_task()}
    for _ in range(2):  # a run's task takes the first for its next coroutine
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=_PATIENCE / 2)
    return not left


def _leave_running(loop: asyncio.AbstractEventLoop) -> None:
    """Keep a coroutine that ignores its cancellation alive: destroying it could run its code forever."""
    threading.Thread(target=loop.run_forever, name="llmrel-left-behind", daemon=True).start()
