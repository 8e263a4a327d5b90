"""All runs in flight over a session: of the test that is being judged, and of those that follow it.

A run that has passed is recorded by the thread that made it, and makes room for the next one at once: the
thread that drives the pool may be judging a test, or be kept waiting by a busy event loop. That one is called
for what takes time or is rare: to describe failures, to give up runs, to open the next test.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from queue import Empty, SimpleQueue
from threading import RLock
from time import monotonic
from typing import Protocol

from pytest_llmrel.core.model import Attempt, Outcome, Sample
from pytest_llmrel.runtime.schedule import Schedule

__all__ = ["Crew", "Inbox", "Lane", "Pool"]

_Delivery = Sample | BaseException
"""The sample of a run, or an exception that ends the whole session."""


class Inbox:
    """Where the crew of one lane delivers."""

    def __init__(self, deliver: "Callable[[Inbox, _Delivery], None]") -> None:
        self._deliver = deliver

    def put(self, delivery: _Delivery) -> None:
        """Deliver, from any thread; more runs of any lane may be started in it."""
        self._deliver(self, delivery)


class Crew(Protocol):
    """Executes attempts and delivers one sample each into the inbox it was made with."""

    limit: float | None
    """Seconds after which a run is given up from outside; ``None`` if the crew sees to it itself."""

    def start(self, attempts: Sequence[Attempt]) -> None:
        """Execute ``attempts``, at least one; may return before they have ended. Called from any thread."""

    def abandon(self, attempt: Attempt) -> Sample | None:
        """Give up a run that exceeded the limit; ``None`` if its sample is in the inbox already."""

    def stuck(self) -> str:
        """Why this crew can execute nothing more, ``""`` if it can."""

    def close(self, *, patient: bool) -> None:
        """Release everything; if not ``patient``, cancel what is in flight and wait for nothing."""


class Lane:
    """The runs of one test on their way through the pool, which has one thread at a time change them.

    Args:
        schedule: says what to start and when it is over.
        crew: executes.
        record: takes every sample, in the thread that made it or in the one that drives the pool.

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
    def is_over(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self.ending is not None or self.schedule.finished

    @property
    def deadline(self) -> float:
        """When the eldest run in flight has to be given up, by ``monotonic``; ``inf`` for never."""
        if self.crew.limit is None or not self._flight:
            return inf
        return next(iter(self._flight.values())) + self.crew.limit

    def start(self, most: int) -> int:
        """Start what is due, ``most`` runs at most, and say how many."""
        due = self.schedule.start(most) if most > 0 else []
        if due and not self._has_begun:
            self._has_begun, self._began = True, monotonic()
        if due:
            self._flight |= dict.fromkeys(due, monotonic())
            self._guarded(lambda: self.crew.start(due))
        return len(due)

    def take(self, delivery: _Delivery) -> None:
        """A run of this lane has ended."""
        self._ended = monotonic()
        if isinstance(delivery, BaseException):
            self._end(delivery)
        elif self._flight.pop(delivery.attempt, None) is not None:
            self.schedule.finish()
            self._guarded(lambda: self._record(delivery))
            self._consider_stopping(delivery)

    def give_up_eldest(self) -> None:
        """Give up the run that has been in flight for longest."""
        sample = self.crew.abandon(next(iter(self._flight)))
        if sample is not None:
            self.take(sample)

    def _guarded(self, step: Callable[[], None]) -> None:
        """What goes wrong is raised when this lane is driven: now the caller may be another test's thread."""
        try:
            step()
        except Exception as error:  # noqa: BLE001  it is raised again, by drive
            self._end(error)

    def _end(self, error: BaseException) -> None:
        self.ending = self.ending or error
        self.schedule.stop(f"interrupted by {type(error).__name__}")

    def _consider_stopping(self, sample: Sample) -> None:
        if sample.fatal and sample.failure is not None:
            message = sample.failure.describe().message.partition("\n")[0]
            said = f"{sample.failure.key.type}: {message}"
            self.schedule.stop(f"every further run would end the same way ({said})")
        elif sample.timed_out and (reason := self.crew.stuck()):
            self.schedule.stop(reason)


class Pool:
    """The lanes of a session; driven by one thread, filled again by whichever has made a run."""

    def __init__(self) -> None:
        self._lanes: dict[Inbox, Lane] = {}
        self._driven: Lane | None = None
        self._most: Callable[[], int] = lambda: 0
        self._passed: deque[tuple[Inbox, Sample]] = deque()
        self._turn = RLock()
        """Held by who changes lanes."""
        self._is_changing = False
        self._for_driver: SimpleQueue[tuple[Inbox, _Delivery] | None] = SimpleQueue()
        """What it has to take, and ``None`` where it has to look again."""
        self._may_open = False
        self._alarm = inf
        """When the driver looks again without being called."""

    def inbox(self) -> Inbox:
        """A new one, for the crew of a lane."""
        return Inbox(self._deliver)

    def enter(self, inbox: Inbox, lane: Lane) -> None:
        """Let the runs of ``lane`` have the room that those before it leave."""
        with self._changing():
            self._lanes[inbox] = lane

    def leave(self, inbox: Inbox, *, patient: bool = False) -> None:
        """The lane is over, or given up: nobody listens to its runs any more."""
        with self._changing():
            lane = self._lanes.pop(inbox, None)
            self._driven = None if self._driven is lane else self._driven
        if lane is not None:
            lane.crew.close(patient=patient)

    def drive(
        self, inbox: Inbox, open_next: Callable[[], bool] = lambda: False, *, most: Callable[[], int]
    ) -> None:
        """Run one lane to its end; the others go on beside it, with what room it leaves.

        Args:
            inbox: of the lane.
            most: says how many runs may be in flight over all lanes, which may change in the meantime. It is
                asked from any thread, and until the next lane is driven.
            open_next: enters one more lane at the end, and says whether there was one. It is asked when no
                run is left that could be started.

        Raises:
            BaseException: what a run of this lane raised to end the session, or ``KeyboardInterrupt``.
        """
        lane = self._lanes[inbox]
        self._driven, self._most, self._may_open = lane, most, True
        try:
            while not self._advance(lane):
                self._open(open_next)
                self._listen()
        except BaseException:
            self.leave(inbox)
            raise
        self.leave(inbox, patient=lane.ending is None)
        if lane.ending is not None:
            raise lane.ending

    def _advance(self, lane: Lane) -> bool:
        """Start what there is room for, and say whether ``lane`` is over."""
        with self._changing():
            self._fill()
            return lane.is_over

    def _open(self, open_next: Callable[[], bool]) -> None:
        while self._may_open and self._is_dry:
            self._may_open = open_next()
            with self._changing():
                self._fill()

    def _listen(self) -> None:
        """Take what is for the driver, at least once; where nothing comes in time, a run is given up."""
        with self._turn:
            self._alarm = self._earliest
        patience = None if self._alarm == inf else max(0.0, self._alarm - monotonic())
        try:
            news = [self._for_driver.get(timeout=patience)]
        except Empty:
            with self._changing():
                self._take_passed()
                if (moment := self._earliest) <= monotonic():
                    next(lane for lane in self._lanes.values() if lane.deadline == moment).give_up_eldest()
            return
        news += [self._for_driver.get() for _ in range(self._for_driver.qsize())]
        with self._changing():
            for inbox, delivery in filter(None, news):
                self._take(inbox, delivery)

    def _deliver(self, inbox: Inbox, delivery: _Delivery) -> None:
        if isinstance(delivery, Sample) and _is_plain(delivery):
            self._passed.append((inbox, delivery))
            self._settle()
        else:
            self._for_driver.put((inbox, delivery))

    def _settle(self) -> None:
        """Record the runs that have passed and start others, unless a thread is about to do so."""
        while self._passed and self._turn.acquire(blocking=False):
            is_within, self._is_changing = self._is_changing, True
            try:
                if is_within:  # further up in this very thread, which goes on with it
                    return
                self._take_passed()
                self._fill()
                self._call_driver()
            finally:
                self._is_changing = is_within
                self._turn.release()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change lanes; what passed in the meantime is seen to afterwards."""
        with self._turn:
            is_within, self._is_changing = self._is_changing, True
            try:
                yield
            finally:
                self._is_changing = is_within
        self._settle()

    def _take_passed(self) -> None:
        while self._passed:
            self._take(*self._passed.popleft())

    def _take(self, inbox: Inbox, delivery: _Delivery) -> None:
        lane = self._lanes.get(inbox)
        if lane is not None:
            lane.take(delivery)

    def _fill(self) -> None:
        """Start what is due: of the lane that is driven, and of the others in their order."""
        lanes = list(self._lanes.values())
        room = self._most() - sum(lane.in_flight for lane in lanes)
        if self._driven is not None:
            room -= self._driven.start(room)
        for lane in lanes:
            if room <= 0:
                return
            room -= lane.start(room)

    def _call_driver(self) -> None:
        """Wake it if there is something that only it can do, and it is not going to look anyway."""
        is_over = self._driven is not None and self._driven.is_over
        is_wanted = is_over or (self._may_open and self._is_dry) or self._earliest < self._alarm
        if is_wanted and self._for_driver.empty():
            self._for_driver.put(None)

    @property
    def _is_dry(self) -> bool:
        """Whether no run is left that could be started if there were room."""
        return not any(lane.schedule.is_due for lane in self._lanes.values())

    @property
    def _earliest(self) -> float:
        """When the next run has to be given up; ``inf`` for never."""
        return min((lane.deadline for lane in self._lanes.values()), default=inf)


def _is_plain(sample: Sample) -> bool:
    """Whether there is nothing to say of a run but that it has passed."""
    return sample.outcome is Outcome.PASSED and sample.teardown is None
