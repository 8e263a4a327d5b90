"""What else clients do around a call: event hooks, auth, redirects, lines of a stream; on a real server."""

import asyncio
import base64
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from pytest_llmrel.core.fault import FaultPlan
from pytest_llmrel.simulator import Simulator
from pytest_llmrel.wire.budget import Budget
from pytest_llmrel.wire.course import course_of
from pytest_llmrel.wire.faults import Injector
from pytest_llmrel.wire.internals import watched_clients
from pytest_llmrel.wire.redaction import REDACTED
from pytest_llmrel.wire.run import RunWire
from pytest_llmrel.wire.steps import Answer, Course, Request
from pytest_llmrel.wire.tape import Recorder

from .asking import ASKED, LIBRARIES, QUESTION, TEXT, WAYS, ask, reply, serving

MakeWire = Callable[..., RunWire]


def hooks(way: str, on: str, *functions: Callable[[Any], Any]) -> dict[str, Any]:
    """Options of a client with event hooks; an asynchronous client wants asynchronous ones."""

    def asynchronous(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        async def hook(thing: Any) -> None:
            result = function(thing)
            if asyncio.iscoroutine(result):
                await result

        return hook

    made = [asynchronous(function) for function in functions] if "async" in way else list(functions)
    return {"event_hooks": {on: made}}


def in_flight(wire: RunWire, url: str) -> int:
    """Calls that the throttle of the server counts."""
    return wire.session.throttle(url.removeprefix("http://")).in_flight


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
def test_a_hook_that_reads_the_answer(library: Any, way: str, make_wire: MakeWire) -> None:
    """Loggers do: the call is metered at once, is not left open, and the client can read the answer again."""

    def log(response: Any) -> Any:
        return response.aread() if "async" in way else response.read()

    wire = make_wire()
    with serving(reply) as url, watched_clients(lambda request: course_of(wire, request)):
        assert ask(library, way, url, **hooks(way, "response", log)) == (200, TEXT)
        assert in_flight(wire, url) == 0
    (call,) = wire.calls
    assert call.usage is not None
    assert not wire.is_listening


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
def test_a_hook_that_closes_the_answer(library: Any, way: str, make_wire: MakeWire) -> None:
    """Nobody can read it any more, which is the client's own error; what it cost is unknown, and nothing is held."""

    def drop(response: Any) -> Any:
        return response.aclose() if "async" in way else response.close()

    wire = make_wire()
    with serving(reply) as url, watched_clients(lambda request: course_of(wire, request)):
        with pytest.raises(library.StreamClosed):
            ask(library, way, url, **hooks(way, "response", drop))
        assert in_flight(wire, url) == 0
    assert [call.usage for call in wire.calls] == [None]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("statuses", [[429, 200], [500, 529, 200], [429, 429, 429]])
def test_a_hook_that_checks_the_status(
    library: Any, way: str, statuses: list[int], make_wire: MakeWire
) -> None:
    """The libraries' own example: a busy host is asked again all the same, its refusals cost nothing."""
    left = list(statuses)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        reply(handler, status=left.pop(0))

    wire = make_wire(retries=2, session={"budget": Budget(1.0)}, recorder=Recorder())
    options = hooks(way, "response", lambda response: response.raise_for_status() and None)
    with serving(answer) as url, watched_clients(lambda request: course_of(wire, request)):
        if statuses[-1] == 200:
            assert ask(library, way, url + ASKED, **options) == (200, TEXT)
        else:
            with pytest.raises(library.HTTPStatusError) as caught:
                ask(library, way, url + ASKED, **options)
            assert caught.value.response.status_code == 429
        assert in_flight(wire, url) == 0
    assert left == []
    assert [(call.status, call.error) for call in wire.calls] == [(status, "") for status in statuses]
    assert wire.session.budget.reason == ""
    assert wire.recorder is not None
    assert [call.status for call in wire.recorder.calls or ()] == [statuses[-1]]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", ["plain", "async plain"])
def test_a_hook_whose_own_call_fails(library: Any, way: str, make_wire: MakeWire) -> None:
    """Its error is of another call: it is raised as it is, and this call is not taken for refused by the host."""

    def refresh(response: Any) -> None:
        other = library.Request("GET", response.request.url)
        library.Response(401, request=other).raise_for_status()

    wire = make_wire()
    with serving(reply) as url, watched_clients(lambda request: course_of(wire, request)):
        with pytest.raises(library.HTTPStatusError, match="401"):
            ask(library, way, url, **hooks(way, "response", refresh))
        assert in_flight(wire, url) == 0
    assert [(call.status, call.error) for call in wire.calls] == [(None, "HTTPStatusError")]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
def test_hooks_of_requests_see_each_try(library: Any, way: str, make_wire: MakeWire) -> None:
    """A signature that a hook adds is added again to what is sent again."""
    sent: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        sent.append(handler.headers["x-signed"])
        reply(handler, status=500 if len(sent) == 1 else 200)

    def sign(request: Any) -> None:
        request.headers["x-signed"] = str(len(sent))

    wire = make_wire()
    with serving(answer) as url, watched_clients(lambda request: course_of(wire, request)):
        assert ask(library, way, url + ASKED, **hooks(way, "request", sign))[0] == 200
    assert sent == ["0", "1"]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
def test_what_auth_adds_is_secret(library: Any, way: str, make_wire: MakeWire) -> None:
    """Credentials that the client adds while it sends are learned, too: an answer may repeat them."""
    seen: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["authorization"])
        reply(handler)

    wire = make_wire()
    with serving(answer) as url, watched_clients(lambda request: course_of(wire, request)):
        ask(library, way, url, auth=("user", "opaque-credential-1"))
    encoded = base64.b64encode(b"user:opaque-credential-1").decode()
    assert seen == [f"Basic {encoded}"]
    assert wire.session.redactor.clean(f"a {encoded} b opaque-credential-1") == f"a {REDACTED} b {REDACTED}"


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
def test_redirects_are_one_call(library: Any, way: str, make_wire: MakeWire) -> None:
    """However many hops there are; where they are not followed, the client gets the redirect itself."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/end":
            reply(handler)
        else:
            reply(handler, b"", 307, location="/second" if handler.path == "/first" else "/end")

    wire = make_wire()
    with serving(answer) as url, watched_clients(lambda request: course_of(wire, request)):
        assert ask(library, way, url + "/first", follow_redirects=True) == (200, TEXT)
        assert ask(library, way, url + "/first") == (307, b"")
        assert in_flight(wire, url) == 0
    assert [(call.path, call.status) for call in wire.calls] == [("/first", 200), ("/first", 307)]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_async", [False, True])
def test_an_answer_that_breaks_off_before_it_can_be_spoiled(
    library: Any, is_async: bool, make_wire: MakeWire
) -> None:
    """A body that we read ourselves: its error is the client's, and its only connection is free for the next call."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_cut = handler.path == "/cut"
        reply(handler, TEXT, content_length=str(len(TEXT) + 10 * is_cut))
        handler.close_connection = is_cut

    options = {"limits": library.Limits(max_connections=1), "timeout": library.Timeout(10, pool=0.2)}

    async def asynchronous(url: str) -> None:
        async with library.AsyncClient(**options) as client:
            with pytest.raises(library.RemoteProtocolError):
                await client.post(url + "/cut", json=QUESTION)
            await client.post(url, json=QUESTION)

    def synchronous(url: str) -> None:
        with library.Client(**options) as client:
            with pytest.raises(library.RemoteProtocolError):
                client.post(url + "/cut", json=QUESTION)
            client.post(url, json=QUESTION)

    wire = make_wire(injector=Injector(FaultPlan(("malformed",)), 1))
    with serving(answer) as url, watched_clients(lambda request: course_of(wire, request)):
        if is_async:
            asyncio.run(asynchronous(url))
        else:
            synchronous(url)
        assert in_flight(wire, url) == 0
    assert [call.error for call in wire.calls] == ["RemoteProtocolError", ""]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", ["plain", "async plain"])
def test_a_refusal_that_a_hook_objects_to_is_not_spoiled(library: Any, way: str, make_wire: MakeWire) -> None:
    """Nothing is left to be read of it: the client gets the error of its hook, and the refusal costs nothing."""
    wire = make_wire(injector=Injector(FaultPlan(("truncated",)), 1))
    options = hooks(way, "response", lambda response: response.raise_for_status() and None)

    def refuse(handler: BaseHTTPRequestHandler) -> None:
        reply(handler, status=400)

    with serving(refuse) as url, watched_clients(lambda request: course_of(wire, request)):
        with pytest.raises(library.HTTPStatusError):
            ask(library, way, url, **options)
        assert in_flight(wire, url) == 0
    assert [(call.status, call.cost) for call in wire.calls] == [(400, 0.0)]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_real_answer_is_the_clients_own(library: Any, make_wire: MakeWire) -> None:
    """Cookies, address, time, encoding, the size that was downloaded: all as without us."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        reply(handler, "é".encode("latin-1"), set_cookie="a=b", content_type="text/plain; charset=latin-1")

    wire = make_wire()
    watched = watched_clients(lambda request: course_of(wire, request))
    with serving(answer) as url, watched, library.Client() as client:
        response = client.get(url + "/x")
        assert client.cookies["a"] == "b"
    assert (response.text, response.url.path, response.history) == ("é", "/x", [])
    assert response.elapsed.total_seconds() > 0
    assert (response.num_bytes_downloaded, response.is_closed, response.is_stream_consumed) == (1, True, True)
    assert wire.calls == []  # a GET is billed by nobody


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_async", [False, True])
def test_lines_of_a_stream(library: Any, is_async: bool, make_wire: MakeWire) -> None:
    """As SDKs read them: the same lines as without us, and the usage of the last event is metered."""
    question = QUESTION | {"stream": True, "stream_options": {"include_usage": True}}
    options = {"headers": {"Authorization": "Bearer any"}, "json": question}

    async def lines_async(url: str) -> list[str]:
        async with library.AsyncClient() as client, client.stream("POST", url, **options) as response:
            return [line async for line in response.aiter_lines()]

    def lines(url: str) -> list[str]:
        if is_async:
            return asyncio.run(lines_async(url))
        with library.Client() as client, client.stream("POST", url, **options) as response:
            return list(response.iter_lines())

    wire = make_wire()
    with Simulator(latency=0) as simulator:
        url = f"{simulator.base_url}/chat/completions"
        with watched_clients(lambda request: course_of(wire, request)):
            watched = lines(url)
    assert watched[-2:] == ["data: [DONE]", ""]
    assert len(watched) > 6
    (call,) = wire.calls
    assert call.usage is not None
    assert call.usage.output_tokens > 0
    assert (call.damage, call.error, call.cost is not None) == ("", "", True)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_closed_asynchronous_client_is_closed(library: Any) -> None:
    """A made-up answer does not open it again, and no course is begun."""
    begun: list[Request] = []

    def begin(request: Request) -> Course:
        begun.append(request)
        return Answer(200, (), ())
        yield

    async def post() -> None:
        client = library.AsyncClient()
        await client.aclose()
        await client.post("http://nobody.invalid/")

    with watched_clients(begin), pytest.raises(RuntimeError, match="closed"):
        asyncio.run(post())
    assert begun == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_request_is_seen_as_it_is(library: Any) -> None:
    """Method, address, body and patience; a body that can be read only once is left alone, and sent."""
    seen: list[Request] = []
    bodies: list[bytes] = []

    def answer(handler: Any) -> None:
        bodies.append(handler.body)
        reply(handler)

    with serving(answer) as url, watched_clients(seen.append), library.Client(timeout=7.0) as client:
        client.request("post", f"{url}/a?b=c", content=b"{}")
        client.post(f"{url}/b", content=iter([b"once"]), timeout=None)
        client.post(f"{url}/c", files={"f": b"x"}, timeout=library.Timeout(1.0, read=2.0))
    assert [(one.method, one.path, one.body, one.read_timeout) for one in seen] == [
        ("POST", "/a", b"{}", 7.0),
        ("POST", "/b", None, None),
        ("POST", "/c", None, 2.0),
    ]
    assert seen[0].url == f"{url}/a?b=c"
    assert bodies[:2] == [b"{}", b"4\r\nonce\r\n0\r\n\r\n"]
    assert b'name="f"' in bodies[2]
