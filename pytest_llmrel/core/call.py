"""What went over HTTP during a run: the exchange as it was, what it used, and what is kept of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Call", "Exchange", "Spent", "Traffic", "Usage"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, complete and decoded; untrusted bytes.

    Attributes:
        method: in capitals.
        url: of the request, secrets in it included: never to be written down as it is.
        request: body of the request, ``b""`` where it could not be seen.
        status: of the answer.
        content_type: of the answer, in lower case, without parameters; ``""`` if it named none.
        body: of the answer, decompressed; that of a stream is all of it, events and all.
    """

    method: str
    url: str
    request: bytes
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one call, as the provider counts them.

    Attributes:
        model: that answered, ``""`` where neither answer nor request named one.
        input_tokens: all of the input, what was read from or written to a cache included.
        output_tokens: all of the output, reasoning included.
        cache_read_tokens: the part of the input that was cached.
        cache_write_tokens: the part of the input that was written to a cache.
        reasoning_tokens: the part of the output that is not in the answer.
        units: everything that was reported and may have a price of its own, by the names of genai-prices.
    """

    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    units: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """What is kept of one call.

    Attributes:
        host: that was asked, without port, or ``"by hand"`` for ``llmrel.usage``.
        path: of the URL, without query.
        status: of the answer, ``None`` if there was none.
        seconds: from sending to the end of the answer.
        usage: tokens, ``None`` where unknown; zero tokens for a refusal, which no provider bills.
        cost: US dollars, ``None`` where unknown.
        error: class name of what was raised in place of an answer, or ``""``.
        damage: what is wrong with an answer that says it is fine (HTML in place of JSON), or ``""``.
        judge: it was made to judge an answer, not to make one.
        replayed: the answer came from a tape; nobody was paid.
    """

    host: str
    path: str
    status: int | None
    seconds: float
    usage: Usage | None
    cost: float | None
    error: str = ""
    damage: str = ""
    judge: bool = False
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one run sent over HTTP.

    Attributes:
        calls: in the order in which they ended.
        injected: faults that the run met on purpose.
        retries: calls that were sent again, because the host was busy or the connection broke.
        counted: calls that count towards a limit of calls, each as often as it was sent; 0 without a limit.
    """

    calls: tuple[Call, ...] = ()
    injected: int = 0
    retries: int = 0
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """What the calls of several runs add up to.

    Attributes:
        calls: how many.
        usd: US dollars, ``None`` while the cost of a call is unknown.
        known_usd: of the calls whose cost is known.
        input_tokens: of the calls whose usage is known; so are the other tokens.
        unpriced_calls: calls whose cost is unknown.
        unknown: what is unknown of them, in words -> calls.
        replayed_calls: calls that a tape answered.
        retries: calls that were sent again.
    """

    calls: int = 0
    usd: float | None = 0.0
    known_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    unpriced_calls: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    replayed_calls: int = 0
    retries: int = 0
