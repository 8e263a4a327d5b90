"""One client connection: an asyncio protocol that reads requests and writes replies, in order.

It makes no task and awaits nothing: waiting is done by timers, so that closing is immediate and complete.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import TYPE_CHECKING, cast

from pytest_llmrel.simulator.messages import Reply, Request, WireError, render
from pytest_llmrel.simulator.parsing import RequestParser

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_llmrel.simulator.application import Application

__all__ = ["Connection"]

_STALLED_SECONDS = 30.0
_LINGER_SECONDS = 2.0
_BACKLOG_BYTES = 256 * 1024
_NO_LINGERING = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

_UNREADABLE = Request("", "", {}, b"", keep_alive=False)


class Connection(asyncio.Protocol):
    """Speaks HTTP/1.1 with one client; later requests of a pipeline wait for earlier replies."""

    def __init__(self, application: Application, connections: set[Connection]) -> None:
        """Takes the application that answers and the set of open connections to be a member of."""
        self._application = application
        self._connections = connections
        self._parser = RequestParser()
        self._transport: asyncio.Transport
        self._loop: asyncio.AbstractEventLoop
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self._blocked = False
        self._ended = False
        self._leaving = False

    def abort(self) -> None:
        """Drops the connection at once, with whatever was still to be written."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when a client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio when the connection is gone, for whatever reason."""
        del exc
        self._leaving = True
        self._set_timer(None)
        self._connections.discard(self)
        if self._busy:
            self._busy = False
            self._application.tally.abandon()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with bytes of the client."""
        if self._leaving:
            return
        self._parser.feed(data)
        if self._busy or self._blocked:
            self._limit_backlog()
        else:
            self._advance()

    def eof_received(self) -> bool:
        """Called by asyncio when the client will send no more; true keeps the way back open."""
        self._ended = True
        return (self._busy or self._blocked) and not self._leaving

    def pause_writing(self) -> None:
        """Called by asyncio when the client does not read what is written to it."""
        self._blocked = True

    def resume_writing(self) -> None:
        """Called by asyncio when the client reads again."""
        self._blocked = False
        self._advance()

    def _advance(self) -> None:
        """Answers every whole request that has arrived, until one takes time."""
        while not (self._busy or self._blocked or self._leaving):
            try:
                request = self._parser.next_request()
            except WireError as error:
                self._give_up(error)
                return
            if request is None:
                self._wait_for_rest()
                return
            self._set_timer(None)
            self._begin(self._application.answer(request), request)

    def _begin(self, reply: Reply, request: Request) -> None:
        self._application.tally.begin()
        self._busy = True
        if reply.later is None:
            self._write(reply, request)
        else:
            self._timer = self._loop.call_later(reply.delay, self._make_later, reply.later, request)

    def _make_later(self, make: Callable[[], Reply], request: Request) -> None:
        self._timer = None
        if self._ended:
            # As one does that has given up; what it will not read must not use up the luck of an answer.
            self._transport.close()
            return
        self._write(self._application.guarded(make, request), request)
        self._advance()

    def _write(self, reply: Reply, request: Request) -> None:
        if reply.fault == "reset":
            self._reset(reply)
            return
        writes = render(reply, request)
        if reply.delay > 0:
            self._pace(reply, writes, 0, request)
        else:
            self._finish(reply, b"".join(writes), request)

    def _pace(self, reply: Reply, writes: tuple[bytes, ...], index: int, request: Request) -> None:
        """Waits an equal part of the delay before each write that is left."""
        gap = reply.delay / len(writes)
        self._timer = self._loop.call_later(gap, self._write_paced, reply, writes, index, request)

    def _write_paced(self, reply: Reply, writes: tuple[bytes, ...], index: int, request: Request) -> None:
        if index + 1 < len(writes):
            self._transport.write(writes[index])
            self._pace(reply, writes, index + 1, request)
            return
        self._timer = None
        self._finish(reply, writes[index], request)
        self._advance()

    def _finish(self, reply: Reply, last: bytes, request: Request) -> None:
        # Counted before it is written: a client that has its answer must find it counted.
        self._count(reply)
        self._transport.write(last)
        if reply.fault == "truncated" or not request.keep_alive:
            self._leave()

    def _count(self, reply: Reply) -> None:
        self._busy = False
        self._application.tally.end(reply)

    def _reset(self, reply: Reply) -> None:
        """Ends the connection as a machine does that knows nothing of it: at once, and not in order."""
        self._count(reply)
        self._leaving = True
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self._transport.abort()

    def _wait_for_rest(self) -> None:
        if self._ended:
            self._transport.close()
            return
        self._transport.resume_reading()
        if self._parser.take_continue():
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._timer is None and self._parser.midway:
            self._timer = self._loop.call_later(_STALLED_SECONDS, self._on_stall)

    def _on_stall(self) -> None:
        self._give_up(WireError(408, f"The request was not complete after {_STALLED_SECONDS:.0f} seconds."))

    def _give_up(self, error: WireError) -> None:
        reply = self._application.refuse_wire(error)
        self._transport.writelines(render(reply, _UNREADABLE))
        self._leave()

    def _leave(self) -> None:
        """Ends our side and lets the client finish: closing on unread bytes would destroy the reply."""
        self._leaving = True
        self._set_timer(None)
        if self._ended:
            self._transport.close()
            return
        self._transport.write_eof()
        self._transport.resume_reading()
        self._timer = self._loop.call_later(_LINGER_SECONDS, self._transport.close)

    def _limit_backlog(self) -> None:
        if self._parser.buffered > _BACKLOG_BYTES:
            self._transport.pause_reading()

    def _set_timer(self, timer: asyncio.TimerHandle | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer
