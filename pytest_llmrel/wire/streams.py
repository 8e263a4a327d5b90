"""Bodies of a client library's own kind: one listens to what the client reads, one plays an answer."""

from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

from pytest_llmrel.errors import ResponseTooLarge
from pytest_llmrel.wire.steps import Answer, Intake

__all__ = ["LARGEST", "alistening", "listening", "playing", "read_all", "read_all_async"]

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer, raw or decoded, that are read at most."""
_CHUNK = 1 << 16


def listening(library: Any, response: Any, intake: Intake) -> Any:
    """The stream of ``response``, of which ``intake`` gets everything in the end."""
    return _listener(library)(library, response, intake)


def alistening(library: Any, response: Any, intake: Intake) -> Any:
    """The same for an asynchronous client."""
    return _async_listener(library)(library, response, intake)


def playing(library: Any, request: Any, answer: Answer) -> Any:
    """A stream for both kinds of client that delivers ``answer``, and breaks off if that says so."""
    return _player(library)(library, request, answer)


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


class _Listener:
    """What both kinds of listening streams have in common."""

    def __init__(self, library: Any, response: Any, intake: Intake) -> None:
        self._library = library
        self._encoding = response.headers.get("content-encoding", "")
        self._stream = response.stream
        self._intake = intake
        self._kept = _Kept()

    def _end(self, error: BaseException | None = None, *, complete: bool = True) -> None:
        name = "" if error is None else type(error).__name__
        self._intake.finish(self._decoded(), name, complete=complete)

    def _decoded(self) -> bytes:
        raw = self._kept.whole
        if not self._encoding:
            return raw
        headers = {"content-encoding": self._encoding}
        response = self._library.Response(200, headers=headers, stream=self._library.ByteStream(raw))
        try:
            return read_all(response.iter_bytes(_CHUNK))
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
            self._stream.close()
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
            await self._stream.aclose()
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
                kind = getattr(self._library, self._answer.breaks, self._library.ReadError)
                raise kind(
                    "peer closed connection without sending complete message body", request=self._request
                )

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in self:
                yield chunk

    return Player
