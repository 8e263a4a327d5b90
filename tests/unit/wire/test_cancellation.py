"""A call that is cancelled, in whatever step it is: nothing is held afterwards, and no tape tells of it."""

import asyncio
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from pytest_llmrel.core.fault import FaultPlan
from pytest_llmrel.wire.course import course_of
from pytest_llmrel.wire.faults import Injector
from pytest_llmrel.wire.internals import watched_clients
from pytest_llmrel.wire.run import RunWire
from pytest_llmrel.wire.steps import Deliver, Head, Read, Request, Send, Wait
from pytest_llmrel.wire.tape import Recorder

from .asking import ASKED, LIBRARIES, QUESTION, in_pieces, reply, serving

MakeWire = Callable[..., RunWire]
Ask = Callable[..., Request]
CANCELLATIONS = [asyncio.CancelledError, KeyboardInterrupt, GeneratorExit, SystemExit]


def assert_nothing_held(wire: RunWire, origin: str) -> None:
    """No place at the host, no open answer, no wait that goes on, no track of half a run."""
    assert wire.session.throttle(origin).in_flight == 0
    assert not wire.is_listening
    assert wire.waited == wire.waited
    assert wire.recorder is not None
    assert wire.recorder.calls is None


def cancelled_at(course: Generator[Any, Any, Any], steps: list[Any], error: BaseException) -> None:
    """Take the steps, each answered in turn, and cancel the last of them; the error must come back as it was."""
    answer = None
    for number, (kind, outcome) in enumerate(steps, 1):
        assert isinstance(course.send(answer), kind)
        answer = outcome
        if number == len(steps):
            with pytest.raises(type(error)) as caught:
                course.throw(error)
            assert caught.value is error


BUSY = Head(500, ())
STEPS = {
    "waiting for a place": [(Wait, None)],
    "sending": [(Wait, None), (Send, None)],
    "pausing": [(Wait, None), (Send, BUSY), (Wait, None)],
    "sending again": [(Wait, None), (Send, BUSY), (Wait, None), (Send, None)],
    "reading": [(Wait, None), (Send, Head(200, ())), (Read, None)],
}


@pytest.mark.parametrize("kind", CANCELLATIONS)
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_every_step_of_a_course(
    make_wire: MakeWire, ask: Ask, steps: list[Any], kind: type[BaseException]
) -> None:
    """Whatever step is cancelled by whatever signal, the course lets go of all it held, and raises that signal."""
    injector = Injector(FaultPlan(("truncated",)), 1)
    wire, request = make_wire(recorder=Recorder(), injector=injector), ask()
    throttle = wire.session.throttle(request.origin)
    throttle.limit = 1
    assert throttle.admit() == 0.0  # somebody else is there first
    course = course_of(wire, request)
    assert isinstance(next(course), Wait)
    if len(steps) == 1:
        with pytest.raises(kind):
            course.throw(kind())
        throttle.release()
    else:
        throttle.release()
        cancelled_at(course, steps[1:], kind())
    assert_nothing_held(wire, request.origin)
    assert throttle.admit() == 0.0


def test_a_course_that_nobody_ends(make_wire: MakeWire, ask: Ask) -> None:
    """A generator that is thrown away while it waits or sends holds nothing, either."""
    wire, request = make_wire(recorder=Recorder()), ask()
    for answers in ([], [BUSY], [BUSY, None]):
        course = course_of(wire, request)
        next(course)
        for answer in answers:
            course.send(answer)
        course.close()
        assert_nothing_held(wire, request.origin)


@pytest.mark.parametrize("kind", CANCELLATIONS[:2])
def test_an_answer_whose_reading_was_cancelled(
    make_wire: MakeWire, ask: Ask, kind: type[BaseException]
) -> None:
    """It is counted, with an unknown cost; a tape of it would replay an error where there was a cancellation."""
    wire, request = make_wire(recorder=Recorder()), ask()
    course = course_of(wire, request)
    next(course)
    with pytest.raises(StopIteration) as ended:
        course.send(Head(200, (("content-type", "application/json"),)))
    assert isinstance(ended.value.value, Deliver)
    ended.value.value.intake.finish(b"half", kind())
    assert [(call.error, call.cost) for call in wire.calls] == [(kind.__name__, None)]
    assert_nothing_held(wire, request.origin)


