"""Bodies of a client library's own kind: one listens to what the client reads, one plays an answer."""

from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

from pytest_llmrel.errors import ResponseTooLarge
from pytest_llmrel.wire.steps import Answer, Intake

__all__ = ["LARGEST", "alistening", "error_of", "listening", "playing", "read_all", "read_all_async"]

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer, raw or decoded, that are read at most."""


def listening(library: Any, response: Any, intake: Intake) -> Any:
    """The stream of ``response``, of which ``intake`` gets everything in the end."""
    return _listener(library)(library, response, intake)


def alistening(library: Any, response: Any, intake: Intake) -> Any:
    """The same for an asynchronous client."""
    return _async_listener(library)(library, response, intake)


def playing(library: Any, request: Any, answer: Answer) -> Any:
    """A stream for both kinds of client that delivers ``answer``, and breaks off if that says so."""
    return _player(library)(library, request, answer)


def error_of(library: Any, name: str, message: str, request: Any) -> Exception:
    """What the client raises for an error that is known by its name only: the library's own of that name.

    A tape may name anything, such as what an event hook has raised; only errors of requests are raised.
    """
    if name == ResponseTooLarge.__name__:
        return ResponseTooLarge(message)
    kind: Any = vars(library).get(name)
    if not (isinstance(kind, type) and issubclass(kind, library.RequestError)):
        kind = library.ReadError
    error: Exception = kind(message, request=request)
    return error


def read_all(chunks: Iterator[bytes]) -> bytes:
    """All of a body, unless it is too much: what is compressed may be a thousand times as large as what came.

    Raises:
        ResponseTooLarge: more than :data:`LARGEST`.
    """
    kept = _Kept()
    for chunk in chunks:
        kept.add(chunk)
    return kept.whole


async def read_all_async(chunks: AsyncIterator[bytes]) -> bytes:
    """The same for an asynchronous client.

    Raises:
        ResponseTooLarge: more than :data:`LARGEST`.
    """
    kept = _Kept()
    async for chunk in chunks:
        kept.add(chunk)
    return kept.whole


class _Kept:
    """Bytes of one body, up to the limit."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > LARGEST:
            self._chunks.clear()
            raise ResponseTooLarge(
                f"the answer is larger than {LARGEST >> 20} MiB, and was not read to its end"
            )
        self._chunks.append(chunk)

    @property
    def whole(self) -> bytes:
        return b"".join(self._chunks)

    @property
    def chunks(self) -> tuple[bytes, ...]:
        return tuple(self._chunks)


class _Listener:
    """What both kinds of listening streams have in common."""

    def __init__(self, library: Any, response: Any, intake: Intake) -> None:
        self._library = library
        self._encoding = response.headers.get("content-encoding", "")
        self._stream = response.stream
        self._intake = intake
        self._kept = _Kept()
        self._is_over = False
        intake.so_far = self._decoded

    def _end(self, error: BaseException | None = None, *, complete: bool = True) -> None:
        if not self._is_over:
            self._is_over = True
            self._intake.finish(self._decoded(), error, complete=complete)

    def _decoded(self) -> bytes:
        if not self._encoding:
            return self._kept.whole
        headers = {"content-encoding": self._encoding}
        # Chunk by chunk as it came: the library decodes each as a whole, however large it becomes.
        raw = playing(self._library, None, Answer(200, (), self._kept.chunks))
        response = self._library.Response(200, headers=headers, stream=raw)
        try:
            return read_all(response.iter_bytes())
        except (self._library.DecodingError, ResponseTooLarge):
            return b""  # cut off in the middle, or a bomb: nobody knows what it says


@cache
def _listener(library: Any) -> Any:
    class Listener(_Listener, library.SyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            try:
                for chunk in self._stream:
                    self._kept.add(chunk)
                    yield chunk
            except GeneratorExit:  # the client has had enough; it closes the stream next
                raise
            except BaseException as error:
                self._end(error)
                raise
            self._end()

        def close(self) -> None:
            try:
                self._stream.close()
            finally:
                self._end(complete=False)

    return Listener


@cache
def _async_listener(library: Any) -> Any:
    class Listener(_Listener, library.AsyncByteStream):  # type: ignore[misc]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            try:
                async for chunk in self._stream:
                    self._kept.add(chunk)
                    yield chunk
            except GeneratorExit:
                raise
            except BaseException as error:
                self._end(error)
                raise
            self._end()

        async def aclose(self) -> None:
            try:
                await self._stream.aclose()
            finally:
                self._end(complete=False)

    return Listener


@cache
def _player(library: Any) -> Any:
    class Player(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, library: Any, request: Any, answer: Answer) -> None:
            self._library = library
            self._request = request
            self._answer = answer

        def __iter__(self) -> Iterator[bytes]:
            yield from self._answer.chunks
            if self._answer.breaks:
                message = "peer closed connection without sending complete message body"
                raise error_of(self._library, self._answer.breaks, message, self._request)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in self:
                yield chunk

    return Player
