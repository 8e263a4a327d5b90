"""Nothing secret is written down: what requests carried as credentials, and what looks like one."""

import base64
import binascii
import html
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import is_
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from pytest_llmrel.wire.secretformats import Span, is_named_secret, is_secret_name, spans_in

__all__ = ["REDACTED", "Found", "Redactor", "kept_headers", "secrets_in"]

REDACTED: Final = "[redacted]"
_SHORTEST = 12
"""Characters from which on a credential is replaced wherever it stands: a shorter one may be a word."""
_BLOCK = 6
"""Whatever has twelve characters covers one of the blocks of six that a text can be cut into."""
_MANY = 200
"""Ways of writing secrets from which on looking for blocks is faster than looking for each."""
_MOST_SEEN = 10_000
_NAMED: Final = "\0"
_KEPT_HEADERS = re.compile(
    r"content-type|date|(?:x-)?request-id|retry-after(?:-ms)?|x-should-retry|(?:[a-z]+-)?ratelimit(?:-[a-z0-9-]+)?"
)
_SECRET_HEADER = re.compile(
    r"auth(?!or(?:ity|s?)$)|cookie|credential|key|passw|secret|signature|token", re.IGNORECASE
)
_RANDOM_HEADERS = frozenset({"idempotency-key", "sec-websocket-key"})
"""Headers whose values are new with every request, and let nobody in."""
_RANDOM_COOKIES = frozenset({"__cf_bm", "_cfuvid"})
"""Cookies that a CDN gives to every client anew."""
_SIGNED_REQUEST = re.compile(r"[\w-]*HMAC[\w-]* ")
"""Authorization that is a signature of this very request, as that of AWS: no secret, and new each time."""
_SECRET_VARIABLE = re.compile(
    r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|_PASS|_PAT|_PWD)S?(?:_?[0-9]+)?$"
)
_USERINFO = re.compile(r"^([A-Za-z][\w+.-]*:)?//(?P<userinfo>[^/?#]*)@")
_PARAMETER = re.compile(r"(?P<name>(?<=[?&;#])[^=&;#?]+)=(?P<value>[^&;#?]*+(?:\?(?![^=&;#?]*=)[^&;#?]*+)*+)")
"""A question mark within a value is a part of it, unless it looks like the beginning of the next name."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that looks like a secret.

    Attributes:
        kind: in words.
        line: counted from 1.
        preview: the first four characters, and how many there are.
    """

    kind: str
    line: int
    preview: str


def kept_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of an answer that may be written down, with names in lower case; all others stay out.

    What looks like a secret is taken out of their values, too.
    """
    named = ((name.lower(), value) for name, value in headers)
    return [(name, _cleaned(value)) for name, value in named if _is_kept(name)]


def secrets_in(text: str) -> list[Found]:
    """What looks like a secret, in the order in which it stands."""
    found, line, last = [], 1, 0
    for span in spans_in(text):
        line, last = line + text.count("\n", last, span.start), span.start
        preview = f"{text[span.start : span.start + 4]}…, {span.end - span.start} characters"
        found.append(Found(span.kind, line, preview))
    return found


class Redactor:
    """Knows the credentials that were used, and takes them out of everything; thread-safe.

    Credentials of fewer than twelve characters are not looked for: the key of an example may be a word.

    Args:
        environ: variables whose names say that they are secret are known from the start.
        more: further secrets.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, more: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._learned: set[str] = set()
        self._ways: list[str] = []
        self._blocks: set[str] = set()
        self._seen: set[tuple[str, str]] = set()
        variables = (environ or {}).items()
        self.learn(*(value for name, value in variables if _SECRET_VARIABLE.search(name.upper())), *more)

    def learn(self, *values: str) -> None:
        """Remember secrets of at least twelve characters, in every way in which they may be written."""
        for secret in map(str.strip, values):
            if len(secret) >= _SHORTEST and secret not in self._learned:
                self._add(secret)

    def learn_request(self, url: str, headers: Iterable[tuple[str, str]]) -> None:
        """Remember the credentials of a request: in its headers, and in its URL."""
        for name, value in headers:
            if _is_secret_header(name) and (name, value) not in self._seen:
                self.learn(*_credentials(name.lower(), value))
                self._see(name, value)
        if ("?" in url or "@" in url) and ("", url) not in self._seen:
            self.learn(*_credentials_of_url(url))
            self._see("", url)

    def clean(self, text: str) -> str:
        """The same without anything secret; the very same object where there is nothing."""
        # What is left may be a secret once a part of it is gone; it gets shorter with every turn.
        while (less := _without_formats(self._without_learned(text))) is not text:
            text = less
        return text

    def clean_bytes(self, data: bytes) -> bytes:
        """The same of bytes, text or not."""
        text = data.decode("utf-8", "surrogateescape")
        clean = self.clean(text)
        return data if clean is text else clean.encode("utf-8", "surrogateescape")

    def clean_url(self, url: str) -> str:
        """A URL without user, password and the values of secret parameters; the rest stays as it is."""
        host = _USERINFO.sub(r"\1//", url)
        return self.clean(_PARAMETER.sub(_without_secret_parameter, host))

    def clean_data(self, value: Any) -> Any:
        """The same of JSON-simple data, keys of objects included; it keeps its shape.

        Strings are judged by the key that they stand under, too. Two keys that become one are numbered.

        Returns:
            The very same object where there is nothing secret.
        """
        # One look at all texts at once is quick, and there is hardly ever anything in them.
        texts: list[str] = []
        _gather(value, texts)
        everything = "\n".join(texts)
        if _NAMED not in texts and self.clean(everything) is everything:
            return value
        return self._clean_data(value)

    def _clean_data(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, dict):
            return self._clean_object(value)
        if not isinstance(value, list | tuple):
            return value
        items = [self._clean_data(item) for item in value]
        if all(map(is_, items, value)):
            return value
        return items if isinstance(value, list) else tuple(items)

    def _clean_object(self, value: dict[Any, Any]) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, item in value.items():
            is_named = isinstance(key, str) and isinstance(item, str) and is_named_secret(key, item)
            made[_new_key(self._clean_data(key), made)] = REDACTED if is_named else self._clean_data(item)
        same = all(map(is_, made, value)) and all(map(is_, made.values(), value.values()))
        return value if same else made

    def _add(self, secret: str) -> None:
        new = _ways(secret)
        with self._lock:
            self._learned.add(secret)
            self._blocks |= {way[i : i + _BLOCK] for way in new for i in range(_BLOCK)}
            self._ways += new

    def _see(self, name: str, value: str) -> None:
        """Remember that nothing new is in these; forgetting it costs only time."""
        with self._lock:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen.add((name, value))

    def _without_learned(self, text: str) -> str:
        if len(self._ways) > _MANY and self._blocks.isdisjoint(
            text[i : i + _BLOCK] for i in range(0, len(text), _BLOCK)
        ):
            return text
        known = [way for way in self._ways if way in text]
        for way in sorted(known, key=len, reverse=True):
            text = text.replace(way, REDACTED)
        return text


