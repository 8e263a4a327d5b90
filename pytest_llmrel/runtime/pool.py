"""All runs in flight over a session: of the test that is being judged, and of those that follow it."""

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Protocol

from pytest_llmrel.core.model import Attempt, Sample
from pytest_llmrel.runtime.schedule import Schedule

__all__ = ["Crew", "Inbox", "Lane", "Pool"]

_Delivery = Sample | BaseException
"""The sample of a run, or an exception that ends the whole session."""


class Inbox:
    """Where one crew delivers; the pool empties all of them in the order of arrival."""

    def __init__(self, deliveries: "SimpleQueue[tuple[Inbox, _Delivery]]") -> None:
        self._deliveries = deliveries

    def put(self, delivery: _Delivery) -> None:
        """Deliver, from any thread."""
        self._deliveries.put((self, delivery))


class Crew(Protocol):
    """Executes attempts and delivers one sample each into the inbox it was made with."""

    limit: float | None
    """Seconds after which a run is given up from outside; ``None`` if the crew sees to it itself."""

    def start(self, attempts: Sequence[Attempt]) -> None:
        """Execute ``attempts``, at least one; may return before they have ended."""

    def abandon(self, attempt: Attempt) -> Sample | None:
        """Give up a run that exceeded the limit; ``None`` if its sample is in the inbox already."""

    def stuck(self) -> str:
        """Why this crew can execute nothing more, ``""`` if it can."""

    def close(self, *, patient: bool) -> None:
        """Release everything; if not ``patient``, cancel what is in flight and wait for nothing."""


class Lane:
    """The runs of one test on their way through the pool.

    Args:
        schedule: says what to start and when it is over.
        crew: executes.
        record: takes every sample, in the thread that drives the pool.

    Attributes:
        ending: what a run raised to end the session; it does so when the lane is driven.
    """

    def __init__(self, schedule: Schedule, crew: Crew, record: Callable[[Sample], None]) -> None:
        self.schedule = schedule
        self.crew = crew
        self.ending: BaseException | None = None
        self._record = record
        self._began = self._ended = monotonic()
        self._has_begun = False
        self._flight: dict[Attempt, float] = {}

    @property
    def seconds(self) -> float:
        """From the start of the first run to the end of the last one so far."""
        return self._ended - self._began

    @property
    def in_flight(self) -> int:
        """Runs that were started and have not ended."""
        return len(self._flight)

    @property
    def deadline(self) -> float | None:
        """When the eldest run in flight has to be given up, by ``monotonic``; ``None`` for never."""
        if self.crew.limit is None or not self._flight:
            return None
        return next(iter(self._flight.values())) + self.crew.limit

    def start(self, most: int) -> int:
        """Start what is due, ``most`` runs at most, and say how many."""
        due = self.schedule.start(most) if most > 0 else []
        if due and not self._has_begun:
            self._has_begun, self._began = True, monotonic()
        if due:
            self._flight |= dict.fromkeys(due, monotonic())
            self.crew.start(due)
        return len(due)

    def take(self, delivery: _Delivery) -> None:
        """A run of this lane has ended."""
        self._ended = monotonic()
        if isinstance(delivery, BaseException):
            self.ending = self.ending or delivery
            self.schedule.stop(f"interrupted by {type(delivery).__name__}")
        elif self._flight.pop(delivery.attempt, None) is not None:
            self.schedule.finish()
            self._record(delivery)
            self._consider_stopping(delivery)

    def give_up_eldest(self) -> Sample | None:
        """Give up the run that has been in flight for longest."""
        return self.crew.abandon(next(iter(self._flight)))

    def _consider_stopping(self, sample: Sample) -> None:
        if sample.fatal and sample.failure is not None:
            message = sample.failure.describe().message.partition("\n")[0]
            said = f"{sample.failure.key.type}: {message}"
            self.schedule.stop(f"every further run would end the same way ({said})")
        elif sample.timed_out and (reason := self.crew.stuck()):
            self.schedule.stop(reason)


class Pool:
    """The lanes of a session; driven from one thread."""

    def __init__(self) -> None:
        self._deliveries: SimpleQueue[tuple[Inbox, _Delivery]] = SimpleQueue()
        self._lanes: dict[Inbox, Lane] = {}

    def inbox(self) -> Inbox:
        """A new one, for the crew of a lane."""
        return Inbox(self._deliveries)

    def enter(self, inbox: Inbox, lane: Lane) -> None:
        """Let the runs of ``lane`` have the room that those before it leave."""
        self._lanes[inbox] = lane

    def leave(self, inbox: Inbox, *, patient: bool = False) -> None:
        """The lane is over, or given up: nobody listens to its runs any more."""
        lane = self._lanes.pop(inbox, None)
        if lane is not None:
            lane.crew.close(patient=patient)

    def drive(
        self, inbox: Inbox, open_next: Callable[[], bool] = lambda: False, *, most: Callable[[], int]
    ) -> None:
        """Run one lane to its end; the others go on beside it, with what room it leaves.

        Args:
            inbox: of the lane.
            most: says how many runs may be in flight over all lanes, which may change in the meantime.
            open_next: enters one more lane at the end, and says whether there was one.

        Raises:
            BaseException: what a run of this lane raised to end the session, or ``KeyboardInterrupt``.
        """
        lane = self._lanes[inbox]
        try:
            while not lane.schedule.finished and lane.ending is None:
                self._start(lane, most(), open_next)
                self._receive()
        except BaseException:
            self.leave(inbox)
            raise
        self.leave(inbox, patient=lane.ending is None)
        if lane.ending is not None:
            raise lane.ending

    def _start(self, first: Lane, most: int, open_next: Callable[[], bool]) -> None:
        room = most - sum(lane.in_flight for lane in self._lanes.values())
        room -= first.start(room)
        for lane in list(self._lanes.values()):
            if room <= 0:
                return
            room -= lane.start(room)
        while room > 0 and open_next():
            room -= next(reversed(self._lanes.values())).start(room)

    def _receive(self) -> None:
        """Take what is delivered, at least once; where nothing comes in time, a run is given up."""
        deadlines = [(lane.deadline, inbox) for inbox, lane in self._lanes.items()]
        due, eldest = min(
            ((deadline, inbox) for deadline, inbox in deadlines if deadline is not None),
            key=lambda each: each[0],
            default=(None, None),
        )
        delivery: _Delivery | None
        patience = None if due is None else max(0.0, due - monotonic())
        try:
            inbox, delivery = self._deliveries.get(timeout=patience)
        except Empty:
            assert eldest is not None  # noqa: S101  without a deadline there is no timeout
            inbox, delivery = eldest, self._lanes[eldest].give_up_eldest()
        self._take(inbox, delivery)
        # All that has come in the meantime: a busy event loop lets this thread work only now and then.
        for _ in range(self._deliveries.qsize()):
            self._take(*self._deliveries.get())

    def _take(self, inbox: Inbox, delivery: _Delivery | None) -> None:
        lane = self._lanes.get(inbox)
        if lane is not None and delivery is not None:
            lane.take(delivery)
