"""Transports of httpx and httpx2 that send each call along a lane of its own, and the choice of a proxy.

A lane is one of the library's own transports, limited to one connection: keep-alive, timeouts, TLS, proxies
and errors are what they always are.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cache
from threading import Semaphore
from typing import Any, Self
from urllib.request import proxy_bypass

from pytest_llmrel.clients.lanes import Lanes

__all__ = ["AsyncLaneTransport", "LaneTransport", "ProxyChoice"]


class _LaneTransport:
    """What both kinds have in common.

    Args:
        library: httpx or httpx2.
        kind: of lanes, a class of that library.
        limits: of the library's kind; connections over all lanes.
        options: what every lane is made with.
    """

    def __init__(self, library: Any, kind: Any, limits: Any, options: Mapping[str, Any]) -> None:
        self._library = library
        self._kind = kind
        self._limits = limits
        self._options = options
        self._lanes: Lanes[Any] = Lanes(
            self._lane, limits.max_connections, limits.max_keepalive_connections, limits.keepalive_expiry
        )

    def _lane(self, keeps: bool) -> Any:
        limits = self._library.Limits(
            max_connections=1,
            max_keepalive_connections=int(keeps),
            keepalive_expiry=self._limits.keepalive_expiry,
        )
        return self._kind(limits=limits, **self._options)

    def _crowded(self, timeout: float) -> Exception:
        message = f"each of {self._limits.max_connections} connections was busy for {timeout} seconds"
        error: Exception = self._library.PoolTimeout(message)
        return error


class LaneTransport(_LaneTransport):
    """For a synchronous client, used by any number of threads."""

    def __init__(self, library: Any, limits: Any, options: Mapping[str, Any]) -> None:
        super().__init__(library, library.HTTPTransport, limits, options)
        self._places = None if limits.max_connections is None else Semaphore(limits.max_connections)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def handle_request(self, request: Any) -> Any:
        """Send a request; its lane is busy until the answer is closed.

        Raises:
            PoolTimeout: of the library; every connection that the limits allow was busy for too long.
        """
        timeout = _patience(request)
        if self._places is not None and not self._places.acquire(timeout=timeout):
            raise self._crowded(timeout or 0)
        origin, lane = _origin(request), None
        try:
            lane = self._lanes.take(origin)
            response = lane.handle_request(request)
        except BaseException:
            self._fail(lane)
            raise
        response.stream = _stream(self._library)(self, response.stream, origin, lane)
        return response

    def close(self) -> None:
        """Close every connection."""
        for lane in self._lanes.clear():
            lane.close()

    def end(self, origin: Any, lane: Any, stream: Any) -> None:
        """Close an answer, and pass its lane on."""
        try:
            stream.close()
        except BaseException:
            self._fail(lane)
            raise
        self._lanes.give(origin, lane)
        self._leave()

    def _fail(self, lane: Any) -> None:
        try:
            if lane is not None:
                self._lanes.drop(lane)
                lane.close()
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._places is not None:
            self._places.release()


class AsyncLaneTransport(_LaneTransport):
    """For an asynchronous client, which belongs to one event loop, as always."""

    def __init__(self, library: Any, limits: Any, options: Mapping[str, Any]) -> None:
        import anyio  # httpx needs it, too

        super().__init__(library, library.AsyncHTTPTransport, limits, options)
        self._places = None if limits.max_connections is None else anyio.Semaphore(limits.max_connections)
        self._anyio: Any = anyio

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request; its lane is busy until the answer is closed.

        Raises:
            PoolTimeout: of the library; every connection that the limits allow was busy for too long.
        """
        if self._places is not None:
            await self._enter(self._places, _patience(request))
        origin, lane = _origin(request), None
        try:
            lane = self._lanes.take(origin)
            response = await lane.handle_async_request(request)
        except BaseException:
            await self._fail(lane)
            raise
        response.stream = _async_stream(self._library)(self, response.stream, origin, lane)
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        with self._anyio.CancelScope(shield=True):
            for lane in self._lanes.clear():
                await lane.aclose()

    async def end(self, origin: Any, lane: Any, stream: Any) -> None:
        """Close an answer, and pass its lane on."""
        try:
            await stream.aclose()
        except BaseException:
            await self._fail(lane)
            raise
        self._lanes.give(origin, lane)
        self._leave()

    async def _enter(self, places: Any, patience: float | None) -> None:
        try:
            places.acquire_nowait()
        except self._anyio.WouldBlock:
            try:
                with self._anyio.fail_after(patience):
                    await places.acquire()
            except TimeoutError:
                raise self._crowded(patience or 0) from None

    async def _fail(self, lane: Any) -> None:
        try:
            if lane is not None:
                self._lanes.drop(lane)
                with self._anyio.CancelScope(shield=True):
                    await lane.aclose()
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._places is not None:
            self._places.release()


class ProxyChoice:
    """Sends a request through the proxy of its scheme, unless its host is excepted from it.

    Args:
        direct: the transport without a proxy.
        proxied: a transport for each scheme that has a proxy; ``"all"`` is for the others.
    """

    def __init__(self, direct: Any, proxied: Mapping[str, Any]) -> None:
        self._direct = direct
        self._proxied = proxied
        self._chosen: dict[Any, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def handle_request(self, request: Any) -> Any:
        """Send a request on its way."""
        return self._choose(request).handle_request(request)

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request on its way."""
        return await self._choose(request).handle_async_request(request)

    def close(self) -> None:
        """Close all of them."""
        for transport in self._all:
            transport.close()

    async def aclose(self) -> None:
        """Close all of them."""
        for transport in self._all:
            await transport.aclose()

    @property
    def _all(self) -> list[Any]:
        return [self._direct, *self._proxied.values()]

    def _choose(self, request: Any) -> Any:
        origin = _origin(request)
        if origin not in self._chosen:
            url = request.url
            place = url.host if url.port is None else f"{url.host}:{url.port}"
            proxied = self._proxied.get(url.scheme) or self._proxied.get("all")
            self._chosen[origin] = self._direct if proxied is None or proxy_bypass(place) else proxied
        return self._chosen[origin]


def _origin(request: Any) -> tuple[str, bytes]:
    return request.url.scheme, request.url.netloc


def _patience(request: Any) -> float | None:
    """Seconds to wait for a connection."""
    seconds: float | None = (request.extensions.get("timeout") or {}).get("pool")
    return seconds


class _Stream:
    """The body of an answer, whose lane is free once it is closed."""

    def __init__(self, transport: Any, stream: Any, origin: Any, lane: Any) -> None:
        self._transport = transport
        self._stream = stream
        self._origin = origin
        self._lane = lane
        self._is_closed = False


@cache
def _stream(library: Any) -> Any:
    class Stream(_Stream, library.SyncByteStream):  # type: ignore[misc]  # which library is known only now
        def __iter__(self) -> Iterator[bytes]:
            return iter(self._stream)

        def close(self) -> None:
            if not self._is_closed:
                self._is_closed = True
                self._transport.end(self._origin, self._lane, self._stream)

    return Stream


@cache
def _async_stream(library: Any) -> Any:
    class Stream(_Stream, library.AsyncByteStream):  # type: ignore[misc]  # which library is known only now
        def __aiter__(self) -> AsyncIterator[bytes]:
            chunks: AsyncIterator[bytes] = aiter(self._stream)
            return chunks

        async def aclose(self) -> None:
            if not self._is_closed:
                self._is_closed = True
                await self._transport.end(self._origin, self._lane, self._stream)

    return Stream
