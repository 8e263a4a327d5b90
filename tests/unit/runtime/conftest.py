"""Attempts, a crew that does as a test tells it, and event loops that are closed in the end."""

import asyncio
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from pytest_llmrel.core.model import Attempt, Outcome, Sample, Variant


@pytest.fixture
def make_attempts() -> Callable[[int], list[Attempt]]:
    """Makes so many attempts of one test."""
    return lambda count: [Attempt("", Variant(), run, run) for run in range(count)]


@pytest.fixture
def attempt(make_attempts: Callable[[int], list[Attempt]]) -> Attempt:
    """A single attempt."""
    return make_attempts(1)[0]


class FakeCrew:
    """Delivers what ``script`` returns for an attempt: a sample, an exception, or nothing (it hangs)."""

    def __init__(self, inbox: Any, script: Callable[[Attempt], Any], limit: float | None = None) -> None:
        self.limit = limit
        self.inbox = inbox
        self.script = script
        self.started: list[Attempt] = []
        self.abandoned: list[Attempt] = []
        self.closed: list[bool] = []
        self.in_flight = self.most_in_flight = 0
        self.blocked = ""

    def start(self, attempts: list[Attempt]) -> None:
        """Ask the script, and deliver at once."""
        for attempt in attempts:
            self.started.append(attempt)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            delivery = self.script(attempt)
            if delivery is not None:
                self.inbox.put(delivery)

    def abandon(self, attempt: Attempt) -> Sample | None:
        """Give an error sample."""
        self.abandoned.append(attempt)
        return Sample(attempt, Outcome.ERROR, timed_out=True)

    def stuck(self) -> str:
        """What the test set."""
        return self.blocked

    def close(self, *, patient: bool) -> None:
        """Note how."""
        self.closed.append(patient)


@pytest.fixture
def make_crew() -> Callable[..., Any]:
    """Makes a crew and its inbox; by default every run passes at once."""

    def make(script: Callable[[Attempt], Any] | None = None, limit: float | None = None) -> Any:
        return FakeCrew(SimpleQueue(), script or (lambda attempt: Sample(attempt, Outcome.PASSED)), limit)

    return make


@pytest.fixture
def make_loop() -> Iterator[Callable[[], asyncio.AbstractEventLoop]]:
    """Makes event loops, and closes those that are still open after the test."""
    loops: list[asyncio.AbstractEventLoop] = []

    def make() -> asyncio.AbstractEventLoop:
        loops.append(asyncio.new_event_loop())
        return loops[-1]

    yield make
    for loop in loops:
        if not loop.is_closed() and not loop.is_running():
            loop.close()
