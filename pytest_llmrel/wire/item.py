"""The calls of one test: a wire for each of its runs, its tape, and what was sent outside of any run."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from pytest_llmrel.core.call import Call, Traffic
from pytest_llmrel.core.fault import FaultPlan
from pytest_llmrel.core.model import Attempt
from pytest_llmrel.core.run import Run, replaying
from pytest_llmrel.wire.faults import Injector
from pytest_llmrel.wire.run import RunWire, current_wire
from pytest_llmrel.wire.session import SessionWire, TapeMode
from pytest_llmrel.wire.tape import Address, Player, Recorder, Tape, Track

__all__ = ["ItemWire"]

_RECORD: Final = "record what is missing with --llmrel-tape=record"


class ItemWire:
    """One per test; runs use it from several threads at once.

    Args:
        session: what is shared.
        faults: what the calls meet on purpose.
        tape: what is recorded of this test so far, ``None`` if nothing is.

    Attributes:
        alone: whether runs come one at a time.
        outside: wire of the calls that belong to no run.
        only: wire of the run in progress, where runs come one at a time; calls of its threads are its own.
    """

    def __init__(
        self, session: SessionWire, faults: FaultPlan | None = None, tape: Tape | None = None
    ) -> None:
        self.session = session
        self.outside = RunWire(session)
        self.alone = False
        self.only: RunWire | None = None
        self._unrecorded: list[Attempt] = []
        self._cut_short = 0
        self._outside = 0
        self.tape = tape or Tape()
        self._faults = faults
        self._recorded: dict[Address, Track] = {}

    @property
    def mode(self) -> TapeMode:
        """Of the session."""
        return self.session.policy.mode

    @property
    def new_tracks(self) -> dict[Address, Track]:
        """What was recorded in this session."""
        return dict(self._recorded)

    def lacks(self, todo: Collection[Attempt]) -> str:
        """Why these runs cannot be replayed, with what to do; ``""`` if they can, or need not be."""
        if self.mode is not TapeMode.REPLAY:
            return ""
        missing = [attempt for attempt in todo if _address(attempt) not in self.tape.tracks]
        if not missing:
            return ""
        if not self.tape.tracks:
            return f"there is no tape; {_RECORD}"
        first = missing[0]
        which = f"run {first.run}" + (f" of wording {first.variant.text!r}" if first.variant.key else "")
        return f"the tape lacks {len(missing)} of {len(todo)} runs, first of all {which}; {_RECORD}"

    def may_recall(self, attempt: Attempt) -> bool:
        """Whether a run that an earlier session made can stand for this one, and leave no gap on the tape."""
        return self.mode is not TapeMode.RECORD or _address(attempt) in self.tape.tracks

    def begin(self, run: Run) -> RunWire:
        """The wire of ``run``; the code that runs in this context is seen to belong to it."""
        track = None if self.mode is TapeMode.OFF else self.tape.tracks.get(_address(run.attempt))
        recorder = Recorder() if track is None and self.mode is TapeMode.RECORD else None
        wire = RunWire(
            self.session,
            None if self._faults is None else Injector(self._faults, run.seed),
            None if track is None else Player(track, self.session.policy.ignored),
            recorder,
        )
        current_wire.set(wire)
        replaying.set(wire.player is not None)
        if self.alone:
            self.only = wire
        return wire

    def end(self, run: Run, wire: RunWire, seconds: float) -> Traffic:
        """What ``run`` sent, after it has ended; its track is kept.

        Args:
            run: that has ended.
            wire: of it.
            seconds: it took.
        """
        wire.end()
        if self.only is wire:
            self.only = None
        if wire.player is not None and wire.player.left:
            self._cut_short += 1
        if wire.recorder is not None:
            self._keep(run.attempt, wire.recorder, seconds)
        reported = [self._priced(call) for call in run.reported]
        for call in reported:
            self.session.pay(call)
        return Traffic((*wire.calls, *reported), wire.injected, wire.retries, wire.counted + len(reported))

    def take_outside(self) -> list[Call]:
        """The calls so far that belong to no run, each once."""
        self.outside.end()
        calls, self.outside.calls = self.outside.calls, []
        self._outside += len(calls)
        return calls

    @property
    def notes(self) -> list[str]:
        """What a reader has to know of recording, and of calls that belong to no run."""
        notes = []
        if self._outside:
            where = ", and are on no tape" if self.mode is TapeMode.RECORD else ""
            notes.append(
                f"{self._outside} calls were made outside of any run, by shared fixtures or threads{where}"
            )
        if self._unrecorded:
            notes.append(
                f"{len(self._unrecorded)} runs are on no tape: a call had not ended, or was cancelled"
            )
        if self._cut_short:
            notes.append(
                f"{self._cut_short} runs made fewer calls than their tape holds; if that is how the code is "
                "now, delete the tape and record it anew"
            )
        return notes

    def _keep(self, attempt: Attempt, recorder: Recorder, seconds: float) -> None:
        calls = recorder.calls
        if calls is None:
            self._unrecorded.append(attempt)
            return
        address = _address(attempt)
        self._recorded[address] = Track(*address, seconds, calls)

    def _priced(self, call: Call) -> Call:
        if call.cost is not None or call.usage is None:
            return call
        return replace(call, cost=self.session.prices.cost(call.usage))


def _address(attempt: Attempt) -> Address:
    return attempt.case, attempt.variant.key, attempt.run
