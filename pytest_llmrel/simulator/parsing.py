"""Parser of HTTP/1.1 requests (RFC 9112): bytes in, requests out, no IO.

Lenient towards slow or chatty clients, strict about everything that could be understood in two ways.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_llmrel.simulator.chunked import ChunkedBody
from pytest_llmrel.simulator.messages import Request, WireError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAX_BODY", "MAX_HEAD", "RequestParser"]

MAX_BODY = 10 * 1024 * 1024
MAX_HEAD = 64 * 1024

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NAME = re.compile(_TOKEN)
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
_BEGINNING = re.compile(rb"[A-Za-z]{1,32} |[A-Za-z]{0,32}\Z|\r\Z")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(r"[0-9]+")
_LONGEST_LENGTH = 15


class _Head(NamedTuple):
    """What is known of a request before its body; a ``length`` of None means chunks."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    minor: int
    length: int | None


class RequestParser:
    """Cuts the bytes of one connection into requests, however they were split or glued together."""

    __slots__ = ("_buffer", "_chunks", "_continue_due", "_head")

    def __init__(self) -> None:
        """Starts between two requests."""
        self._buffer = bytearray()
        self._chunks: ChunkedBody | None = None
        self._continue_due = False
        self._head: _Head | None = None

    def feed(self, data: bytes) -> None:
        """Adds bytes that arrived."""
        self._buffer += data

    @property
    def buffered(self) -> int:
        """The number of bytes waiting to be cut into requests."""
        return len(self._buffer)

    @property
    def midway(self) -> bool:
        """Whether a request has begun and is not complete."""
        return bool(self._buffer) or self._head is not None

    def take_continue(self) -> bool:
        """Whether the client now waits for ``100 Continue``; true once per request."""
        due, self._continue_due = self._continue_due, False
        return due

    def next_request(self) -> Request | None:
        """Returns the next whole request, or None until more bytes have been fed.

        Raises:
            WireError: the bytes are not a request, or one that is too large; feed nothing more.
        """
        head = self._head or self._take_head()
        if head is None:
            return None
        body = self._take_body(head)
        if body is None:
            return None
        self._head, self._chunks, self._continue_due = None, None, False
        modern = head.minor > 0
        keep_alive = modern and "close" not in _tokens(head.headers.get("connection", ""))
        return Request(head.method, head.path, head.headers, body, keep_alive, head.query, modern)

    def _take_head(self) -> _Head | None:
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):
            del buffer[:2]
        end = buffer.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            _check_beginning(buffer)
            return None
        head = _parse_head(bytes(buffer[:end]))
        del buffer[: end + 4]
        self._head = head
        self._chunks = ChunkedBody(MAX_BODY) if head.length is None else None
        self._continue_due = _expects_continue(head)
        return head

    def _take_body(self, head: _Head) -> bytes | None:
        buffer = self._buffer
        if self._chunks is not None:
            return self._chunks.take(buffer)
        length = head.length or 0
        if len(buffer) < length:
            return None
        body = bytes(buffer[:length])
        del buffer[:length]
        return body


def _check_beginning(buffer: bytearray) -> None:
    """Refuses at once what can never become a request, rather than waiting for its end."""
    if _BEGINNING.match(buffer) is None:
        raise WireError(400, "These bytes are not an HTTP request; this server speaks plain HTTP/1.1.")
    line, found, _ = buffer.partition(b"\n")
    if found and _REQUEST_LINE.fullmatch(line.removesuffix(b"\r")) is None:
        raise WireError(400, "The request line is not of the form 'METHOD /path HTTP/1.1'.")
    if len(buffer) >= MAX_HEAD:
        raise WireError(431, f"The head of the request is larger than the {MAX_HEAD} bytes accepted.")


def _parse_head(head: bytes) -> _Head:
    first, *lines = head.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise WireError(400, "The request line is not of the form 'METHOD /path HTTP/1.1'.")
    method, target, major, minor = match.groups()
    if major != b"1":
        raise WireError(505, "This server speaks HTTP/1.1 only.")
    headers = _parse_fields(lines)
    if minor != b"0" and "host" not in headers:
        raise WireError(400, "An HTTP/1.1 request must carry a Host header.")
    path, query = _path_and_query(target.decode())
    return _Head(method.decode(), path, query, headers, int(minor), _body_length(headers))


def _parse_fields(lines: list[bytes]) -> dict[str, str]:
    if _CONTROL.search(b"".join(lines)):
        raise WireError(400, "A header contains a control character.")
    headers: dict[str, str] = {}
    for line in lines:
        raw, colon, value = line.partition(b":")
        if not colon or _NAME.fullmatch(raw) is None:
            raise WireError(400, "A header is not of the form 'Name: value'.")
        name, text = raw.decode().lower(), value.strip(b" \t").decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _path_and_query(target: str) -> tuple[str, str]:
    """The parts of a request target, which a client behind a proxy setting writes as a whole URL."""
    if not target.startswith("/") and "://" in target:
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    path, _, query = target.partition("?")
    return path, query


def _body_length(headers: Mapping[str, str]) -> int | None:
    """The length of the body in bytes, None for chunks."""
    length = headers.get("content-length")
    if "transfer-encoding" in headers:
        _check_chunked(headers["transfer-encoding"], length)
        return None
    if length is None:
        return 0
    if _LENGTH.fullmatch(length) is None:
        raise WireError(400, "The Content-Length header is not one number.")
    if len(length) > _LONGEST_LENGTH or int(length) > MAX_BODY:
        raise WireError(413, f"The body is larger than the {MAX_BODY} bytes accepted.")
    return int(length)


def _check_chunked(encoding: str, length: str | None) -> None:
    if length is not None:
        raise WireError(400, "A request must not carry both Content-Length and Transfer-Encoding.")
    if encoding.lower() != "chunked":
        raise WireError(501, "The only Transfer-Encoding understood is 'chunked'.")


def _expects_continue(head: _Head) -> bool:
    expectation = head.headers.get("expect", "").lower()
    if expectation not in {"", "100-continue"}:
        raise WireError(417, "The only expectation understood is '100-continue'.")
    return bool(expectation) and head.minor > 0


def _tokens(value: str) -> list[str]:
    return [token.strip() for token in value.lower().split(",")]
