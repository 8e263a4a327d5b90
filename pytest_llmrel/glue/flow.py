"""What the ``krun`` tests of a session share while their runs are in flight."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pytest_llmrel.glue.capture import OutputRoute
from pytest_llmrel.glue.collect import plan_of, settings_of
from pytest_llmrel.glue.wire import Seam, item_wire
from pytest_llmrel.runtime.loops import SharedLoop, ThreadLoop, common_loop
from pytest_llmrel.runtime.pool import Pool
from pytest_llmrel.runtime.threads import ThreadTeam

__all__ = ["Flow"]


class Flow:
    """The pool of runs, the threads and the event loop they use, and where their calls and their output go.

    Threads and loop stay to the end of the session: a client that a shared fixture made belongs to its loop.

    Attributes:
        pool: all runs in flight.
        threads: for runs that are no coroutines.
        when_blocked: called when a run blocks the event loop, so that nothing else on it can go on.
        most_in_flight: runs over all tests, where no mark says more.
    """

    _KEY = pytest.StashKey["Flow"]()

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.most_in_flight = settings_of(config).most_in_flight
        self.pool = Pool()
        self.threads = ThreadTeam()
        self.when_blocked: Callable[[], None] = lambda: None
        self._seam = Seam()
        self._loop: ThreadLoop | None = None
        self._route: OutputRoute | None = None
        self._streams = (sys.stdout, sys.stderr)

    @classmethod
    def of(cls, config: pytest.Config) -> "Flow":
        """That of the session that ``config`` belongs to, made on first use."""
        found = config.stash.get(cls._KEY, None)
        if found is None:
            found = config.stash[cls._KEY] = cls(config)
        return found

    @contextmanager
    def watching(self, item: pytest.Function) -> Iterator[None]:
        """While pytest is busy with ``item``, calls that belong to no run are its own."""
        self._streams = (sys.stdout, sys.stderr)
        self._seam.turn_to(item_wire(item, plan_of(item)))
        try:
            yield
        finally:
            self._seam.turn_to(None)

    def route_output(self) -> None:
        """Give each run its own output, from now until there is a pause."""
        if self._route is None:
            self._route = OutputRoute(self._config, alone=False)
            self._route.cover(*self._streams)
        self._route.cover(sys.stdout, sys.stderr)

    def loop(self) -> SharedLoop:
        """A test's share of the loop of the session."""
        if self._loop is None:
            self._loop = common_loop()
        return SharedLoop(self._loop, self._leave_loop)

    def pause(self) -> None:
        """Nothing is in flight: see no calls and no output any more, until the next test."""
        self._seam.close()
        if self._route is not None:
            self._route.close()
            self._route = None

    def close(self) -> None:
        """Nothing is in flight any more, or may be."""
        self.pause()
        if self._loop is not None:
            self._loop.close()
            self._loop = None
        self.threads.close()

    def _leave_loop(self) -> None:
        """Leave a blocked loop behind; its thread is a daemon."""
        self._loop = None
        self.when_blocked()
