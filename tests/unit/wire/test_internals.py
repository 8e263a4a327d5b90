"""The seam in real clients of httpx and httpx2 against a real server: what is seen, and what the client notices."""

import gzip
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from pytest_llmrel.errors import ResponseTooLarge, Unreplayable
from pytest_llmrel.wire import streams
from pytest_llmrel.wire.course import course_of
from pytest_llmrel.wire.internals import watched_clients
from pytest_llmrel.wire.run import RunWire
from pytest_llmrel.wire.steps import Answer, Course, Fail, Request

from .asking import LIBRARIES, TEXT, WAYS, ask


class Server(BaseHTTPRequestHandler):
    """Answers by path."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read the request, and answer what its path says."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        kind, body, extra = "application/json", TEXT, {}
        if self.path == "/gzip":
            body, extra = gzip.compress(TEXT), {"content-encoding": "gzip"}
        elif self.path == "/bomb":
            body, extra = gzip.compress(bytes(100_000)), {"content-encoding": "gzip"}
        elif self.path == "/moved":
            self.send_response(307)
            self.send_header("location", "/plain")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        elif self.path == "/broken":
            extra = {"x": "y"}
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body) + 10 * (self.path == "/broken")))
        for name, value in extra.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.path == "/broken"

    do_GET = do_POST  # noqa: N815  a name of the base class

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Of a server that answers by path."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def always(end: Answer | Fail) -> Callable[[Request], Course]:
    """A course that ends at once."""

    def begin(_: Request) -> Course:
        return end
        yield

    return begin


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", ["/plain", "/gzip", "/moved"])
def test_an_answer_is_seen_and_unchanged(
    library: Any, way: str, path: str, url: str, make_wire: Callable[..., RunWire]
) -> None:
    """Whatever encodes it, and wherever it was redirected to: the client gets what it got without us."""
    expected = ask(library, way, url + path, follow_redirects=True)
    wire, seen = make_wire(), []

    def begin(request: Request) -> Course:
        seen.append((request.method, request.path, request.body))
        return course_of(wire, request)

    with watched_clients(begin):
        assert ask(library, way, url + path, follow_redirects=True) == expected == (200, TEXT)
    assert [(method, where) for method, where, _ in seen] == [("POST", path)]
    (call,) = wire.calls
    assert call.usage is not None
    assert (call.usage.input_tokens, call.usage.output_tokens) == (10, 2)
    assert ask(library, way, url + path, follow_redirects=True) == expected
    assert len(wire.calls) == 1


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
def test_a_made_up_answer(library: Any, way: str) -> None:
    """No server is there to be asked; plain and streamed it is the same."""
    end = Answer(201, (("content-type", "text/plain"), ("x-a", "b")), (b"one ", b"two"))
    with watched_clients(always(end)):
        assert ask(library, way, "http://nobody.invalid/") == (201, b"one two")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["ReadTimeout", "ConnectTimeout", "ReadError"])
def test_a_made_up_exception(library: Any, way: str, name: str) -> None:
    """Is the library's own, so that handlers and SDKs know it."""
    with (
        watched_clients(always(Fail(name, "timed out"))),
        pytest.raises(getattr(library, name), match="timed out"),
    ):
        ask(library, way, "http://nobody.invalid/")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_breaks_off(
    library: Any, way: str, url: str, make_wire: Callable[..., RunWire]
) -> None:
    """Made up or real, the client notices as ever, and the call is told with its error."""
    broken = Answer(200, (), (b"half",), "RemoteProtocolError")
    with watched_clients(always(broken)), pytest.raises(library.RemoteProtocolError):
        ask(library, way, "http://nobody.invalid/")
    wire = make_wire()
    with (
        watched_clients(lambda request: course_of(wire, request)),
        pytest.raises(library.RemoteProtocolError),
    ):
        ask(library, way, url + "/broken")
    assert [call.error for call in wire.calls] == ["RemoteProtocolError"]
    assert wire.session.throttle(url.removeprefix("http://")).in_flight == 0


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", ["plain", "async plain"])
def test_a_bomb_is_not_unpacked(
    library: Any, way: str, url: str, monkeypatch: pytest.MonkeyPatch, make_wire: Callable[..., RunWire]
) -> None:
    """A hundred bytes that become a hundred thousand."""
    monkeypatch.setattr(streams, "LARGEST", 50_000)
    wire = make_wire()
    with watched_clients(lambda request: course_of(wire, request)), pytest.raises(ResponseTooLarge):
        ask(library, way, url + "/bomb")
    assert wire.session.throttle(url.removeprefix("http://")).in_flight == 0


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_signal_of_the_course_reaches_the_test(library: Any) -> None:
    """No ``except Exception`` of an SDK stops it."""

    def begin(_: Request) -> Course:
        raise Unreplayable("not on the tape")
        yield

    for way in WAYS:
        with watched_clients(begin), pytest.raises(Unreplayable):
            ask(library, way, "http://nobody.invalid/")


@pytest.mark.parametrize("library", LIBRARIES)
def test_event_hooks_see_a_made_up_answer(library: Any) -> None:
    """Applications check the status in one."""

    def check(response: Any) -> None:
        response.raise_for_status()

    with watched_clients(always(Answer(500, (), (b"",)))), pytest.raises(library.HTTPStatusError):
        ask(library, "plain", "http://nobody.invalid/", event_hooks={"response": [check]})


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_closed_client_is_closed(library: Any) -> None:
    """A tape does not open it again."""
    client = library.Client()
    client.close()
    with watched_clients(always(Answer(200, (), ()))), pytest.raises(RuntimeError, match="closed"):
        client.post("http://nobody.invalid/")


@pytest.mark.parametrize("library", LIBRARIES)
def test_everything_is_put_back(library: Any) -> None:
    """Also after an exception; and what somebody else has put there meanwhile stays."""
    before = library.Client.send, library.AsyncClient.send, list(sys.meta_path)

    def fail() -> None:
        assert library.Client.send is not before[0]
        raise KeyError

    with pytest.raises(KeyError), watched_clients(always(Fail("ReadError", ""))):
        fail()
    assert (library.Client.send, library.AsyncClient.send, list(sys.meta_path)) == before

    def other(*_: object) -> None:
        """Of another tool."""

    with watched_clients(always(Fail("ReadError", ""))):
        library.Client.send = other
    assert library.Client.send is other
    library.Client.send = before[0]


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_a_library_that_is_imported_later_is_watched(library: str) -> None:
    """From its first call on, and its modules do not notice."""
    code = f"""
import sys
from pytest_llmrel.wire.internals import watched_clients
from pytest_llmrel.wire.steps import Answer

def begin(request):
    return Answer(200, (), (b"seen",))
    yield

assert {library!r} not in sys.modules
with watched_clients(begin):
    import {library} as library
    assert library.get("http://nobody.invalid/").text == "seen"
    assert type(library.__spec__.loader).__name__ == type(library.__loader__).__name__ == "SourceFileLoader"
assert library.Client.send.__module__.startswith({library!r})
assert not hasattr(library.Client.send, "__wrapped__")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_answer_that_is_closed_early(library: Any, url: str, make_wire: Callable[..., RunWire]) -> None:
    """What had come by then is kept, and the host's place is free."""
    wire = make_wire()
    with watched_clients(lambda request: course_of(wire, request)), library.Client() as client:
        with client.stream("POST", url + "/plain", json={}) as response:
            next(response.iter_raw(10))
        assert len(wire.calls) == 1
    assert wire.session.throttle(url.removeprefix("http://")).in_flight == 0
