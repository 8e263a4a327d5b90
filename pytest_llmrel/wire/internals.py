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
from pytest_llmrel.wire.streams import (
    alistening,
    error_of,
    listening,
    playing,
    read_all,
    read_all_async,
)

__all__ = ["watched_clients"]

_LIBRARIES = ("httpx", "httpx2")
_Begin = Callable[[Request], Course | None]


@contextmanager
def watched_clients(begin: _Begin) -> Iterator[None]:
    """Let every call of every client take the course that ``begin`` says; ``None`` is the client's own.

    Libraries that are imported within the block are watched from then on.
    """
    patches: list[tuple[type, str, Any, Any]] = []
    is_over = False

    def begin_within(request: Request) -> Course | None:
        return None if is_over else begin(request)  # who has wrapped ours in the block may keep it for ever

    def patch(library: Any) -> None:
        for name, made in (("Client", _sync_send), ("AsyncClient", _async_send)):
            kind = getattr(library, name)
            original = kind.send
            ours = made(library, original, begin_within)
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
        is_over = True
        if finder in sys.meta_path:
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
        if fullname not in _LIBRARIES or self not in sys.meta_path:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            find = getattr(finder, "find_spec", None)
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
        request: the client library's own.
        send: sends the request, and comes back as soon as the head of the answer is there.

    Attributes:
        response: the client library's own, as it came last.
        objection: what an event hook raised because of its status; the client gets it with that answer.
    """

    def __init__(self, course: Course, request: Any, send: Callable[[], Any]) -> None:
        self._course = course
        self.request = request
        self.send = send
        self._seen = request.headers.raw
        self.response: Any = None
        self.objection: Exception | None = None
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

    @property
    def changed_headers(self) -> tuple[tuple[str, str], ...]:
        """Those of the request, if an ``auth`` has touched any since the course has seen them."""
        headers = self.request.headers
        return () if headers.raw == self._seen else tuple(headers.multi_items())

    def refuse(self, error: Any) -> None:
        """An event hook has raised because of the status; the host has answered all the same."""
        if error.request is not self.request:
            raise error  # of another call, which the hook made
        self.response, self.objection = error.response, error

    def object(self) -> None:
        """Raise what an event hook has raised."""
        if self.objection is not None:
            raise self.objection


def _sync_send(library: Any, original: Callable[..., Any], begin: _Begin) -> Callable[..., Any]:
    @wraps(original)
    def send(client: Any, request: Any, *, stream: bool = False, **options: Any) -> Any:
        course = None if client.is_closed else begin(_seen(request))
        if course is None:
            return original(client, request, stream=stream, **options)
        ride = _Ride(course, request, partial(original, client, request, stream=True, **options))
        while ride.step is not None:
            try:
                outcome = _perform(library, ride)
            except BaseException as error:  # noqa: BLE001  the course decides, and raises it again
                outcome = error
            ride.take(outcome)
        if isinstance(ride.end, Deliver):
            return _delivered(library, ride, ride.end.intake, stream=stream)
        _let_go(ride)
        response = _made(library, client, request, ride.end)
        for hook in client.event_hooks["response"]:
            hook(response)
        return response if stream else _read(response)

    return send


def _perform(library: Any, ride: _Ride) -> Any:
    if isinstance(ride.step, Read):
        ride.object()
        return _read(ride.response).content
    _let_go(ride)
    if isinstance(ride.step, Wait):
        return time.sleep(ride.step.seconds)
    try:
        ride.response = ride.send()
    except library.HTTPStatusError as error:
        ride.refuse(error)
    return _head(ride)


def _let_go(ride: _Ride) -> None:
    """Close the answer that was not good enough."""
    response, ride.response, ride.objection = ride.response, None, None
    if response is not None:
        response.close()


def _async_send(library: Any, original: Callable[..., Any], begin: _Begin) -> Callable[..., Any]:
    @wraps(original)
    async def send(client: Any, request: Any, *, stream: bool = False, **options: Any) -> Any:
        course = None if client.is_closed else begin(_seen(request))
        if course is None:
            return await original(client, request, stream=stream, **options)
        ride = _Ride(course, request, partial(original, client, request, stream=True, **options))
        while ride.step is not None:
            try:
                outcome = await _aperform(library, ride)
            except BaseException as error:  # noqa: BLE001  the course decides, and raises it again
                outcome = error
            ride.take(outcome)
        if isinstance(ride.end, Deliver):
            return await _adelivered(library, ride, ride.end.intake, stream=stream)
        await _alet_go(ride)
        response = _made(library, client, request, ride.end)
        for hook in client.event_hooks["response"]:
            await hook(response)
        return response if stream else await _aread(response)

    return send


async def _aperform(library: Any, ride: _Ride) -> Any:
    if isinstance(ride.step, Read):
        ride.object()
        return (await _aread(ride.response)).content
    await _alet_go(ride)
    if isinstance(ride.step, Wait):
        import anyio  # httpx needs it, too; the loop may be trio's

        return await anyio.sleep(ride.step.seconds)
    try:
        ride.response = await ride.send()
    except library.HTTPStatusError as error:
        ride.refuse(error)
    return _head(ride)


async def _alet_go(ride: _Ride) -> None:
    response, ride.response, ride.objection = ride.response, None, None
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


def _head(ride: _Ride) -> Head:
    response = ride.response
    return Head(response.status_code, tuple(response.headers.multi_items()), ride.changed_headers)


def _made(library: Any, client: Any, request: Any, end: Answer | Fail | None) -> Any:
    """A response that came from no server, or what the library would have raised."""
    if not isinstance(end, Answer):
        assert end is not None  # noqa: S101  a course without an end is still going on
        raise error_of(library, end.name, end.message, request)
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


def _delivered(library: Any, ride: _Ride, intake: Intake, *, stream: bool) -> Any:
    response = ride.response
    if ride.objection is not None or (stream and response.is_closed):
        return _hooked(ride, intake)
    if stream:
        response.stream = listening(library, response, intake)
        return response
    try:
        _read(response)
    except BaseException as error:
        intake.finish(b"", error)
        raise
    intake.finish(response.content)
    return response


async def _adelivered(library: Any, ride: _Ride, intake: Intake, *, stream: bool) -> Any:
    response = ride.response
    if ride.objection is not None or (stream and response.is_closed):
        return _hooked(ride, intake)
    if stream:
        response.stream = alistening(library, response, intake)
        return response
    try:
        await _aread(response)
    except BaseException as error:
        intake.finish(b"", error)
        raise
    intake.finish(response.content)
    return response


def _hooked(ride: _Ride, intake: Intake) -> Any:
    """The answer that an event hook has read, closed or objected to: nothing more of it will be heard."""
    body = getattr(ride.response, "_content", None)
    intake.finish(body or b"", complete=body is not None)
    ride.object()
    return ride.response


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
