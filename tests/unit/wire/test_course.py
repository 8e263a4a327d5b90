"""How one call goes, step by step and without sending anything: retries, throttling, budgets, faults, tapes."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from pytest_llmrel.core.fault import FaultPlan
from pytest_llmrel.errors import BudgetSpent, Unreplayable
from pytest_llmrel.wire.budget import Budget
from pytest_llmrel.wire.course import course_of
from pytest_llmrel.wire.faults import SLOW_SECONDS, Injector
from pytest_llmrel.wire.fingerprint import fingerprint
from pytest_llmrel.wire.run import RunWire
from pytest_llmrel.wire.steps import Answer, Deliver, Fail, Head, Read, Request, Send, Wait
from pytest_llmrel.wire.tape import Player, Recorded, Recorder, Track

Ask = Callable[..., Request]
MakeWire = Callable[..., RunWire]
BODY = json.dumps({"model": "gpt-4o-mini", "usage": {"prompt_tokens": 10, "completion_tokens": 2}}).encode()


class ReadError(Exception):
    """Named as httpx names it."""


class NetworkError(Exception):
    """The class that httpx's own broken connections derive from."""


class Reset(NetworkError):
    """A broken connection."""


def go(wire: RunWire, request: Request, *answers: Any) -> tuple[list[Any], Any]:
    """Follow a course, answering each ``Send`` in turn; the steps it took, and its end."""
    course, left, steps = course_of(wire, request), list(answers), []
    try:
        step = next(course)
        while True:
            steps.append(step)
            answer = left.pop(0) if isinstance(step, Send) else BODY if isinstance(step, Read) else None
            step = course.throw(answer) if isinstance(answer, BaseException) else course.send(answer)
    except StopIteration as ended:
        assert left == []
        return steps, ended.value


def head(status: int = 200, **headers: str) -> Head:
    """The head of an answer."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Head(status, (("content-type", "application/json"), *named))


def test_an_answer_is_delivered_and_metered(make_wire: MakeWire, ask: Ask) -> None:
    """Tokens and cost are known when the client has read the body; the host has nothing in flight then."""
    wire, request = make_wire(), ask()
    steps, end = go(wire, request, head())
    assert steps == [Send()]
    assert isinstance(end, Deliver)
    assert (wire.calls, wire.session.throttle(request.origin).in_flight) == ([], 1)
    end.intake.finish(BODY)
    end.intake.finish(BODY)  # said twice, counted once
    (call,) = wire.calls
    assert call.usage is not None
    assert (call.usage.input_tokens, call.usage.output_tokens, call.status) == (10, 2, 200)
    assert call.cost == pytest.approx(10 * 0.15e-6 + 2 * 0.6e-6)
    assert wire.session.throttle(request.origin).in_flight == 0


@pytest.mark.parametrize("first", [head(500), head(503), head(529), Reset("reset")])
def test_what_is_not_the_models_doing_is_sent_again(make_wire: MakeWire, ask: Ask, first: Any) -> None:
    """After a pause, and told; 5xx does not lower what is in flight."""
    wire, request = make_wire(), ask()
    steps, end = go(wire, request, first, head())
    assert [type(step) for step in steps] == [Send, Wait, Send]
    assert isinstance(end, Deliver)
    assert wire.retries == 1
    assert len(wire.calls) == 1
    assert wire.session.throttle(request.origin).limit > 1e9


def test_retries_are_bounded(make_wire: MakeWire, ask: Ask) -> None:
    """The last answer is the client's, whatever it is; the pauses double."""
    wire = make_wire(retries=3)
    steps, end = go(wire, ask(), *[head(500)] * 4)
    assert [step.seconds for step in steps if isinstance(step, Wait)] == pytest.approx([0.1, 0.2, 0.4])
    assert isinstance(end, Deliver)
    assert end.head.status == 500


