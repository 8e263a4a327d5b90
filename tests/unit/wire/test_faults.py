"""Faults that are injected: as likely as said, the same for the same run, and real to every kind of client."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.fault import FAULTS, FaultPlan
from pytest_llmrel.simulator import Simulator
from pytest_llmrel.wire import course
from pytest_llmrel.wire.course import course_of
from pytest_llmrel.wire.faults import SLOW_SECONDS, Injector, broken, in_place_of_call
from pytest_llmrel.wire.fingerprint import fingerprint
from pytest_llmrel.wire.internals import watched_clients
from pytest_llmrel.wire.run import RunWire
from pytest_llmrel.wire.steps import Answer, Fail, Head, Request
from pytest_llmrel.wire.tape import Player, Recorded, Track

from .asking import LIBRARIES, QUESTION, WAYS

MakeWire = Callable[..., RunWire]
JSON = (("content-type", "application/json"),)
EVENTS = (("content-type", "text/event-stream; charset=utf-8"),)


def draws(plan: FaultPlan, seed: int, calls: int = 400) -> list[str]:
    """What so many calls of a run meet."""
    injector = Injector(plan, seed)
    return [injector.draw() for _ in range(calls)]


@given(
    st.integers(0, 2**63 - 1), st.floats(0, 1, exclude_min=True), st.sets(st.sampled_from(FAULTS), min_size=1)
)
def test_the_same_run_meets_the_same_faults(seed: int, rate: float, names: set[str]) -> None:
    """By its seed and its plan alone, and never one that was not named."""
    plan = FaultPlan(tuple(sorted(names)), rate)
    drawn = draws(plan, seed, 50)
    assert drawn == draws(plan, seed, 50)
    assert set(drawn) <= names | {""}
    assert rate < 1 or "" not in drawn


def test_other_runs_meet_other_faults() -> None:
    """A hundred runs of neighbouring seeds are a hundred different sequences."""
    plan = FaultPlan(("429", "reset"), 0.5)
    assert len({tuple(draws(plan, seed, 50)) for seed in range(100)}) == 100


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_the_rate_is_kept(rate: float) -> None:
    """Over forty thousand calls, within five standard deviations; and each fault is equally likely."""
    drawn = Counter(draw for seed in range(100) for draw in draws(FaultPlan(FAULTS, rate), seed))
    n, met = 40_000, 40_000 - drawn[""]
    assert abs(met - n * rate) < 5 * (n * rate * (1 - rate)) ** 0.5
    for name in FAULTS:
        share = 1 / len(FAULTS)
        assert abs(drawn[name] - met * share) < 5 * (met * share * (1 - share)) ** 0.5


def test_a_rarer_fault_strikes_calls_that_a_more_frequent_one_strikes() -> None:
    """The luck of a call does not depend on the rate: raising it adds faults, and takes none away."""
    struck = [
        {place for place, draw in enumerate(draws(FaultPlan(("500",), rate), 3)) if draw}
        for rate in (0.1, 0.4, 1.0)
    ]
    assert all(few < many for few, many in pairwise(struck))


def test_timeouts_strike_on_connecting_and_on_reading() -> None:
    """About as often; within five standard deviations."""
    injector = Injector(FaultPlan(("timeout",)), 1)
    reading = sum(injector.connects() for _ in range(10_000))
    assert abs(reading - 5000) < 250


@pytest.mark.parametrize("fault", ["truncated", "malformed", "slow"])
def test_faults_that_need_the_answer(fault: str) -> None:
    """Have nothing to put in its place."""
    assert in_place_of_call(fault, connects=True) is None


@pytest.mark.parametrize("connects", [True, False])
def test_faults_in_place_of_an_answer(connects: bool) -> None:
    """A refusal that OpenAI's and Anthropic's SDKs can read, with the pause that it wants; or an exception."""
    busy, lost = (in_place_of_call(fault, connects=connects) for fault in ("429", "500"))
    assert isinstance(busy, Answer)
    assert isinstance(lost, Answer)
    assert (busy.status, dict(busy.headers)["retry-after"]) == (429, "1")
    assert (lost.status, "retry-after" in dict(lost.headers)) == (500, False)
    for answer in (busy, lost):
        said = json.loads(b"".join(answer.chunks))
        assert (said["type"], "injected" in said["error"]["message"]) == ("error", True)
    timeout = in_place_of_call("timeout", connects=connects)
    assert timeout == Fail("ReadTimeout" if connects else "ConnectTimeout", "timed out")
    reset = in_place_of_call("reset", connects=connects)
    assert isinstance(reset, Fail)
    assert reset.name == "ReadError"


@given(
    st.binary(max_size=200), st.sampled_from([JSON, EVENTS, ()]), st.sampled_from(["truncated", "malformed"])
)
def test_a_spoiled_body_is_a_beginning_of_the_body(body: bytes, headers: Any, fault: str) -> None:
    """Never more than half of it if it comes in one piece, never all of it; the headers fit what is left."""
    sent = (*headers, ("Content-Length", "9"), ("content-encoding", "gzip"), ("x-request-id", "r"))
    answer = broken(fault, Head(200, sent), body)
    left = b"".join(answer.chunks)
    assert body.replace(b"\r\n", b"\n").startswith(left) or body.startswith(left)
    assert len(left) < max(1, len(body))
    assert answer.breaks == ("RemoteProtocolError" if fault == "truncated" else "")
    assert answer.headers == (*headers, ("x-request-id", "r"))


def test_a_spoiled_stream_ends_behind_an_event() -> None:
    """Half of its events, each whole: a stream that ends too soon, not one that cannot be read."""
    events = [b"data: %d\n\n" % number for number in range(5)]
    answer = broken("malformed", Head(200, EVENTS), b"".join(events))
    assert answer.chunks == (b"data: 0\n\n", b"data: 1\n\n")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Answers at once."""
    with Simulator(latency=0) as running:
        yield running


