"""Server-sent events: the frame in which the pieces of a streamed answer are sent, whatever the API."""

from __future__ import annotations

import json

__all__ = ["DONE", "event", "json_bytes"]

DONE = b"data: [DONE]\n\n"
"""The last event of the APIs that end their streams with one."""


def event(document: object, name: str = "") -> bytes:
    """Returns one event with its data as JSON; ``name`` is its type, where the API has types."""
    label = f"event: {name}\n" if name else ""
    return f"{label}data: {json.dumps(document)}\n\n".encode("ascii")


def json_bytes(document: object) -> bytes:
    """Returns a document as JSON in ASCII, which is safe for lone surrogates."""
    return json.dumps(document).encode("ascii")