def test_the_last_broken_connection_is_raised(make_wire: MakeWire, ask: Ask) -> None:
    """As the client raised it; its cost is unknown, for it may have been billed."""
    wire, request = make_wire(retries=1), ask()
    error = Reset("the second")
    with pytest.raises(Reset, match="the second") as caught:
        go(wire, request, Reset("the first"), error)
    assert caught.value is error
    assert [call.cost for call in wire.calls] == [None, None]
    assert wire.session.throttle(request.origin).in_flight == 0


@pytest.mark.parametrize("error", [ReadError("slow"), KeyboardInterrupt(), asyncio.CancelledError()])
def test_other_errors_are_not_retried(make_wire: MakeWire, ask: Ask, error: BaseException) -> None:
    """A timeout has cost enough time, and a cancellation is one; the host's place is given back."""
    wire, request = make_wire(), ask()
    with pytest.raises(type(error)):
        go(wire, request, error)
    assert wire.session.throttle(request.origin).in_flight == 0


@pytest.mark.parametrize(
    "changes",
    [{"url": "https://shop.example/orders", "body": b"{}"}, {"body": None}, {"method": "GET", "body": b""}],
)
def test_only_what_does_no_harm_is_sent_twice(make_wire: MakeWire, ask: Ask, changes: dict[str, Any]) -> None:
    """An order that is placed twice is worse than one that fails; a stream is used up."""
    wire = make_wire()
    steps, _ = go(wire, ask(**changes), head(500))
    assert steps == [Send()]


def test_a_busy_host_gets_fewer_and_is_left_alone(make_wire: MakeWire, ask: Ask) -> None:
    """For as long as it says, and the wait is no latency of the run."""
    wire, request = make_wire(), ask()
    course = course_of(wire, request)
    assert next(course) == Send()
    assert isinstance(course.send(head(429, retry_after="0.05")), Wait)
    pause = course.send(None)
    assert isinstance(pause, Wait)
    assert 0 < pause.seconds <= 0.05
    assert wire.session.throttle(request.origin).limit == 1
    course.close()
    assert wire.waited > 0


def test_a_pause_beyond_all_bounds_is_passed_on(make_wire: MakeWire, ask: Ask) -> None:
    """A quota that is spent for the day makes nobody wait."""
    wire, request = make_wire(), ask()
    _, end = go(wire, request, head(429, retry_after="86400"))
    assert end.head.status == 429
    assert wire.session.throttle(request.origin).admit() in {0.0, 0.01}


@pytest.mark.parametrize("value", ["soon", "Wed, 21 Oct 2026 07:28:00 GMT", "-5", "nan", ""])
def test_a_pause_that_cannot_be_read_is_none(make_wire: MakeWire, ask: Ask, value: str) -> None:
    """The call goes on after the usual pause."""
    steps, end = go(make_wire(), ask(), head(429, retry_after=value), head())
    assert [type(step) for step in steps] == [Send, Wait, Send]
    assert end.head.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "a date"},
        {"retry-after-ms": "45000"},
        {"retry-after-ms": "45000", "retry-after": "1"},
        {"retry-after-ms": "soon", "retry-after": "45"},
    ],
)
def test_ways_to_ask_for_a_pause(make_wire: MakeWire, ask: Ask, headers: dict[str, str]) -> None:
    """A date, and OpenAI's milliseconds, which are more exact than the seconds beside them."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=48), usegmt=True)
    headers = {name: date if value == "a date" else value for name, value in headers.items()}
    course = course_of(make_wire(), ask())
    next(course)
    assert isinstance(course.send(Head(429, tuple(headers.items()))), Wait)
    pause = course.send(None)
    course.close()
    assert isinstance(pause, Wait)
    assert 40 < pause.seconds <= 50


def test_a_spent_budget_lets_nothing_through(make_wire: MakeWire, ask: Ask) -> None:
    """Not even a retry; and who swallows the signal is known."""
    wire = make_wire(session={"budget": Budget(0.01)})
    wire.session.budget.pay(0.02, "x")
    with pytest.raises(BudgetSpent, match=r"\$0.01 is spent"):
        go(wire, ask())
    assert isinstance(wire.refusal, BudgetSpent)


@pytest.mark.parametrize("fault", ["429", "500"])
def test_a_refusal_that_is_injected(make_wire: MakeWire, ask: Ask, fault: str) -> None:
    """Nothing is sent, nothing is counted as a call, and the body is one that SDKs understand."""
    wire = make_wire(injector=Injector(FaultPlan((fault,)), 1))
    steps, end = go(wire, ask())
    assert steps == []
    assert isinstance(end, Answer)
    assert end.status == int(fault)
    assert json.loads(b"".join(end.chunks))["error"]["message"]
    assert (wire.injected, wire.calls) == (1, [])


@pytest.mark.parametrize(
    ("fault", "names"), [("timeout", {"ReadTimeout", "ConnectTimeout"}), ("reset", {"ReadError"})]
)
def test_an_exception_that_is_injected(make_wire: MakeWire, ask: Ask, fault: str, names: set[str]) -> None:
    """By the name of the client library's own; a timeout strikes on connecting and on reading."""
    wire = make_wire(injector=Injector(FaultPlan((fault,)), 1))
    ends = [go(wire, ask())[1] for _ in range(30)]
    assert {end.name for end in ends if isinstance(end, Fail)} == names


@pytest.mark.parametrize(("fault", "breaks"), [("truncated", "RemoteProtocolError"), ("malformed", "")])
def test_an_answer_that_is_spoiled(make_wire: MakeWire, ask: Ask, fault: str, breaks: str) -> None:
    """It was sent and paid for; the client gets half of it, and an error or none."""
    wire = make_wire(injector=Injector(FaultPlan((fault,)), 1))
    steps, end = go(wire, ask(), head(content_length="99"))
    assert [type(step) for step in steps] == [Send, Read]
    assert isinstance(end, Answer)
    assert (b"".join(end.chunks), end.breaks) == (BODY[: len(BODY) // 2], breaks)
    assert "content-length" not in dict(end.headers)
    assert wire.calls[0].cost is not None


def test_a_slow_answer(make_wire: MakeWire, ask: Ask) -> None:
    """A patient client waits, and an impatient one gives up when it would."""
    wire = make_wire(injector=Injector(FaultPlan(("slow",)), 1))
    assert go(wire, ask(), head())[0] == [Wait(SLOW_SECONDS), Send()]
    impatient = Request("POST", ask().url, (), ask().body, 0.5)
    steps, end = go(wire, impatient)
    assert (steps, end) == ([Wait(0.5)], Fail("ReadTimeout", "timed out"))


def test_a_tape_answers(make_wire: MakeWire, ask: Ask) -> None:
    """Nothing is sent; usage and cost are those of the recording, and nobody pays."""
    wire = make_wire(session={"budget": Budget(1e-12)})
    fields = fingerprint(ask(), wire.session.redactor)
    headers = (("content-type", "application/json"),)
    wire.player = Player(Track("", "", 0, 0.1, (Recorded(fields, 200, headers, BODY, 0.25),)))
    steps, end = go(wire, ask())
    assert steps == []
    assert end == Answer(200, headers, (BODY,))
    (call,) = wire.calls
    assert (call.seconds, call.replayed, call.usage is not None) == (0.25, True, True)
    assert wire.session.budget.reason == ""
    with pytest.raises(Unreplayable, match="call 2 of run 0 is not on the tape, which ends after 1"):
        go(wire, ask())
    assert isinstance(wire.refusal, Unreplayable)


def test_a_changed_question_is_named(make_wire: MakeWire, ask: Ask) -> None:
    """With the field, what it was, and what it is."""
    wire = make_wire()
    fields = fingerprint(ask("then?"), wire.session.redactor)
    wire.player = Player(Track("", "", 3, 0.1, (Recorded(fields, 200),)))
    with pytest.raises(Unreplayable, match=r"body.messages\[0\].content was then\? and is now\?"):
        go(wire, ask("now?"))


def test_calls_are_recorded_in_the_order_in_which_they_began(make_wire: MakeWire, ask: Ask) -> None:
    """Whichever ends first; a call that has not ended leaves the track open."""
    recorder = Recorder()
    wire = make_wire(recorder=recorder)
    _, first = go(wire, ask("first?"), head())
    _, second = go(wire, ask("second?"), head())
    second.intake.finish(BODY)
    assert recorder.calls is None
    first.intake.finish(b"one")
    assert recorder.calls is not None
    assert [call.body for call in recorder.calls] == [b"one", BODY]
    assert recorder.calls[0].request["body.messages[0].content"] == "first?"


def test_an_answer_that_was_left_open(make_wire: MakeWire, ask: Ask) -> None:
    """At the end of the run it is closed: its place is given back, its cost is unknown."""
    wire, request = make_wire(), ask()
    go(wire, request, head())
    wire.end()
    wire.end()
    assert [(call.cost, call.error) for call in wire.calls] == [(None, "left open")]
    assert wire.session.throttle(request.origin).in_flight == 0


def test_who_reads_one_answer_may_ask_for_the_next(make_wire: MakeWire, ask: Ask) -> None:
    """Otherwise a run that streams an answer and asks again would wait for itself."""
    wire, request = make_wire(), ask()
    wire.session.throttle(request.origin).limit = 1
    go(wire, request, head())
    assert go(wire, request, head())[0] == [Send()]


def limited(make_wire: MakeWire, calls: int, **parts: Any) -> RunWire:
    """The wire of a run in a session that may make so many calls."""
    wire = make_wire(**parts)
    wire.session.budget.limit_calls(calls)
    return wire


def test_each_time_that_a_call_is_sent_counts(make_wire: MakeWire, ask: Ask) -> None:
    """Two refusals and an answer are three calls; a fourth is not sent, and leaves the host as it was."""
    wire = limited(make_wire, 3)
    steps, end = go(wire, ask(), head(503), head(503), head())
    assert steps.count(Send()) == 3
    assert isinstance(end, Deliver)
    end.intake.finish(BODY)
    assert wire.counted == 3
    for _ in range(2):
        with pytest.raises(BudgetSpent):
            go(wire, ask())
    assert isinstance(wire.refusal, BudgetSpent)
    assert wire.session.throttle(ask().origin).admit(holds_one=False) == 0, "nothing is in flight"
    assert wire.counted == 3


def test_calls_that_end_between_two_tries(make_wire: MakeWire, ask: Ask) -> None:
    """The second try is refused as a first one would be."""
    wire = limited(make_wire, 1)
    with pytest.raises(BudgetSpent):
        go(wire, ask(), head(503))
    assert wire.counted == 1


def test_what_counts_and_what_does_not(make_wire: MakeWire, ask: Ask) -> None:
    """A model and a bot of one's own do; reading pages and counting tokens do not; without a limit nothing does."""
    wire = limited(make_wire, 2)
    own = "https://shop.example/bot"
    for request in (ask(), ask(url=own)):
        _, end = go(wire, request, head())
        end.intake.finish(BODY)
    assert wire.counted == 2
    for request in (ask(url=own, method="GET"), ask(url="https://api.openai.com/v1/moderations")):
        go(wire, request, head())
    with pytest.raises(BudgetSpent):
        go(wire, ask(url=own))
    free = make_wire()
    go(free, ask(), head())
    assert free.counted == 0


def test_a_replay_spends_the_calls_of_the_recording(make_wire: MakeWire, ask: Ask) -> None:
    """Those that had to be sent again as well, or it would have more of them left."""
    recorder = Recorder()
    wire = limited(make_wire, 10, recorder=recorder)
    _, end = go(wire, ask(), head(503), head(429), head())
    end.intake.finish(BODY)
    assert recorder.calls is not None
    assert [call.retries for call in recorder.calls] == [2]
    again = limited(make_wire, 3, player=Player(Track("", "", 0, 0.1, recorder.calls * 2)))
    assert isinstance(go(again, ask())[1], Answer)
    assert again.counted == 3 == wire.counted
    with pytest.raises(BudgetSpent):
        go(again, ask())
