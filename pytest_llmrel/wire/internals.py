"""The seam: ``Client.send`` and ``AsyncClient.send`` of httpx and httpx2; every touch of their internals.

Only there every call of every SDK passes: some bring transports of their own. Checked against the oldest and
newest supported versions.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial, wraps
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from pytest_llmrel.wire.steps import Answer, Course, Deliver, Fail, Head, Intake, Read, Request, Wait
from pytest_llmrel.wire.streams import alistening, listening, playing, read_all, read_all_async

__all__ = ["is_client_loaded", "watched_clients"]

_LIBRARIES = ("httpx", "httpx2")
_Begin = Callable[[Request], Course | None]


def is_client_loaded() -> bool:
    """Whether anybody has imported one of the libraries, and so may make calls."""
    return any(name in sys.modules for name in _LIBRARIES)


@contextmanager
def watched_clients(begin: _Begin) -> Iterator[None]:
    """Let every call of every client take the course that ``begin`` says; ``None`` is the client's own.

    Libraries that are imported within the block are watched from then on.
    """
    patches: list[tuple[type, str, Any, Any]] = []

    def patch(library: Any) -> None:
        for name, made in (("Client", _sync_send), ("AsyncClient", _async_send)):
            kind = getattr(library, name)
            original = kind.send
            ours = made(library, original, begin)
            kind.send = ours
            patches.append((kind, "send", original, ours))

    finder = _Finder(patch)
    for name in _LIBRARIES:
        if hasattr(sys.modules.get(name), "AsyncClient"):
            patch(sys.modules[name])
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for kind, name, original, ours in reversed(patches):
            if vars(kind).get(name) is ours:  # whoever has replaced it since will put back what was there
                setattr(kind, name, original)


class _Finder(MetaPathFinder):
    """Patches a library as soon as it has been imported."""

    def __init__(self, patch: Callable[[ModuleType], None]) -> None:
        self._patch = patch

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _LIBRARIES:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(fullname, path, target) if find else None
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, self._patch)
                return spec
        return None


class _Loader(Loader):
    """A loader that tells when its module is there; the module never notices."""

    def __init__(self, loader: Loader, patch: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._patch = patch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._patch(module)


class _Ride:
    """A course under way: the step that is due, or how it ended.

    Args:
        course: that is followed.
        send: sends the request, and comes back as soon as the head of the answer is there.

    Attributes:
        response: the client library's own, as it came last.
    """

    def __init__(self, course: Course, send: Callable[[], Any]) -> None:
        self._course = course
        self.send = send
        self.response: Any = None
        self.end: Deliver | Answer | Fail | None = None
        self.step: Any = None
        self.take(None)

    def take(self, outcome: Any) -> None:
        """Tell the course what became of its step; an exception that it does not care for is raised again."""
        try:
            if isinstance(outcome, BaseException):
                self.step = self._course.throw(outcome)
            else:
                self.step = self._course.send(outcome)
        except StopIteration as ended:
            self.step, self.end = None, ended.value


def _sync_send(library: Any, original: Callable[..., Any], begin: _Begin) -> Callable[..., Any]:
    @wraps(original)
    def send(client: Any, request: Any, *, stream: bool = False, **options: Any) -> Any:
        course = None if client.is_closed else begin(_seen(request))
        if course is None:
            return original(client, request, stream=stream, **options)
        ride = _Ride(course, partial(original, client, request, stream=True, **options))
        while ride.step is not None:
            try:
                outcome = _perform(ride)
            except BaseException as error:  # noqa: BLE001  the course decides, and raises it again
                outcome = error
            ride.take(outcome)
        if isinstance(ride.end, Deliver):
            return _delivered(library, ride.response, ride.end.intake, stream=stream)
        _let_go(ride)
        response = _made(library, client, request, ride.end)
        for hook in client.event_hooks["response"]:
            hook(response)
        return response if stream else _read(response)

    return send


def _perform(ride: _Ride) -> Any:
    if isinstance(ride.step, Read):
        return read_all(ride.response.iter_bytes())
    _let_go(ride)
    if isinstance(ride.step, Wait):
        return time.sleep(ride.step.seconds)
    ride.response = ride.send()
    return _head(ride.response)


def _let_go(ride: _Ride) -> None:
    """Close the answer that was not good enough."""
    response, ride.response = ride.response, None
    if response is not None:
        response.close()


def _async_send(library: Any, original: Callable[..., Any], begin: _Begin) -> Callable[..., Any]:
    @wraps(original)
    async def send(client: Any, request: Any, *, stream: bool = False, **options: Any) -> Any:
        course = None if client.is_closed else begin(_seen(request))
        if course is None:
            return await original(client, request, stream=stream, **options)
        ride = _Ride(course, partial(original, client, request, stream=True, **options))
        while ride.step is not None:
            try:
                outcome = await _aperform(ride)
            except BaseException as error:  # noqa: BLE001  the course decides, and raises it again
                outcome = error
            ride.take(outcome)
        if isinstance(ride.end, Deliver):
            return await _adelivered(library, ride.response, ride.end.intake, stream=stream)
        await _alet_go(ride)
        response = _made(library, client, request, ride.end)
        for hook in client.event_hooks["response"]:
            await hook(response)
        return response if stream else await _aread(response)

    return send


async def _aperform(ride: _Ride) -> Any:
    if isinstance(ride.step, Read):
        return await read_all_async(ride.response.aiter_bytes())
    await _alet_go(ride)
    if isinstance(ride.step, Wait):
        import anyio  # httpx needs it, too; the loop may be trio's

        return await anyio.sleep(ride.step.seconds)
    ride.response = await ride.send()
    return _head(ride.response)


async def _alet_go(ride: _Ride) -> None:
    response, ride.response = ride.response, None
    if response is not None:
        await response.aclose()


def _seen(request: Any) -> Request:
    body = getattr(request, "_content", None)  # .content raises for a stream, which we must not use up
    timeout = request.extensions.get("timeout") or {}
    return Request(
        request.method.upper(),
        str(request.url),
        tuple(request.headers.multi_items()),
        body,
        timeout.get("read"),
    )


def _head(response: Any) -> Head:
    return Head(response.status_code, tuple(response.headers.multi_items()))


def _made(library: Any, client: Any, request: Any, end: Answer | Fail | None) -> Any:
    """A response that came from no server, or what the library would have raised."""
    if not isinstance(end, Answer):
        assert end is not None  # noqa: S101  a course without an end is still going on
        raise getattr(library, end.name)(end.message, request=request)
    response = library.Response(
        end.status,
        headers=list(end.headers),
        stream=playing(library, request, end),
        request=request,
        extensions={"http_version": b"HTTP/1.1"},
        default_encoding=getattr(client, "_default_encoding", "utf-8"),
    )
    response.elapsed = timedelta(0)
    return response


def _delivered(library: Any, response: Any, intake: Intake, *, stream: bool) -> Any:
    if stream:
        response.stream = listening(library, response, intake)
        return response
    try:
        _read(response)
    except BaseException as error:
        intake.finish(b"", type(error).__name__)
        raise
    intake.finish(response.content)
    return response


async def _adelivered(library: Any, response: Any, intake: Intake, *, stream: bool) -> Any:
    if stream:
        response.stream = alistening(library, response, intake)
        return response
    try:
        await _aread(response)
    except BaseException as error:
        intake.finish(b"", type(error).__name__)
        raise
    intake.finish(response.content)
    return response


def _read(response: Any) -> Any:
    try:
        response._content = read_all(response.iter_bytes())
    except BaseException:
        response.close()
        raise
    return response


async def _aread(response: Any) -> Any:
    try:
        response._content = await read_all_async(response.aiter_bytes())
    except BaseException:
        await response.aclose()
        raise
    return response