def _gather(value: Any, texts: list[str]) -> None:
    """Append all texts in JSON-simple data, and ``_NAMED`` for one that is a secret by its name."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _gather(key, texts)
            _gather(item, texts)
            if isinstance(key, str) and isinstance(item, str) and is_named_secret(key, item):
                texts.append(_NAMED)
    elif isinstance(value, list | tuple):
        for item in value:
            _gather(item, texts)


@lru_cache(1024)
def _is_kept(name: str) -> bool:
    return bool(_KEPT_HEADERS.fullmatch(name))


@lru_cache(1024)
def _is_secret_header(name: str) -> bool:
    return bool(_SECRET_HEADER.search(name)) and name.lower() not in _RANDOM_HEADERS


def _credentials(name: str, value: str) -> Iterator[str]:
    """The value of a header, and the parts of it that are secret on their own."""
    if "cookie" in name:
        yield from _cookies(value)
        return
    if _SIGNED_REQUEST.match(value):
        return
    yield value
    scheme, _, rest = value.partition(" ")
    yield rest
    yield rest.partition(":")[2]
    if scheme.lower() == "basic":
        yield from _basic(rest)


def _cookies(value: str) -> Iterator[str]:
    for part in value.split(";"):
        name, _, content = part.partition("=")
        if name.strip() not in _RANDOM_COOKIES:
            yield content


def _basic(encoded: str) -> Iterator[str]:
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield decoded
    yield decoded.partition(":")[2]


def _credentials_of_url(url: str) -> Iterator[str]:
    userinfo = _USERINFO.match(url)
    for part in userinfo["userinfo"].split(":", 1) if userinfo else ():
        yield part
        yield unquote(part)
    for match in _PARAMETER.finditer(url):
        if is_secret_name(unquote_plus(match["name"])):
            yield match["value"]
            yield unquote_plus(match["value"])


def _ways(secret: str) -> set[str]:
    """How a secret may be written in a URL, in JSON, HTML and Python, or encoded."""
    data = _encoded(secret)
    quoted = {quote(data, safe=""), quote(data), quote_plus(data)}
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {
        secret,
        *quoted,
        *(re.sub(r"%..", lambda match: match[0].lower(), text) for text in quoted),
        *in_json,
        *(json.dumps(text)[1:-1] for text in in_json),
        repr(secret)[1:-1],
        repr(data)[2:-1],
        html.escape(secret),
        html.escape(secret, quote=False),
        *_in_base64(data),
    }


def _encoded(secret: str) -> bytes:
    try:
        return secret.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return secret.encode("utf-8", "surrogatepass")


def _in_base64(data: bytes) -> Iterator[str]:
    """As a whole, and the characters that it alone decides wherever it stands within something longer."""
    for shift, first in enumerate((0, 2, 3)):
        last = (shift + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(bytes(shift) + data).decode("ascii").rstrip("=")
            yield text[first:last]
            if not shift:
                yield text


def _cleaned(text: str) -> str:
    while (less := _without_formats(text)) is not text:
        text = less
    return text


def _without_formats(text: str) -> str:
    spans = spans_in(text)
    return _without(text, spans) if spans else text


def _without(text: str, spans: list[Span]) -> str:
    ends = [0, *(span.end for span in spans)]
    starts = [*(span.start for span in spans), len(text)]
    return REDACTED.join(text[end:start] for end, start in zip(ends, starts, strict=True))


def _without_secret_parameter(match: re.Match[str]) -> str:
    return f"{match['name']}={REDACTED}" if is_secret_name(unquote_plus(match["name"])) else match[0]


def _new_key(key: Any, taken: Mapping[Any, Any]) -> Any:
    if key not in taken:
        return key
    number = 2
    while f"{key} {number}" in taken:
        number += 1
    return f"{key} {number}"
