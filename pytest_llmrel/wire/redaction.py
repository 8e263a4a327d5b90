"""Nothing secret is written down: what requests carried as credentials, and what looks like one."""

import base64
import binascii
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from pytest_llmrel.wire.secretformats import formats_in

__all__ = ["REDACTED", "Found", "Redactor", "kept_headers", "secrets_in"]

REDACTED: Final = "[redacted]"
_SHORTEST = 12
"""Characters from which on a credential is replaced wherever it stands: a shorter one may be a word."""
_MOST_LEARNED = 10_000
_KEPT_HEADERS = frozenset({"content-type", "request-id", "retry-after", "retry-after-ms", "x-request-id"})
_SECRET_HEADER = re.compile(r"auth|cookie|credential|key|password|secret|signature|token", re.IGNORECASE)
_RANDOM_HEADERS = frozenset({"idempotency-key", "sec-websocket-key"})
"""Headers whose values are new with every request, and let nobody in."""
_SECRET_NAME = re.compile(
    r"(?:^|[_-])(?:access|auth|code|credential|key|pass(?:word|wd)?|secret|sig(?:nature)?|token)s?$|apikey",
    re.IGNORECASE,
)
_SECRET_VARIABLE = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$")


@dataclass(frozen=True, slots=True)
class Found:
    """Something that looks like a secret.

    Attributes:
        kind: in words.
        line: counted from 1.
        preview: the first characters, and how many there are.
    """

    kind: str
    line: int
    preview: str


def kept_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of an answer that may be written down, with names in lower case; all others stay out."""
    return [(name.lower(), value) for name, value in headers if name.lower() in _KEPT_HEADERS]


def secrets_in(text: str) -> list[Found]:
    """What looks like a secret, in the order in which it stands."""
    found = [
        (match.start("secret"), kind.kind, match["secret"])
        for kind in formats_in(text)
        for match in kind.pattern.finditer(text)
    ]
    return [
        Found(kind, text.count("\n", 0, start) + 1, f"{secret[:4]}…, {len(secret)} characters")
        for start, kind, secret in sorted(found)
    ]


class Redactor:
    """Knows the credentials that were used, and takes them out of everything; thread-safe.

    Args:
        environ: variables whose names say that they are secret are known from the start.
        more: further secrets.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, more: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._secrets: set[str] = set()
        self._known: set[tuple[str, str]] = set()
        self._pattern: re.Pattern[str] | None = None
        variables = (environ or {}).items()
        self.learn(*(value for name, value in variables if _SECRET_VARIABLE.search(name.upper())), *more)

    def learn(self, *values: str) -> None:
        """Remember secrets of at least twelve characters, in every way in which they may be written."""
        new = {way for value in values if len(value) >= _SHORTEST for way in _ways(value)} - self._secrets
        if not new or len(self._secrets) > _MOST_LEARNED:
            return
        with self._lock:
            self._secrets |= new
            longest_first = sorted(self._secrets, key=lambda text: (-len(text), text))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def learn_request(self, url: str, headers: Iterable[tuple[str, str]]) -> None:
        """Remember the credentials of a request: in its headers, and in its URL."""
        for header in headers:
            if header not in self._known:
                self._learn_header(*header)
        if "?" in url or "@" in url:
            self._learn_url(url)

    def clean(self, text: str) -> str:
        """The same without anything secret; the very same object where there is nothing."""
        if self._pattern is not None:
            text = self._pattern.sub(REDACTED, text)
        for kind in formats_in(text):
            text = kind.pattern.sub(_without_secret, text)
        return text

    def clean_bytes(self, data: bytes) -> bytes:
        """The same of bytes, text or not."""
        text = data.decode("utf-8", "surrogateescape")
        clean = self.clean(text)
        return data if clean is text else clean.encode("utf-8", "surrogateescape")

    def clean_url(self, url: str) -> str:
        """A URL without user, password and secret parameters; the rest can be read."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        query = "&".join(
            f"{quote(name)}={REDACTED if _SECRET_NAME.search(name) else quote(value, safe='')}"
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        )
        return self.clean(urlunsplit((parts.scheme, host, parts.path, query, "")))

    def clean_data(self, value: Any) -> Any:
        """The same of JSON-simple data, keys of objects included."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, dict):
            return {self.clean(key): self.clean_data(item) for key, item in value.items()}
        return [self.clean_data(item) for item in value] if isinstance(value, list) else value

    def _learn_header(self, name: str, value: str) -> None:
        if name.lower() in _RANDOM_HEADERS:
            return
        if _SECRET_HEADER.search(name):
            self.learn(*_credentials(value))
        if len(self._known) < _MOST_LEARNED:
            self._known.add((name, value))

    def _learn_url(self, url: str) -> None:
        parts = urlsplit(url)
        self.learn(
            *(value for value in (parts.username, parts.password) if value),
            *(value for name, value in parse_qsl(parts.query) if _SECRET_NAME.search(name)),
        )


def _credentials(value: str) -> Iterator[str]:
    """The value of a header, and the parts of it that are secret on their own."""
    yield value
    scheme, _, rest = value.partition(" ")
    yield rest
    if scheme.lower() == "basic":
        yield from _basic(rest)
    for part in value.split(";"):
        yield part.partition("=")[2].strip()


def _basic(encoded: str) -> Iterator[str]:
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield decoded
    yield decoded.partition(":")[2]


def _ways(secret: str) -> set[str]:
    """How a secret may be written in a URL, in JSON, or encoded."""
    ways = {secret, quote(secret, safe=""), quote(secret)}
    ways |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    ways.add(base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode().rstrip("="))
    return ways


def _without_secret(match: re.Match[str]) -> str:
    start, end = match.span("secret")
    whole, begin = match[0], match.start()
    return f"{whole[: start - begin]}{REDACTED}{whole[end - begin :]}"
