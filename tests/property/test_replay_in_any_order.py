"""Laws of replays: whatever order runs and their calls take, on threads or not, each run hears its own answers."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.model import Attempt, Variant
from pytest_llmrel.core.run import Run
from pytest_llmrel.errors import Unreplayable
from pytest_llmrel.wire.course import course_of
from pytest_llmrel.wire.fingerprint import fingerprint
from pytest_llmrel.wire.item import ItemWire
from pytest_llmrel.wire.redaction import Redactor
from pytest_llmrel.wire.run import RunWire, current_wire
from pytest_llmrel.wire.session import Policy, SessionWire, TapeMode
from pytest_llmrel.wire.steps import Answer, Deliver, Head, Request
from pytest_llmrel.wire.tape import Recorded, Tape, Track

REQUEST = Request("POST", "http://h/v1/chat/completions", (), b'{"model": "m"}')
JSON = (("content-type", "application/json"),)
VARIANTS = (Variant(), Variant("0a1b2c3d", "How long?"))
attempts = st.lists(
    st.builds(
        Attempt,
        st.sampled_from(["", "case 1"]),
        st.sampled_from(VARIANTS),
        st.integers(0, 4),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: (one.case, one.variant.key, one.run),
)


def said(attempt: Attempt, number: int) -> bytes:
    """What a model answered to a call of a run."""
    return f"{attempt.case}|{attempt.variant.key}|{attempt.run}|{number}".encode()


def ended(course: Any, *outcomes: Any) -> Any:
    """The end of a course whose steps have these outcomes."""
    try:
        next(course)
        for outcome in outcomes:
            course.send(outcome)
    except StopIteration as end:
        return end.value
    raise AssertionError("the course goes on")


def item(mode: TapeMode, tape: Tape | None = None) -> ItemWire:
    """The wire of a test."""
    return ItemWire(SessionWire(policy=Policy(mode=mode)), None, tape)


def begun(wire: ItemWire, attempt: Attempt) -> tuple[Run, RunWire]:
    """A run, and its wire; the calls of these tests name their wire themselves."""
    run = Run(attempt)
    return run, copy_context().run(wire.begin, run)


def heard(wire: RunWire) -> bytes:
    """The next answer that a run hears."""
    end = ended(course_of(wire, REQUEST))
    assert isinstance(end, Answer)
    return b"".join(end.chunks)


@given(st.data(), attempts, st.integers(1, 4))
def test_a_recording_replays(data: st.DataObject, runs: Sequence[Attempt], calls: int) -> None:
    """Runs that ask the same, recorded with their calls ending in any order, hear the same in any other order."""
    recording, wires, open_ones = item(TapeMode.RECORD), {}, []
    for attempt in runs:
        run, wire = begun(recording, attempt)
        wires[attempt] = run, wire
    beginnings = data.draw(st.permutations([attempt for attempt in runs for _ in range(calls)]))
    counts = dict.fromkeys(runs, 0)
    for attempt in beginnings:
        end = ended(course_of(wires[attempt][1], REQUEST), Head(200, JSON))
        assert isinstance(end, Deliver)
        open_ones.append((end.intake, said(attempt, counts[attempt])))
        counts[attempt] += 1
    for intake, body in data.draw(st.permutations(open_ones)):
        intake.finish(body)
    for run, wire in data.draw(st.permutations(list(wires.values()))):
        recording.end(run, wire, 0.5)
    replaying = item(TapeMode.REPLAY, Tape("t", "1", recording.new_tracks))
    assert replaying.lacks(runs) == ""
    players = {attempt: begun(replaying, attempt)[1] for attempt in data.draw(st.permutations(runs))}
    order = data.draw(st.permutations([attempt for attempt in runs for _ in range(calls)]))
    counts = dict.fromkeys(runs, 0)
    for attempt in order:
        assert heard(players[attempt]) == said(attempt, counts[attempt])
        counts[attempt] += 1


@given(attempts, st.integers(1, 3), st.randoms(use_true_random=False))
def test_threads_hear_their_own(runs: Sequence[Attempt], calls: int, luck: Any) -> None:
    """Every run on a thread of its own, all let go at once and started in any order."""
    asked = fingerprint(REQUEST, Redactor())
    tracks = [
        Track(one.case, one.variant.key, one.run, 0.1,
              tuple(Recorded(asked, 200, JSON, said(one, number)) for number in range(calls)))
        for one in runs
    ]  # fmt: skip
    wire = item(TapeMode.REPLAY, Tape("t", "1", {track.address: track for track in tracks}))
    gate = threading.Barrier(len(runs))
    order = luck.sample(list(runs), len(runs))

    def replay(attempt: Attempt) -> list[bytes]:
        own = wire.begin(Run(attempt))  # in the context of this thread
        gate.wait()
        assert current_wire.get() is own
        return [heard(own) for _ in range(calls)]

    with ThreadPoolExecutor(len(runs)) as pool:
        results = list(pool.map(replay, order))
    assert results == [[said(attempt, number) for number in range(calls)] for attempt in order]


@given(attempts, st.integers(0, 3))
def test_a_call_too_many_is_of_its_run_alone(runs: Sequence[Attempt], calls: int) -> None:
    """A run that asks once more than it was recorded is refused; the others do not lack what it took."""
    asked = fingerprint(REQUEST, Redactor())
    tracks = [
        Track(one.case, one.variant.key, one.run, 0.1, (Recorded(asked, 200, JSON, said(one, 0)),) * calls)
        for one in runs
    ]
    wire = item(TapeMode.REPLAY, Tape("t", "1", {track.address: track for track in tracks}))
    players = [begun(wire, attempt)[1] for attempt in runs]
    for player in players:
        for _ in range(calls):
            heard(player)
        with pytest.raises(Unreplayable) as caught:
            heard(player)
        assert player.refusal is caught.value
