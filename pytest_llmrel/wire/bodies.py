"""Bodies of answers: the pieces in which a stream delivers them, the headers that hold once decoded."""

from collections.abc import Iterable, Sequence

__all__ = ["EVENTS", "decoded_headers", "pieces"]

EVENTS = "text/event-stream"
_OF_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def pieces(content_type: str, body: bytes) -> Sequence[bytes]:
    """A body as a stream delivers it: event by event, or in one piece."""
    if content_type != EVENTS:
        return (body,) if body else ()
    parts = body.replace(b"\r\n", b"\n").split(b"\n\n")
    events = [part + b"\n\n" for part in parts[:-1]]
    return [*events, parts[-1]] if parts[-1] else events


def decoded_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The headers without those that describe how the body was transferred."""
    return tuple((name, value) for name, value in headers if name.lower() not in _OF_TRANSFER)
