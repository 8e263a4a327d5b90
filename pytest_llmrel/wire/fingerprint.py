"""What a request asked, field by field, so that a changed one can be told and its change be named."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pytest_llmrel.wire.redaction import REDACTED, Redactor
from pytest_llmrel.wire.steps import Request

__all__ = ["difference", "fingerprint"]

_DEEPEST = 4
"""Levels of a JSON body that have fields of their own; what lies deeper is one field."""
_MOST_FIELDS = 400
_LONGEST = 60
"""Characters of a value that are kept as they are; a longer one is remembered by its hash."""
_BOUNDARY = re.compile(r"boundary=\"?([^\";,]+)")


def fingerprint(request: Request, redactor: Redactor) -> Mapping[str, str]:
    """Field -> value, short values as they are and long ones by their hash; nothing secret.

    The host is no part of it: a simulator on a free port, or another region, gives the same answers.
    """
    parts = urlsplit(request.url)
    fields = {"method": request.method, "path": parts.path}
    query = urlsplit(redactor.clean_url(request.url)).query if parts.query else ""
    for name, value in parse_qsl(query, keep_blank_values=True):
        fields[f"query.{_printable(name)}"] = _brief(value)
    return _cleaned(fields | _body_fields(request), redactor)


def difference(then: Mapping[str, str], now: Mapping[str, str], ignored: Collection[str] = ()) -> str:
    """The first field that has changed, with both values, or ``""``.

    Args:
        then: fingerprint of the request that was recorded.
        now: of the one that is made.
        ignored: fields that may change, ``body.metadata`` with everything below it.
    """
    changed = [
        name
        for name in dict.fromkeys((*then, *now))
        if then.get(name) != now.get(name) and not _is_ignored(name, ignored)
    ]
    if not changed:
        return ""
    first, more = changed[0], len(changed) - 1
    said = f"{first} was {then.get(first, 'not there')} and is {now.get(first, 'not there')}"
    return f"{said} (and {more} more fields changed)" if more else said


def _is_ignored(name: str, ignored: Collection[str]) -> bool:
    return any(name == field or name.startswith((f"{field}.", f"{field}[")) for field in ignored)


def _cleaned(fields: Mapping[str, str], redactor: Redactor) -> Mapping[str, str]:
    """Looks at all values at once, for most hold nothing secret; each is one line, so no secret spans two."""
    together = "\n".join(fields.values())
    if redactor.clean(together) == together:
        return fields
    return {name: redactor.clean(value) for name, value in fields.items()}


def _body_fields(request: Request) -> dict[str, str]:
    if request.body is None:
        return {"body": "a stream"}
    if not request.body:
        return {}
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError):
        return {"body": _hashed(_without_boundary(request))}
    fields = dict(_leaves("body", document, _DEEPEST))
    return fields if len(fields) <= _MOST_FIELDS else {"body": _hashed(request.body)}


def _leaves(name: str, value: Any, levels: int) -> Iterator[tuple[str, str]]:
    if levels and isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _leaves(f"{name}.{_printable(key)}", member, levels - 1)
    elif levels and isinstance(value, list) and value:
        for index, member in enumerate(value):
            yield from _leaves(f"{name}[{index}]", member, levels - 1)
    elif isinstance(value, str):
        yield name, _brief(value)
    else:
        yield name, _brief(json.dumps(value, sort_keys=True))


def _brief(text: str) -> str:
    return _printable(text) if len(text) <= _LONGEST else _hashed(text.encode("utf-8", "surrogatepass"))


def _printable(text: str) -> str:
    return text if text.isprintable() else _hashed(text.encode("utf-8", "surrogatepass"))


def _hashed(data: bytes) -> str:
    return f"{len(data)} bytes {blake2b(data, digest_size=8).hexdigest()}"


def _without_boundary(request: Request) -> bytes:
    """A form without the line that separates its parts, which is another one each time."""
    body = request.body or b""
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    boundary = _BOUNDARY.search(kind)
    return body.replace(boundary[1].encode("latin-1", "replace"), REDACTED.encode()) if boundary else body
