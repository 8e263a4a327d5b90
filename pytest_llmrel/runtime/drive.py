"""The main loop of a test: start attempts, take samples, enforce the time limit, stop on Ctrl-C."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Protocol

from pytest_llmrel.core.model import Attempt, Sample
from pytest_llmrel.runtime.schedule import Schedule

__all__ = ["Crew", "Inbox", "drive"]

Inbox = SimpleQueue[Sample | BaseException]
"""Where a crew delivers: the sample of a run, or an exception that ends the whole test."""


class Crew(Protocol):
    """Executes attempts and delivers one sample each into the inbox it was made with."""

    limit: float | None
    """Seconds after which a run is given up from outside; ``None`` if the crew sees to it itself."""

    def start(self, attempt: Attempt) -> None:
        """Execute ``attempt``; may return before it has ended."""

    def abandon(self, attempt: Attempt) -> Sample | None:
        """Give up a run that exceeded the limit; ``None`` if its sample is in the inbox already."""

    def stuck(self) -> str:
        """Why this crew can execute nothing more, ``""`` if it can."""

    def close(self, *, patient: bool) -> None:
        """Release everything; if not ``patient``, cancel what is in flight and wait for nothing."""


def drive(schedule: Schedule, crew: Crew, inbox: Inbox, record: Callable[[Sample], None]) -> None:
    """Run a schedule to its end.

    Args:
        schedule: says what to start and when it is over.
        crew: executes.
        inbox: the one the crew delivers into.
        record: takes every sample, in the thread that called ``drive``.

    Raises:
        BaseException: what a run raised to end the session, or ``KeyboardInterrupt``.
    """
    flight: dict[Attempt, float] = {}
    try:
        while not schedule.finished:
            for attempt in schedule.start():
                flight[attempt] = monotonic()
                crew.start(attempt)
            sample = _receive(crew, inbox, flight)
            if sample is None or flight.pop(sample.attempt, None) is None:
                continue
            schedule.finish()
            record(sample)
            _consider_stopping(schedule, crew, sample)
    except BaseException:
        crew.close(patient=False)
        raise
    crew.close(patient=True)


def _receive(crew: Crew, inbox: Inbox, flight: dict[Attempt, float]) -> Sample | None:
    """The next sample; runs over the limit are given up. ``None`` if there is none yet."""
    eldest = next(iter(flight))
    patience = None if crew.limit is None else max(0.0, flight[eldest] + crew.limit - monotonic())
    try:
        delivered = inbox.get(timeout=patience)
    except Empty:
        return crew.abandon(eldest)
    if isinstance(delivered, BaseException):
        raise delivered
    return delivered


def _consider_stopping(schedule: Schedule, crew: Crew, sample: Sample) -> None:
    if sample.fatal and sample.failure is not None:
        message = sample.failure.describe().message.partition("\n")[0]
        said = f"{sample.failure.key.type}: {message}"
        schedule.stop(f"every further run would end the same way ({said})")
    elif sample.timed_out and (reason := crew.stuck()):
        schedule.stop(reason)
