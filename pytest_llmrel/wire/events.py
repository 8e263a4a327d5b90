"""Event streams (server-sent events, WHATWG HTML 9.2) read from their end, where they say what was used."""

import re
from collections.abc import Iterator
from typing import Final

from pytest_llmrel.wire.bodies import EVENTS
from pytest_llmrel.wire.documents import LARGE

__all__ = ["is_stream", "last_event", "usage_events"]

_BOM: Final = b"\xef\xbb\xbf"
_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_GAPS: Final = (b"\n\n", b"\n\r", b"\r\r")
"""Two ends of lines in a row, whichever they are, contain one of these; ``\\r\\n`` alone is none."""
_WINDOW: Final = 1 << 12
_MOST_EVENTS: Final = 1_000
"""Events that are looked at; the one that counts is among the last few."""
_USAGE: Final = b'"usage'
_SAID: Final = re.compile(rb'"usage(?:Metadata)?"\s*:(?!\s*null)')
"""A key, not the text of a model: in JSON, text has a backslash before its quotes."""


def is_stream(content_type: str, body: bytes) -> bool:
    """Whether a body is an event stream: by what it looks like, and else by what it is said to be."""
    start = body[: len(_BOM) + 32].removeprefix(_BOM).lstrip()
    if start.startswith((b"{", b"[")):
        return False
    return content_type == EVENTS or start.startswith(_FIELDS)


def usage_events(body: bytes) -> Iterator[bytes]:
    """Data of the events that may say what was used, the last one first.

    An event needs no blank line behind it: whoever has closed the stream has said what it says. Of the chunks
    with ``"usage": null`` none is looked at.
    """
    end, left = len(body), _MOST_EVENTS
    while left and (at := body.rfind(_USAGE, 0, end)) >= 0:
        if not _SAID.match(body, at):
            end = at
            continue
        end = _beginning(body, at)
        left -= 1
        yield _data(body[end : _ending(body, at)])


def last_event(body: bytes) -> bytes:
    """Data of the last event that has any, ``b""`` if there is none."""
    end = len(body.rstrip())
    for _ in range(_MOST_EVENTS):
        start = _beginning(body, end)
        data = _data(body[start:end])
        if data or not start:
            return data
        end = start - 1
    return b""


def _beginning(body: bytes, at: int) -> int:
    """Where the event around ``at`` begins; windows that grow, so that it costs what the event is long."""
    size = _WINDOW
    while True:
        low = max(0, at - size)
        gap = max(body.rfind(mark, low, at) for mark in _GAPS)
        if gap >= 0 or not low:
            return gap + 1
        size *= 4


def _ending(body: bytes, at: int) -> int:
    size = _WINDOW
    while True:
        high = at + size
        gaps = [gap for mark in _GAPS if (gap := body.find(mark, at, high)) >= 0]
        if gaps or high >= len(body):
            return min(gaps, default=len(body))
        size *= 4


def _data(event: bytes) -> bytes:
    """The lines of data of one event, joined as the standard says."""
    if len(event) > LARGE:
        # One line in practice; of a million lines nobody should make a list.
        return event[event.find(b"data:") + len(b"data:") :].strip()
    lines = event.removeprefix(_BOM).splitlines()
    parts = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:") or line == b"data"]
    return parts[0] if len(parts) == 1 else b"\n".join(parts)
