"""HTTP messages as values: the request that was read, the reply to write, and a refusal of either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Handler", "Reply", "Request", "WireError", "render"]

Handler: TypeAlias = "Callable[[Request], Reply]"

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    417: "Expectation Failed",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
    529: "Site is Overloaded",
}


class WireError(Exception):
    """The bytes are not a request this server can answer; the connection cannot be used any further.

    Attributes:
        status: the HTTP status to refuse with.
    """

    def __init__(self, status: int, message: str) -> None:
        """Keeps the status beside the message."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One whole request; header names are in lower case, ``query`` is what follows the question mark."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool = True
    query: str = ""
    chunks_allowed: bool = True
    """HTTP/1.0 clients do not know chunks: a streamed reply to them ends with the connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One response; ``delay`` seconds pass before the last of ``chunks`` is written.

    A streamed reply spreads its chunks evenly over the delay. Any other has one chunk, its body.

    Attributes:
        fault: the kind of fault that this reply is; a ``reset`` is not written at all, and what is written of
            a ``truncated`` one ends halfway.
        later: makes the reply proper once the delay is over; what stands beside it is then of no account.
    """

    status: int
    chunks: tuple[bytes, ...]
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    streamed: bool = False
    fault: str = ""
    later: Callable[[], Reply] | None = None


def render(reply: Reply, request: Request) -> tuple[bytes, ...]:
    """Turns a reply into the writes to make, in order; the first one carries the head."""
    if not reply.streamed:
        body = b"".join(reply.chunks)
        head = _head(reply, request, f"Content-Length: {len(body)}\r\n")
        if request.method == "HEAD":
            return (head,)
        return (head + (body[: len(body) // 2] if reply.fault == "truncated" else body),)
    # A streamed reply to HTTP/1.0 ends with the connection, and cannot be seen to be truncated.
    chunked = request.chunks_allowed
    head = _head(reply, request, "Transfer-Encoding: chunked\r\n" if chunked else "")
    chunks = reply.chunks[: len(reply.chunks) // 2] if reply.fault == "truncated" else reply.chunks
    if not chunked:
        return (head, *chunks)
    end = () if reply.fault == "truncated" else (b"0\r\n\r\n",)
    return (head, *(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks), *end)


def _head(reply: Reply, request: Request, framing: str) -> bytes:
    extra = "".join([f"{name}: {value}\r\n" for name, value in reply.headers])
    closing = "" if request.keep_alive else "Connection: close\r\n"
    return (
        f"HTTP/1.1 {reply.status} {_REASONS[reply.status]}\r\nServer: llmrel-simulator\r\n"
        f"Content-Type: {reply.content_type}\r\n{framing}{extra}{closing}\r\n"
    ).encode("latin-1")
