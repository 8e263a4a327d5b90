"""The wire of one run: how long it was held back, what it refused, what it left open, what a tape gave it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from pytest_llmrel.core.run import judging
from pytest_llmrel.errors import BudgetSpent, Unreplayable
from pytest_llmrel.wire import run as module
from pytest_llmrel.wire.budget import Budget
from pytest_llmrel.wire.fingerprint import fingerprint
from pytest_llmrel.wire.run import Listening, RunWire
from pytest_llmrel.wire.steps import Head, Request
from pytest_llmrel.wire.tape import Player, Recorded, Recorder, Track

Ask = Callable[..., Request]
MakeWire = Callable[..., RunWire]
JSON = (("content-type", "application/json"), ("set-cookie", "session=1"), ("X-Request-Id", "r-1"))
BODY = b'{"model": "gpt-4o-mini", "usage": {"prompt_tokens": 10, "completion_tokens": 2}}'


class Clock:
    """Seconds, as the test sets them."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """In place of the real one, for what a run measures."""
    wound = Clock()
    monkeypatch.setattr(module, "monotonic", wound)
    return wound


def listening(wire: RunWire, request: Request, place: int | None = None) -> Listening:
    """An answer on its way, admitted by the throttle of its host."""
    throttle = wire.session.throttle(request.origin)
    throttle.admit()
    return Listening(wire, request, Head(200, JSON), throttle, began=50.0, place=place)


def test_waiting_is_the_union_of_the_waits(make_wire: MakeWire, clock: Clock) -> None:
    """Two calls that are held at the same time hold the run once: 50-53 and 52-56 are six seconds, then one more."""
    wire = make_wire()
    for now, change in (
        (50, wire.hold),
        (52, wire.hold),
        (53, wire.go_on),
        (56, wire.go_on),
        (60, wire.hold),
    ):
        clock.now = now
        change()
    clock.now = 61
    assert wire.waited == 7.0  # a wait that goes on counts so far
    wire.go_on()
    clock.now = 99
    assert wire.waited == 7.0


def test_a_run_that_was_never_held_has_not_waited(make_wire: MakeWire, clock: Clock) -> None:
    """However long it takes."""
    wire = make_wire()
    clock.now = 99
    assert wire.waited == 0.0


def test_threads_hold_and_go_on(make_wire: MakeWire) -> None:
    """Ten thousand waits of eight threads leave none open."""
    wire = make_wire()

    def wait() -> None:
        for _ in range(1250):
            wire.hold()
            wire.go_on()

    threads = [threading.Thread(target=wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wire.waited == wire.waited  # it stands still: nobody waits


def test_the_first_refusal_is_remembered(make_wire: MakeWire) -> None:
    """What follows from it is not the reason why the run ended."""
    wire = make_wire()
    first, second = Unreplayable("first"), BudgetSpent("second")
    assert wire.refuse(first) is first
    assert wire.refuse(second) is second
    assert wire.refusal is first


@pytest.mark.parametrize(
    "ends", [["finish", "abandon"], ["abandon", "finish"], ["finish", "finish"], ["abandon"] * 3]
)
def test_an_answer_ends_once(make_wire: MakeWire, ask: Ask, ends: list[str]) -> None:
    """Whoever says so first: one call, one place given back, one recording at most."""
    wire, request = make_wire(recorder=Recorder()), ask()
    assert wire.recorder is not None
    answer = listening(wire, request, wire.recorder.begin())
    assert wire.is_listening
    for end in ends:
        answer.finish(BODY) if end == "finish" else answer.abandon()
    assert len(wire.calls) == 1
    assert wire.session.throttle(request.origin).in_flight == 0
    assert not wire.is_listening
    assert (wire.recorder.calls is None) == (ends[0] == "abandon")


def test_threads_end_an_answer_once(make_wire: MakeWire, ask: Ask) -> None:
    """A client that reads to the end while the run is ended by force is counted once."""
    for _ in range(50):
        wire, request = make_wire(), ask()
        answer, gate = listening(wire, request), threading.Barrier(2)
        ends: list[Callable[[], None]] = [lambda answer=answer: answer.finish(BODY), wire.end]

        def end(how: Callable[[], None], gate: threading.Barrier = gate) -> None:
            gate.wait()
            how()

        threads = [threading.Thread(target=end, args=(how,)) for how in ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(wire.calls) == 1
        assert wire.session.throttle(request.origin).in_flight == 0


def test_an_answer_is_timed_and_recorded(make_wire: MakeWire, ask: Ask, clock: Clock) -> None:
    """From sending to the end of the body; on the tape are the kept headers alone, no cookie."""
    wire, request = make_wire(recorder=Recorder()), ask()
    assert wire.recorder is not None
    answer = listening(wire, request, wire.recorder.begin())
    clock.now = 52.5
    answer.finish(BODY)
    ((recorded,), (call,)) = wire.recorder.calls or (), wire.calls
    assert (recorded.seconds, call.seconds, recorded.status, recorded.body) == (2.5, 2.5, 200, BODY)
    assert recorded.headers == (("content-type", "application/json"), ("x-request-id", "r-1"))
    assert recorded.request == fingerprint(request, wire.session.redactor)


def test_a_call_knows_for_what_it_was_made_when_it_began(make_wire: MakeWire, ask: Ask) -> None:
    """An answer that a judge asked for is the judge's, also when it is read to its end after the judging."""
    wire = make_wire()
    token = judging.set(True)
    answer = listening(wire, ask())
    judging.reset(token)
    answer.finish(BODY)
    listening(wire, ask()).abandon()
    assert [call.judge for call in wire.calls] == [True, False]