def post(library: Any, way: str, url: str) -> tuple[Any, bytes]:
    """A question in one of four ways: the response, and its body."""
    question = QUESTION | {"stream": True} if "streamed" in way else QUESTION
    options = {"json": question, "headers": {"Authorization": "Bearer any"}}

    async def asynchronous() -> tuple[Any, bytes]:
        async with library.AsyncClient() as client:
            if "plain" in way:
                response = await client.post(url, **options)
                return response, response.content
            async with client.stream("POST", url, **options) as response:
                return response, await response.aread()

    if "async" in way:
        return asyncio.run(asynchronous())
    with library.Client() as client:
        if way == "plain":
            response = client.post(url, **options)
            return response, response.content
        with client.stream("POST", url, **options) as response:
            return response, response.read()


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_in_every_client(
    library: Any,
    way: str,
    fault: str,
    simulator: Simulator,
    make_wire: MakeWire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the decorator's documentation says it; and what is sent is paid for, what is not is no call."""
    monkeypatch.setattr(course, "SLOW_SECONDS", 0.01)
    url = f"{simulator.base_url}/chat/completions"
    whole = post(library, way, url)[1]
    before = simulator.requests
    wire = make_wire(injector=Injector(FaultPlan((fault,)), 1))
    errors = {
        "timeout": library.TimeoutException,
        "reset": library.NetworkError,
        "truncated": library.RemoteProtocolError,
    }
    with watched_clients(lambda request: course_of(wire, request)):
        if fault in errors:
            with pytest.raises(errors[fault]):
                post(library, way, url)
        else:
            response, body = post(library, way, url)
            assert response.status_code == (int(fault) if fault.isdigit() else 200)
            assert ("retry-after" in response.headers) == (fault == "429")
            if fault == "slow":
                assert len(body) == len(whole)
            elif fault == "malformed":
                assert 0 < len(body) < 0.7 * len(whole)
    was_sent = fault in {"truncated", "malformed", "slow"}
    assert simulator.requests - before == was_sent
    assert [call.status for call in wire.calls] == [200] * was_sent
    assert wire.injected == 1
    assert wire.session.throttle(url.split("/")[2]).in_flight == 0


def test_slow_is_five_seconds() -> None:
    """As the decorator's documentation says."""
    assert SLOW_SECONDS == 5.0


@pytest.mark.parametrize("fault", ["truncated", "malformed"])
def test_an_answer_of_a_tape_is_spoiled_too(
    fault: str, make_wire: MakeWire, ask: Callable[..., Request]
) -> None:
    """Replayed runs meet the faults that they met when they were recorded, from the same place of the tape."""
    wire = make_wire(injector=Injector(FaultPlan((fault,)), 1))
    recorded = Recorded(fingerprint(ask(), wire.session.redactor), 200, JSON, b"0123456789")
    wire.player = Player(Track("", "", 0, 0.1, (recorded,)))
    with pytest.raises(StopIteration) as ended:
        next(course_of(wire, ask()))
    answer = ended.value.value
    assert b"".join(answer.chunks) == b"01234"
    assert answer.breaks == ("RemoteProtocolError" if fault == "truncated" else "")


def test_an_error_of_a_tape_cannot_be_spoiled(make_wire: MakeWire, ask: Callable[..., Request]) -> None:
    """Where no answer came there is nothing to break: the error is replayed."""
    wire = make_wire(injector=Injector(FaultPlan(("truncated",)), 1))
    recorded = Recorded(fingerprint(ask(), wire.session.redactor), None, error="ConnectError")
    wire.player = Player(Track("", "", 0, 0.1, (recorded,)))
    with pytest.raises(StopIteration) as ended:
        next(course_of(wire, ask()))
    assert ended.value.value == Fail("ConnectError", "recorded on the tape")
