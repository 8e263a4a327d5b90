"""Recorded calls: one track per case, wording and run, and in it the calls in the order in which they began.

A call is found by its place, never by what it asks: equal requests of different runs have different answers.
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from pytest_llmrel.errors import Unreplayable
from pytest_llmrel.wire.fingerprint import difference

__all__ = ["Address", "Player", "Recorded", "Recorder", "Tape", "Track"]

Address = tuple[str, str, int]
"""Case, key of the wording, number of the run."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call as it was.

    Attributes:
        request: its fingerprint.
        status: of the answer, ``None`` if the client raised in place of one.
        headers: of the answer that are kept.
        body: of the answer, decoded.
        seconds: from sending to the end of the answer.
        error: name of the client library's exception that came in place of the answer or ended it, or ``""``.
        retries: how often it was sent before, and not answered well.
    """

    request: Mapping[str, str]
    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 0.0
    error: str = ""
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Track:
    """All calls of one run.

    Attributes:
        seconds: that the run took, waiting for throttled hosts excluded.
    """

    case: str
    variant: str
    run: int
    seconds: float
    calls: tuple[Recorded, ...]

    @property
    def address(self) -> Address:
        """What it is found by."""
        return self.case, self.variant, self.run


@dataclass(frozen=True, slots=True)
class Tape:
    """The tracks of one test.

    Attributes:
        test: name of the test within its module.
        version: of pytest_llmrel that wrote it.
        tracks: by address.
    """

    test: str = ""
    version: str = ""
    tracks: Mapping[Address, Track] = field(default_factory=dict)


class Player:
    """Plays one track; thread-safe.

    Args:
        track: to be played.
        ignored: fields of requests that may differ.
    """

    def __init__(self, track: Track, ignored: Collection[str] = ()) -> None:
        self.track = track
        self._ignored = ignored
        self._lock = threading.Lock()
        self._next = 0

    @property
    def left(self) -> int:
        """Calls that were recorded and have not been made."""
        return len(self.track.calls) - self._next

    def play(self, request: Mapping[str, str]) -> Recorded:
        """The answer to the next call.

        Raises:
            Unreplayable: the track is at its end, or this is another request than was recorded.
        """
        with self._lock:
            position = self._next
            self._next += 1
        if position >= len(self.track.calls):
            raise Unreplayable(
                f"call {position + 1} of run {self.track.run} is not on the tape, which ends after "
                f"{len(self.track.calls)}; delete the tape and record it anew with --llmrel-tape=record"
            )
        recorded = self.track.calls[position]
        changed = difference(recorded.request, request, self._ignored)
        if changed:
            raise Unreplayable(
                f"call {position + 1} of run {self.track.run} is not the one on the tape: {changed}; delete "
                "the tape and record it anew, or name the field in the ini key llmrel_tape_ignore"
            )
        return recorded


class Recorder:
    """Takes the calls of one run, in the order in which they begin; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Recorded | None] = []
        self._retries: dict[int, int] = {}

    def begin(self) -> int:
        """A place for the next call."""
        with self._lock:
            self._calls.append(None)
            return len(self._calls) - 1

    def again(self, place: int) -> None:
        """The call is sent once more."""
        self._retries[place] = self._retries.get(place, 0) + 1

    def end(self, place: int, recorded: Recorded) -> None:
        """What became of the call."""
        retries = self._retries.get(place, 0)
        self._calls[place] = replace(recorded, retries=retries) if retries else recorded

    @property
    def calls(self) -> tuple[Recorded, ...] | None:
        """All of them; ``None`` while one of them has not ended."""
        ended = [call for call in self._calls if call is not None]
        return tuple(ended) if len(ended) == len(self._calls) else None
