"""Event loops for the coroutines of runs: one in a thread of its own, or one driven where it is asked."""

import asyncio
import sys
import threading
import traceback
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

__all__ = ["InlineLoop", "LoopHost", "ThreadLoop"]

T = TypeVar("T")
_PATIENCE = 0.3
"""Seconds in which a loop must answer, or end its tasks; Ctrl-C has to be over within one second."""


class LoopHost(Protocol):
    """Where the coroutines of an item's runs are executed."""

    loop: asyncio.AbstractEventLoop

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
        if not self.loop.run_until_complete(_wind_up(self.loop, self._foreign)):
            _leave_running(self.loop)
        elif self._owned:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()


class ThreadLoop:
    """A loop in a daemon thread, shared by all runs of an item.

    It is not in the main thread so that a run that blocks it can never hang the session.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, owned: bool) -> None:
        self.loop = loop
        self._owned = owned
        self._foreign = asyncio.all_tasks(loop)
        self._thread = threading.Thread(target=self._serve, name="llmrel-loop", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], patience: float | None = None) -> T:
        """Execute ``coroutine`` on the loop and wait for it, in a thread that is not the loop's.

        Raises:
            TimeoutError: it has not ended after ``patience`` seconds.
            RuntimeError: called from a coroutine, which would wait for itself forever.
        """
        if threading.current_thread() is self._thread:
            raise _refused(coroutine)
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(patience)

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
        ending = asyncio.run_coroutine_threadsafe(_wind_up(self.loop, self._foreign), self.loop)
        try:
            ended = ending.result(_PATIENCE * 2)
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

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            asyncio.set_event_loop(None)


def _refused(coroutine: Coroutine[Any, Any, Any]) -> RuntimeError:
    coroutine.close()
    return RuntimeError(
        "an async fixture was requested with request.getfixturevalue() inside a coroutine; "
        "name it in the signature of the test or fixture instead"
    )


async def _wind_up(loop: asyncio.AbstractEventLoop, foreign: "set[asyncio.Task[Any]]") -> bool:
    """Cancel all tasks but this and the foreign ones, as ``asyncio.run`` would; whether all of them ended."""
    left = asyncio.all_tasks(loop) - {asyncio.current_task()} - foreign
    for _ in range(2):  # a run's task takes the first for its next coroutine
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=_PATIENCE / 2)
    return not left


def _leave_running(loop: asyncio.AbstractEventLoop) -> None:
    """Keep a coroutine that ignores its cancellation alive: destroying it could run its code forever."""
    threading.Thread(target=loop.run_forever, name="llmrel-left-behind", daemon=True).start()