@pytest.mark.parametrize("error", [ValueError("x"), OSError("x")])
def test_an_error_is_no_cancellation(make_wire: MakeWire, ask: Ask, error: Exception) -> None:
    """An answer that broke off is on the tape as far as it came, with the name of its error."""
    wire, request = make_wire(recorder=Recorder()), ask()
    course = course_of(wire, request)
    next(course)
    with pytest.raises(StopIteration) as ended:
        course.send(Head(200, ()))
    ended.value.value.intake.finish(b"half", error)
    assert wire.recorder is not None
    assert [(call.body, call.error) for call in wire.recorder.calls or ()] == [
        (b"half", type(error).__name__)
    ]


class Stalling:
    """Answers a part, and keeps the rest until the test is over."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.begun = threading.Event()
        self.over = threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Nothing, a refusal, or the beginning of an answer."""
        if self.part == "pausing":
            reply(handler, status=429, retry_after="50")
        elif self.part != "sending":
            in_pieces(handler, b"data: {}\n\n", ends=False)
        self.begun.set()
        self.over.wait(20)


async def cancelled(library: Any, url: str, part: str, stalling: Stalling) -> None:
    """Cancel a call as soon as it is where it stalls."""
    reached = asyncio.Event()

    async def call() -> None:
        async with library.AsyncClient(timeout=20) as client:
            if part != "streaming":
                await client.post(url, json=QUESTION)
                return
            async with client.stream("POST", url, json=QUESTION) as response:
                async for _ in response.aiter_bytes():
                    reached.set()

    task = asyncio.create_task(call())
    await asyncio.to_thread(stalling.begun.wait, 20)
    if part == "streaming":
        await reached.wait()
    else:
        await asyncio.sleep(0.1)  # until the client has what the server has sent
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("part", ["pausing", "sending", "reading", "streaming"])
def test_clients_that_are_cancelled(library: Any, part: str, make_wire: MakeWire) -> None:
    """A real task is cancelled while it waits, sends, reads and streams: it ends at once, and nothing is held."""
    wire, stalling = make_wire(recorder=Recorder()), Stalling(part)
    with serving(stalling) as url, watched_clients(lambda request: course_of(wire, request)):
        try:
            asyncio.run(cancelled(library, url + ASKED, part, stalling))
        finally:
            stalling.over.set()
        assert_nothing_held(wire, url.removeprefix("http://"))
    assert len(wire.calls) == 1
    assert wire.calls[0].error == ("" if part == "pausing" else "CancelledError")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("fault", ["truncated", "malformed"])
def test_an_answer_that_is_to_be_spoiled_is_cancelled(library: Any, fault: str, make_wire: MakeWire) -> None:
    """The body is read by us then: its connection is closed, and the place at the host is free."""
    wire = make_wire(recorder=Recorder(), injector=Injector(FaultPlan((fault,)), 1))
    stalling = Stalling("reading")
    with serving(stalling) as url, watched_clients(lambda request: course_of(wire, request)):
        try:
            asyncio.run(cancelled(library, url + ASKED, "reading", stalling))
        finally:
            stalling.over.set()
        assert_nothing_held(wire, url.removeprefix("http://"))
    assert [call.error for call in wire.calls] == ["CancelledError"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_thread_that_is_interrupted_while_it_streams(library: Any, make_wire: MakeWire) -> None:
    """An exception in the loop over an answer closes it: what had come counts, and nothing is held."""
    wire = make_wire()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        in_pieces(handler, *[b"data: {}\n\n"] * 100)

    def interrupted(url: str) -> None:
        with library.Client() as client, client.stream("POST", url, json=QUESTION) as response:
            for _ in response.iter_bytes():
                raise KeyboardInterrupt

    with serving(answer) as url, watched_clients(lambda request: course_of(wire, request)):
        with pytest.raises(KeyboardInterrupt):
            interrupted(url)
        assert wire.session.throttle(url.removeprefix("http://")).in_flight == 0
    assert len(wire.calls) == 1
    assert not wire.is_listening
