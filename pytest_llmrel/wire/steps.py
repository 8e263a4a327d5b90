"""What a call consists of, as values: the request as seen, and the steps by which a client gets its answer.

The course of a call is decided by a generator that yields steps and does no I/O; the seam takes them, for
synchronous and asynchronous clients alike.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

__all__ = ["Answer", "Course", "Deliver", "Fail", "Head", "Intake", "Read", "Request", "Send", "Wait"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the client hands it over; its URL and headers may hold secrets.

    Attributes:
        method: in capitals.
        url: absolute.
        headers: as sent, in order.
        body: ``None`` where it is a stream that can be read only once.
        read_timeout: seconds the client waits for the next bytes, ``None`` for ever.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None
    read_timeout: float | None = None

    @property
    def host(self) -> str:
        """Without port; ``""`` if the URL names none."""
        return _place_of(self.url)[0]

    @property
    def origin(self) -> str:
        """Host and port: what is throttled as one."""
        return _place_of(self.url)[1]

    @property
    def path(self) -> str:
        """Of the URL, without query."""
        return _place_of(self.url)[2]


@lru_cache(maxsize=1024)
def _place_of(url: str) -> tuple[str, str, str]:
    """Host, origin and path of a URL: tests ask the same few again and again."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.netloc.rpartition("@")[2], parts.path


@dataclass(frozen=True, slots=True)
class Head:
    """The answer of a server before its body.

    Attributes:
        sent: headers of the request as it went out in the end, if the client's ``auth`` has changed any.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    sent: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def header(self, name: str) -> str:
        """The first value of a header, ``""`` without it."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def content_type(self) -> str:
        """In lower case, without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()


class Intake(Protocol):
    """Takes the body of an answer when the client has read it.

    Attributes:
        so_far: what the client has read of a stream, decoded.
    """

    so_far: Callable[[], bytes]

    def finish(self, body: bytes, error: BaseException | None = None, *, complete: bool = True) -> None:
        """The body has ended; said at least once, and only the first time counts.

        Args:
            body: decoded.
            error: what ended it, ``None`` for its end.
            complete: whether it is all that the server had to say.
        """


@dataclass(frozen=True, slots=True)
class Wait:
    """Let ``seconds`` pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request; comes back as a :class:`Head`, or as what the client raised."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read the body of the answer to its end; comes back as decoded bytes."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """The end of a course: the client gets the answer that came, and ``intake`` sees its body."""

    intake: Intake
    head: Head


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a course: the client gets this answer.

    Attributes:
        chunks: the body, decoded, in the pieces in which a stream delivers it.
        breaks: name of the client library's exception that the body ends with, or ``""``.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: tuple[bytes, ...]
    breaks: str = ""


@dataclass(frozen=True, slots=True)
class Fail:
    """The end of a course: the client library raises its exception of that name."""

    name: str
    message: str


Course: TypeAlias = Generator[Wait | Send | Read, Head | bytes | None, Deliver | Answer | Fail]
"""How one call goes, step by step."""
