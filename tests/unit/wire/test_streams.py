"""Bodies that are listened to and bodies that are played: limits, encodings, ends of every kind."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from pytest_llmrel.errors import ResponseTooLarge
from pytest_llmrel.wire import streams
from pytest_llmrel.wire.run import Listening, RunWire
from pytest_llmrel.wire.steps import Answer, Head, Request
from pytest_llmrel.wire.streams import alistening, error_of, listening, playing, read_all, read_all_async
from pytest_llmrel.wire.tape import Recorder

from .asking import LIBRARIES

TEXT = b"a sentence of a model. " * 40
ENCODED = {
    "": TEXT,
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "gzip, deflate": zlib.compress(gzip.compress(TEXT)),
}
KINDS = [False, True]


class Ear:
    """An intake that remembers everything it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, str, bool]] = []

    def finish(self, body: bytes, error: BaseException | None = None, *, complete: bool = True) -> None:
        """The body has ended."""
        self.heard.append((body, type(error).__name__ if error else "", complete))


def source(library: Any, chunks: list[bytes], error: BaseException | None = None, ends: Any = None) -> Any:
    """A stream of both kinds, as a transport makes it, that may break off and may fail to close."""

    class Source(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        closed = 0

        def __iter__(self) -> Iterator[bytes]:
            yield from chunks
            if error is not None:
                raise error

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in self:
                yield chunk

        def close(self) -> None:
            self.closed += 1
            if ends is not None:
                raise ends

        async def aclose(self) -> None:
            self.close()

    return Source()


def heard(library: Any, stream: Any, encoding: str = "", *, is_async: bool = False) -> tuple[Any, Ear]:
    """A response whose body is listened to, and who listens."""
    headers = {"content-encoding": encoding} if encoding else {}
    response, ear = library.Response(200, headers=headers, stream=stream), Ear()
    response.stream = (alistening if is_async else listening)(library, response, ear)
    return response, ear


def read(response: Any, *, is_async: bool) -> bytes:
    """All that the client gets."""
    return asyncio.run(response.aread()) if is_async else response.read()


def close(response: Any, *, is_async: bool) -> None:
    """Give up, or be done."""
    if is_async:
        asyncio.run(response.aclose())
    else:
        response.close()


async def first(response: Any) -> bytes:
    """One chunk of an asynchronous answer, and then no more."""
    chunks = response.aiter_bytes()
    try:
        return await anext(chunks)
    finally:
        await response.aclose()
        await chunks.aclose()


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_async", KINDS)
@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_body_is_heard_as_the_client_reads_it(
    library: Any, is_async: bool, encoding: str, size: int
) -> None:
    """Decoded, whole and told once, whatever encodes it and in whatever chunks it comes; the client notices nothing."""
    raw = ENCODED[encoding]
    stream = source(library, [raw[at : at + size] for at in range(0, len(raw), size)])
    response, ear = heard(library, stream, encoding, is_async=is_async)
    assert read(response, is_async=is_async) == TEXT
    close(response, is_async=is_async)
    assert ear.heard == [(TEXT, "", True)]
    assert stream.closed == 1


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_async", KINDS)
def test_a_body_that_breaks_off(library: Any, is_async: bool) -> None:
    """What had come is kept with the error, which the client gets as it was; what follows is not told again."""
    error = library.ReadError("reset")
    response, ear = heard(library, source(library, [b"half"], error), is_async=is_async)
    with pytest.raises(library.ReadError) as caught:
        read(response, is_async=is_async)
    assert caught.value is error
    close(response, is_async=is_async)
    assert [(body, name) for body, name, _ in ear.heard] == [(b"half", "ReadError")]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_async", KINDS)
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_a_body_that_is_closed_early(library: Any, is_async: bool, encoding: str) -> None:
    """What had come is kept as part of an answer, and not taken for all of it."""
    noise = b"".join(b"%d " % (number * 7919 % 10_007) for number in range(4000))
    raw = gzip.compress(noise) if encoding else noise
    stream = source(library, [raw[: len(raw) // 2], raw[len(raw) // 2 :]])
    response, ear = heard(library, stream, encoding, is_async=is_async)
    if is_async:
        begun = asyncio.run(first(response))
    else:
        begun = next(response.iter_bytes())
        response.close()
    ((body, error, complete),) = ear.heard
    assert noise.startswith(begun)
    assert noise.startswith(body)
    assert len(begun) <= len(body) < len(noise)
    assert (error, complete, stream.closed) == ("", False, 1)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_async", KINDS)
def test_a_body_that_cannot_be_closed(library: Any, is_async: bool) -> None:
    """The end is told all the same, or the host's place would be lost; the error is the client's."""
    stream = source(library, [b"half", b"half"], ends=library.ReadError("reset"))
    response, ear = heard(library, stream, is_async=is_async)
    with pytest.raises(library.ReadError):
        close(response, is_async=is_async)
    assert ear.heard == [(b"", "", False)]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_async", KINDS)
def test_nonsense_instead_of_gzip(library: Any, is_async: bool) -> None:
    """The client's own error is the client's; nobody knows what the answer says."""
    response, ear = heard(library, source(library, [b"not gzip"] * 2), "gzip", is_async=is_async)
    with pytest.raises(library.DecodingError):
        read(response, is_async=is_async)
    close(response, is_async=is_async)
    assert [body for body, _, _ in ear.heard] == [b""]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_async", KINDS)
def test_too_much_of_a_stream(library: Any, is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never stops is cut off at the limit, and nothing of it is kept."""
    monkeypatch.setattr(streams, "LARGEST", 1000)
    taken = []

    class Endless(list[bytes]):
        """A body without an end."""

        def __iter__(self) -> Iterator[bytes]:
            while True:
                taken.append(1)
                yield b"x" * 100

    response, ear = heard(library, source(library, Endless()), is_async=is_async)
    with pytest.raises(ResponseTooLarge, match="larger than"):
        read(response, is_async=is_async)
    close(response, is_async=is_async)
    assert [(body, error) for body, error, _ in ear.heard] == [(b"", "ResponseTooLarge")]
    assert len(taken) == 11


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_bomb_in_a_stream_does_not_go_off(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that reads it raw has a few kilobytes; to hear what it says takes no more memory than the limit."""
    monkeypatch.setattr(streams, "LARGEST", 1 << 20)
    raw = gzip.compress(bytes(64 << 20), 9)
    chunks = [raw[at : at + 512] for at in range(0, len(raw), 512)]
    response, ear = heard(library, source(library, chunks), "gzip")
    tracemalloc.start()
    try:
        assert b"".join(response.iter_raw()) == raw
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ear.heard == [(b"", "", True)]
    assert peak < 8 << 20


@pytest.mark.parametrize("sizes", [[10], [4, 6], [1] * 10, [0, 10, 0]])
def test_the_limit_is_exact(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As many bytes as are allowed are read, one more is too many, and nothing after that is asked for."""
    monkeypatch.setattr(streams, "LARGEST", 10)
    chunks = [b"x" * size for size in sizes]

    async def asynchronous(parts: list[bytes]) -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    assert read_all(iter(chunks)) == asyncio.run(read_all_async(asynchronous(chunks))) == b"x" * 10
    left = iter([*chunks, b"x", b"never asked for"])
    with pytest.raises(ResponseTooLarge):
        read_all(left)
    assert list(left) == [b"never asked for"]
    with pytest.raises(ResponseTooLarge):
        asyncio.run(read_all_async(asynchronous([*chunks, b"x"])))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("is_async", KINDS)
@pytest.mark.parametrize("breaks", ["", "RemoteProtocolError", "ReadTimeout", "ResponseTooLarge"])
def test_a_body_is_played_in_its_pieces(library: Any, is_async: bool, breaks: str) -> None:
    """Chunk by chunk; what breaks it off in the end is the library's own class, or ours."""
    request = library.Request("GET", "http://x/")
    stream = playing(library, request, Answer(200, (), (b"one", b"two"), breaks))
    got: list[bytes] = []

    async def take() -> None:
        async for chunk in stream:
            got.append(chunk)  # noqa: PERF401  what had come before the error counts

    def play() -> None:
        if is_async:
            asyncio.run(take())
        else:
            got.extend(stream)

    if breaks:
        with pytest.raises(ResponseTooLarge if breaks == "ResponseTooLarge" else getattr(library, breaks)):
            play()
    else:
        play()
    assert got == [b"one", b"two"]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "name", ["", "main", "Client", "HTTPStatusError", "InvalidURL", "ValueError", "Timeout"]
)
def test_an_error_that_the_client_does_not_raise(library: Any, name: str) -> None:
    """A tape may name anything: nothing but errors of requests is ever called; others are a broken connection."""
    error = error_of(library, name, "said", library.Request("GET", "http://x/"))
    assert type(error) is library.ReadError
    assert str(error) == "said"


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_error_of_a_request_keeps_its_class(library: Any) -> None:
    """All that a client can meet between the request and the end of the answer, with the request in it."""
    request = library.Request("GET", "http://x/")
    kinds = [
        kind
        for kind in vars(library).values()
        if isinstance(kind, type) and issubclass(kind, library.RequestError)
    ]
    assert len(kinds) > 15
    for kind in kinds:
        error: Any = error_of(library, kind.__name__, "said", request)
        assert (type(error), error.request) == (kind, request)


def test_listening_streams_are_of_the_librarys_kinds() -> None:
    """Or the client would refuse to read them, and a sync one must not pass for an async one."""
    make: Callable[..., Any]
    for make, kind, other in (
        (listening, httpx.SyncByteStream, httpx.AsyncByteStream),
        (alistening, httpx.AsyncByteStream, httpx.SyncByteStream),
    ):
        stream = make(httpx, httpx.Response(200, stream=source(httpx, [])), Ear())
        assert isinstance(stream, kind)
        assert not isinstance(stream, other)


@pytest.mark.parametrize("read", ["all that counts", "half"])
def test_a_stream_that_is_left_open(make_wire: Callable[..., RunWire], read: str) -> None:
    """Who stops at the last event and closes nothing has had an answer; who stops before it has none that is known."""
    events = b'data: {"model": "gpt-4o-mini", "choices": [{"finish_reason": "stop"}]}\n\n'
    usage = b'data: {"model": "gpt-4o-mini", "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n'
    whole = [events, usage, b"data: [DONE]\n\n", b": never read\n\n"]
    wire = make_wire(recorder=Recorder())
    request = Request("POST", "https://api.openai.com/v1/chat/completions", (), b'{"model": "gpt-4o-mini"}')
    head = Head(200, (("content-type", "text/event-stream"),))
    intake = Listening(
        wire, request, head, wire.session.throttle("x"), began=0.0, place=wire.recorder.begin()
    )
    response = httpx.Response(200, stream=Pieces(whole if read != "half" else [b'data: {"choi']))
    chunks = iter(listening(httpx, response, intake))
    for _ in range(3 if read != "half" else 1):
        next(chunks)
    wire.end()
    (call,) = wire.calls
    assert (call.error, call.usage is None) == (("", False) if read != "half" else ("left open", True))
    assert (wire.recorder.calls is None) == (read == "half")


class Pieces(httpx.SyncByteStream):
    """A body in pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)