@pytest.mark.parametrize("status", [200, 500, None])
def test_what_a_tape_gives_is_counted_and_not_paid(make_wire: MakeWire, ask: Ask, status: int | None) -> None:
    """With usage and price of the recording, marked as replayed, whether an answer came or an error."""
    wire, request = make_wire(session={"budget": Budget(1e-9)}), ask()
    fields = fingerprint(request, wire.session.redactor)
    recorded = Recorded(fields, status, JSON[:1], BODY, 1.5, "" if status else "ReadTimeout")
    wire.player = Player(Track("", "", 0, 2.0, (recorded,)))
    assert wire.replayed(request) is recorded
    (call,) = wire.calls
    assert (call.replayed, call.status, call.seconds, call.error) == (True, status, 1.5, recorded.error)
    assert (wire.session.budget.spent, wire.session.budget.reason) == (0.0, "")


def test_a_broken_answer_of_a_tape_is_not_damaged(make_wire: MakeWire, ask: Ask) -> None:
    """Its connection broke, which is told by its error; half a document is no lie then."""
    damages: list[Any] = []
    for error in ("", "ReadError"):
        wire, request = make_wire(), ask()
        fields = fingerprint(request, wire.session.redactor)
        wire.player = Player(Track("", "", 0, 2.0, (Recorded(fields, 200, JSON, BODY[:9], 1.5, error),)))
        wire.replayed(request)
        damages.append(bool(wire.calls[0].damage))
    assert damages == [True, False]


def test_a_free_call_of_a_tape_is_none(make_wire: MakeWire, ask: Ask) -> None:
    """It is played, and not counted, as when it was made."""
    wire, request = make_wire(), ask(method="GET", body=b"")
    fields = fingerprint(request, wire.session.redactor)
    wire.player = Player(Track("", "", 0, 2.0, (Recorded(fields, 200),)))
    assert wire.replayed(request).status == 200
    assert wire.calls == []


def test_what_a_run_left_open_is_closed(make_wire: MakeWire, ask: Ask, clock: Clock) -> None:
    """All of it, with an unknown cost and the time so far; the hosts get their places back."""
    wire, requests = make_wire(), [ask(url=f"http://a:{port}/v1/chat/completions") for port in (1, 1, 2)]
    answers = [listening(wire, request) for request in requests]
    answers[0].finish(BODY)
    clock.now = 51
    wire.end()
    assert [(call.error, call.cost) for call in wire.calls[1:]] == [("left open", None)] * 2
    assert [call.seconds for call in wire.calls] == [0.0, 1.0, 1.0]
    assert [wire.session.throttle(host).in_flight for host in ("a:1", "a:2")] == [0, 0]
