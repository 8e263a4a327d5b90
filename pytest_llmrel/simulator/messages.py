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
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    505: "HTTP Version Not Supported",
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
    """One whole request; header names are in lower case, ``path`` is without the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool = True
    chunks_allowed: bool = True
    """HTTP/1.0 clients do not know chunks: a streamed reply to them ends with the connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One response; ``delay`` seconds pass before the last of ``chunks`` is written.

    A streamed reply spreads its chunks evenly over the delay. Any other has one chunk, its body.
    """

    status: int
    chunks: tuple[bytes, ...]
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    streamed: bool = False


def render(reply: Reply, request: Request) -> tuple[bytes, ...]:
    """Turns a reply into the writes to make, in order; the first one carries the head."""
    if not reply.streamed:
        body = b"".join(reply.chunks)
        head = _head(reply, request, f"Content-Length: {len(body)}\r\n")
        return (head if request.method == "HEAD" else head + body,)
    if not request.chunks_allowed:
        return (_head(reply, request, ""), *reply.chunks)
    head = _head(reply, request, "Transfer-Encoding: chunked\r\n")
    return (head, *(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in reply.chunks), b"0\r\n\r\n")


def _head(reply: Reply, request: Request, framing: str) -> bytes:
    extra = "".join([f"{name}: {value}\r\n" for name, value in reply.headers])
    closing = "" if request.keep_alive else "Connection: close\r\n"
    return (
        f"HTTP/1.1 {reply.status} {_REASONS[reply.status]}\r\nServer: llmrel-simulator\r\n"
        f"Content-Type: {reply.content_type}\r\n{framing}{extra}{closing}\r\n"
    ).encode("latin-1")
