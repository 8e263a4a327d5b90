"""When a call is sent again and when not: statuses, errors, pauses, the budget, and what is told of each try."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest

from pytest_llmrel.errors import BudgetSpent
from pytest_llmrel.simulator import Simulator
from pytest_llmrel.wire.budget import Budget
from pytest_llmrel.wire.course import course_of
from pytest_llmrel.wire.internals import watched_clients
from pytest_llmrel.wire.run import RunWire
from pytest_llmrel.wire.steps import Deliver, Head, Request, Send, Wait
from pytest_llmrel.wire.tape import Recorder

from .asking import LIBRARIES, QUESTION, WAYS

Ask = Callable[..., Request]
MakeWire = Callable[..., RunWire]
REPEATED = {429, 500, 502, 503, 504, 529}
BROKEN = {"CloseError", "ConnectError", "NetworkError", "ReadError", "RemoteProtocolError", "WriteError"}
"""Classes of the libraries after which a request is sent again: the documented ones, and what derives from them."""


def said(status: int, **headers: str) -> Head:
    """The head of an answer."""
    return Head(status, tuple((name.replace("_", "-"), value) for name, value in headers.items()))


def tried(wire: RunWire, request: Request, *answers: Any) -> tuple[int, list[float], Any]:
    """Answer each try, the last answer for ever: how many there were, the waits between, and the end."""
    course, sent, waits = course_of(wire, request), 0, []
    try:
        step: Any = next(course)
        while True:
            if isinstance(step, Wait):
                waits.append(step.seconds)
                step = course.send(None)
            else:
                answer = answers[min(sent, len(answers) - 1)]
                sent += 1
                step = course.throw(answer) if isinstance(answer, BaseException) else course.send(answer)
    except StopIteration as ended:
        return sent, waits, ended.value
    except BaseException as error:
        return sent, waits, error


@pytest.mark.parametrize(
    "status", [*range(200, 208), *range(300, 309), *range(400, 452), *range(500, 530), 599]
)
def test_statuses(make_wire: MakeWire, ask: Ask, status: int) -> None:
    """Exactly those of a busy or broken host are tried again, as often as allowed; the last one is delivered."""
    wire, request = make_wire(retries=2), ask()
    sent, _, end = tried(wire, request, said(status))
    assert sent == (3 if status in REPEATED else 1)
    assert isinstance(end, Deliver)
    assert end.head.status == status
    assert wire.retries == sent - 1
    assert [call.cost for call in wire.calls] == [0.0] * (sent - 1)
    assert wire.session.throttle(request.origin).in_flight == 1  # the one that is delivered


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_errors(make_wire: MakeWire, ask: Ask, library: Any) -> None:
    """Every class of the library: broken connections are tried again, timeouts and mistakes are not."""
    kinds = [
        kind
        for kind in vars(library).values()
        if isinstance(kind, type) and issubclass(kind, library.RequestError)
    ]
    repeated = set()
    for kind in kinds:
        wire, request = make_wire(retries=2), ask()
        error = kind("said")
        sent, _, end = tried(wire, request, error)
        assert end is error
        assert sent in {1, 3}
        assert len(wire.calls) == sent
        assert wire.session.throttle(request.origin).in_flight == 0
        if sent == 3:
            repeated.add(kind.__name__)
    assert repeated == BROKEN


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_the_number_of_tries(make_wire: MakeWire, ask: Ask, retries: int) -> None:
    """Is what the ini key says, for refusals and for broken connections; each pause doubles the one before."""
    for answer in (said(503), httpx.ReadError("reset")):
        sent, waits, _ = tried(make_wire(retries=retries), ask(), answer)
        assert sent == retries + 1
        assert waits == pytest.approx([0.1 * 2**number for number in range(retries)])


@pytest.mark.parametrize(
    ("value", "least"),
    [("0", 0.1), ("0.25", 0.25), ("2", 2.0), ("59.9", 59.9), ("60", 60.0), (" 1 ", 1.0), ("-3", 0.1), ("", 0.1),
     ("soon", 0.1), ("nan", 0.1), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.1)],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_that_a_host_wants(
    make_wire: MakeWire, ask: Ask, status: int, value: str, least: float
) -> None:
    """Is kept before the call is sent again, by whatever status it was said; never less than our own pause."""
    wire = make_wire(retries=1)
    course = course_of(wire, ask())
    next(course)
    pause = course.send(said(status, Retry_After=value))
    assert pause == Wait(pytest.approx(least))


@pytest.mark.parametrize("value", ["60.1", "3600", "1e300", "inf"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_nobody_can_wait_for(make_wire: MakeWire, ask: Ask, status: int, value: str) -> None:
    """Is passed on at once, to the client that may know better; other calls of the session are not held by it."""
    wire, request = make_wire(), ask()
    sent, waits, end = tried(wire, request, said(status, Retry_After=value))
    assert (sent, waits, end.head.status) == (1, [], status)
    end.intake.finish(b"")
    assert wire.session.throttle(request.origin).admit() == 0.0


def test_a_burst_of_refusals_halves_once(make_wire: MakeWire, ask: Ask) -> None:
    """Eight calls in flight that are all refused leave room for four; 5xx leave all the room there was."""
    wire, request = make_wire(), ask()
    courses = [course_of(wire, request) for _ in range(8)]
    for course in courses:
        assert next(course) == Send()
    for course in courses:
        course.send(said(429))
    throttle = wire.session.throttle(request.origin)
    assert (throttle.limit, throttle.in_flight) == (4.0, 0)
    for course in courses:
        course.close()
    tried(wire, request, said(500))
    assert throttle.limit == 4.0


def test_other_hosts_are_not_held(make_wire: MakeWire, ask: Ask) -> None:
    """Who was refused by one host may ask another at once; the port is part of it."""
    wire = make_wire(retries=0)
    tried(wire, ask(url="http://a:1/v1/chat/completions"), said(429, retry_after="30"))
    assert next(course_of(wire, ask(url="http://a:2/v1/chat/completions"))) == Send()
    held = next(course_of(wire, ask(url="http://user:password@a:1/v1/chat/completions")))
    assert isinstance(held, Wait)
    assert held.seconds == pytest.approx(30, abs=1)


def test_the_budget_is_asked_before_each_try(make_wire: MakeWire, ask: Ask) -> None:
    """Money that goes while a call pauses is not there for its next try."""
    wire = make_wire(session={"budget": Budget(1.0)})
    course = course_of(wire, ask())
    assert next(course) == Send()
    assert isinstance(course.send(said(500)), Wait)
    wire.session.budget.pay(1.0, "another call")
    with pytest.raises(BudgetSpent, match=r"\$1 is spent"):
        course.send(None)
    assert isinstance(wire.refusal, BudgetSpent)


def test_the_budget_is_asked_after_each_wait_for_a_place(make_wire: MakeWire, ask: Ask) -> None:
    """A queue before a throttled host does not go on spending when the calls in front have spent the rest."""
    wire, request = make_wire(session={"budget": Budget(1.0)}), ask()
    throttle = wire.session.throttle(request.origin)
    throttle.limit = 1
    throttle.admit()
    queue = [course_of(wire, request) for _ in range(5)]
    assert all(isinstance(next(course), Wait) for course in queue)
    wire.session.budget.pay(1.0, "the call in front")
    throttle.release()
    for course in queue:
        with pytest.raises(BudgetSpent):
            course.send(None)
    assert throttle.in_flight == 0


def test_a_call_of_unknown_cost_ends_the_budget(make_wire: MakeWire, ask: Ask) -> None:
    """A broken connection may have been billed: nothing is sent again, and the reason names the host."""
    wire = make_wire(session={"budget": Budget(1.0)})
    sent, _, end = tried(wire, ask(), httpx.ReadError("reset"))
    assert sent == 1
    assert isinstance(end, BudgetSpent)
    assert "api.openai.com/v1/chat/completions costs is unknown" in str(end)


def test_a_call_that_never_left_costs_nothing(make_wire: MakeWire, ask: Ask) -> None:
    """A refused connection under a budget is tried again like any other broken one."""
    wire = make_wire(retries=2, session={"budget": Budget(1.0)})
    sent, _, end = tried(wire, ask(), httpx.ConnectError("refused"))
    assert (sent, type(end)) == (3, httpx.ConnectError)
    assert [call.cost for call in wire.calls] == [0.0] * 3


@pytest.mark.parametrize(
    "answers", [[said(503), said(200)], [httpx.ReadError("reset"), said(429), said(200)]]
)
def test_tries_have_one_place_on_the_tape(make_wire: MakeWire, ask: Ask, answers: list[Any]) -> None:
    """What is replayed is the answer that the client got, once; the tries before it are ours alone."""
    wire = make_wire(retries=5, recorder=Recorder())
    sent, _, end = tried(wire, ask(), *answers)
    end.intake.finish(b"{}")
    assert wire.recorder is not None
    assert [(call.status, call.body) for call in wire.recorder.calls or ()] == [(200, b"{}")]
    assert len(wire.calls) == sent == len(answers)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "script", [("429", "ok"), ("500", "529", "ok"), ("reset", "ok"), ("429", "reset", "ok")]
)
def test_real_clients_get_the_good_answer(
    library: Any, way: str, script: tuple[str, ...], make_wire: MakeWire
) -> None:
    """A real server refuses and resets: the client sees only the answer, and every connection is given back."""
    options: Any = {"json": QUESTION, "headers": {"Authorization": "Bearer any"}}
    limits = library.Limits(max_connections=1)  # one that was kept would block the next try

    async def asynchronous(url: str) -> Any:
        async with library.AsyncClient(limits=limits, timeout=10) as client:
            if "plain" in way:
                return (await client.post(url, **options)).json()
            async with client.stream("POST", url, **options) as response:
                await response.aread()
                return response.json()

    def synchronous(url: str) -> Any:
        with library.Client(limits=limits, timeout=10) as client:
            if way == "plain":
                return client.post(url, **options).json()
            with client.stream("POST", url, **options) as response:
                response.read()
                return response.json()

    wire = make_wire(retries=3)
    with Simulator(latency=0, script=script, faults={"retry_after": 0.02}) as simulator:
        url = f"{simulator.base_url}/chat/completions"
        with watched_clients(lambda request: course_of(wire, request)):
            answer = asyncio.run(asynchronous(url)) if "async" in way else synchronous(url)
    assert answer["choices"][0]["message"]["content"]
    assert simulator.served == {kind: script.count(kind) for kind in script}
    assert wire.retries == len(script) - 1
    assert wire.session.throttle(url.split("/")[2]).in_flight == 0
    assert wire.waited > 0
