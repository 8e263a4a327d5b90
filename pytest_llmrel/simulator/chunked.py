"""Decoder of a request body sent in chunks (RFC 9112, section 7.1): bytes in, body out, no IO."""

from __future__ import annotations

import re

from pytest_llmrel.simulator.messages import WireError

__all__ = ["ChunkedBody"]

_LONGEST_LINE = 1024
_LONGEST_TRAILER = 64 * 1024
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")


class ChunkedBody:
    """Collects the chunks of one body from a buffer that is filled in pieces of any size.

    Args:
        limit: the largest body accepted, in bytes.
    """

    __slots__ = ("_body", "_limit", "_size", "_trailer")

    def __init__(self, limit: int) -> None:
        """Starts with an empty body, waiting for the first size line."""
        self._body = bytearray()
        self._limit = limit
        self._size: int | None = None
        self._trailer = 0

    def take(self, buffer: bytearray) -> bytes | None:
        """Removes from ``buffer`` what belongs to the body; returns the body once it is complete.

        Raises:
            WireError: 400 if the framing is broken, 413 if the body is over the limit.
        """
        while True:
            if self._size == 0:
                return bytes(self._body) if self._take_trailer(buffer) else None
            taken = self._take_size(buffer) if self._size is None else self._take_data(buffer, self._size)
            if not taken:
                return None

    def _take_size(self, buffer: bytearray) -> bool:
        line = _take_line(buffer)
        if line is None:
            return False
        match = _SIZE_LINE.fullmatch(line)
        if match is None:
            raise WireError(400, "A chunk of the body does not begin with its size in hexadecimal digits.")
        self._size = int(match[1], 16)
        if len(self._body) + self._size > self._limit:
            raise WireError(413, f"The body is larger than the {self._limit} bytes accepted.")
        return True

    def _take_data(self, buffer: bytearray, size: int) -> bool:
        if len(buffer) < size + 2:
            return False
        if buffer[size : size + 2] != b"\r\n":
            raise WireError(400, "A chunk of the body is longer than the size announced for it.")
        self._body += buffer[:size]
        del buffer[: size + 2]
        self._size = None
        return True

    def _take_trailer(self, buffer: bytearray) -> bool:
        """Skips trailer fields; true once the empty line after them has been taken."""
        while (line := _take_line(buffer)) is not None:
            if not line:
                return True
            self._trailer += len(line)
            if self._trailer > _LONGEST_TRAILER:
                raise WireError(431, "The trailer fields after the body are too large.")
        return False


def _take_line(buffer: bytearray) -> bytes | None:
    end = buffer.find(b"\r\n", 0, _LONGEST_LINE + 2)
    if end < 0:
        if len(buffer) > _LONGEST_LINE:
            raise WireError(400, "A line between the chunks of the body is too long.")
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line
