"""What the calls of a whole session share: prices, budget, throttled hosts, and what is secret."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_llmrel.core.call import Call, Exchange, Usage
from pytest_llmrel.wire.budget import Budget
from pytest_llmrel.wire.flavours import Api, route_of
from pytest_llmrel.wire.price import PriceList
from pytest_llmrel.wire.redaction import Redactor
from pytest_llmrel.wire.steps import Head, Request
from pytest_llmrel.wire.throttle import Throttle
from pytest_llmrel.wire.usage import damage_of, is_model_call, usage_of

__all__ = ["Policy", "SessionWire", "TapeMode"]

_NOTHING = Usage("", 0, 0)
_REFUSED = 400
_FREE_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS"})


class TapeMode(StrEnum):
    """What becomes of calls."""

    OFF = "off"
    """They are made."""
    RECORD = "record"
    """They are made and recorded, where they are on no tape yet."""
    REPLAY = "replay"
    """None is made; the tape answers."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user decided about calls.

    Attributes:
        mode: of tapes.
        retries: how often a model call that met 429, 5xx or a broken connection is sent again, at least 0.
        free_hosts: hosts whose answers cost nothing that is to be counted.
        ignored: fields of requests that may differ from those on a tape.
        ask_usage: the user's own reading of an exchange, asked first.
        ask_secrets: texts that the user wants to be written nowhere.
    """

    mode: TapeMode = TapeMode.OFF
    retries: int = 3
    free_hosts: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    ask_usage: Callable[[Exchange], Usage | None] | None = None
    ask_secrets: Callable[[Exchange], Iterable[str]] | None = None


@dataclass
class SessionWire:
    """One per session, used by the threads of all runs."""

    policy: Policy = field(default_factory=Policy)
    prices: PriceList = field(default_factory=PriceList)
    budget: Budget = field(default_factory=Budget)
    redactor: Redactor = field(default_factory=Redactor)
    _throttles: dict[str, Throttle] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_warm: bool = False

    def warm_up(self) -> None:
        """Load what the first call would wait for: it takes longer than many an answer."""
        if not self._is_warm:
            self._is_warm = True
            PriceList().cost(Usage("gpt-4o", 1, 1, units=(("input_tokens", 1), ("output_tokens", 1))))

    def throttle(self, origin: str) -> Throttle:
        """That of a host and port."""
        found = self._throttles.get(origin)
        if found is None:
            with self._lock:
                found = self._throttles.setdefault(origin, Throttle())
        return found

    def is_of_model(self, request: Request) -> bool:
        """Whether a request asks a model, so that sending it twice does no harm."""
        return is_model_call(request.method, request.url, request.body or b"")

    def is_counted(self, request: Request) -> bool:
        """Whether a request counts towards a limit of calls: it asks a model, or may cost something."""
        return self.is_of_model(request) or not self._is_free(request)

    def is_whole(self, request: Request, head: Head, body: bytes) -> bool:
        """Whether nothing is missing from an answer to a model call, as far as its protocol has an end."""
        return self.is_of_model(request) and not damage_of(_exchange(request, head, body))

    def meter(
        self, request: Request, head: Head, body: bytes, seconds: float, *, judge: bool, complete: bool = True
    ) -> Call | None:
        """What is kept of a call that was answered; ``None`` for one that nobody bills, such as GET.

        Args:
            request: as sent.
            head: of the answer.
            body: of the answer, decoded.
            seconds: it took.
            judge: whether it was made to judge.
            complete: whether the body is all that the server had to say.
        """
        exchange = _exchange(request, head, body)
        if self.policy.ask_secrets:
            self.redactor.learn(*self.policy.ask_secrets(exchange))
        if self._is_free(request):
            return None
        damage = ""
        usage: Usage | None = _NOTHING
        cost: float | None = 0.0
        if head.status < _REFUSED:
            own = self._own_usage(exchange)
            usage = usage_of(exchange) if own is None else own
            cost = None if usage is None else self.prices.cost(usage, request.url)
            is_read = own is None and usage is not None
            damage = damage_of(exchange, is_read=is_read) if complete else ""
        return Call(request.host, request.path, head.status, seconds, usage, cost, damage=damage, judge=judge)

    def unanswered(self, request: Request, seconds: float, error: str, *, judge: bool) -> Call | None:
        """What is kept of a call that got no answer; it may have been billed, unless nothing was sent."""
        if self._is_free(request):
            return None
        is_unsent = error in {
            "ConnectError",
            "ConnectTimeout",
            "PoolTimeout",
            "UnsupportedProtocol",
            "ProxyError",
        }
        usage, cost = (_NOTHING, 0.0) if is_unsent else (None, None)
        return Call(request.host, request.path, None, seconds, usage, cost, error=error, judge=judge)

    def pay(self, call: Call) -> None:
        """Count a call that was really made against the budget."""
        model = call.usage.model if call.usage else ""
        self.budget.pay(call.cost, model or f"{call.host}{call.path}")

    def _is_free(self, request: Request) -> bool:
        is_free = request.method in _FREE_METHODS or request.host in self.policy.free_hosts
        return is_free or route_of(request.url).api is Api.FREE

    def _own_usage(self, exchange: Exchange) -> Usage | None:
        own = self.policy.ask_usage(exchange) if self.policy.ask_usage else None
        given: object = own  # not every hook is typed
        if not isinstance(given, Usage | None):
            raise TypeError(f"hook pytest_llmrel_usage answered {given!r}; it must be a Usage or None")
        return own


def _exchange(request: Request, head: Head, body: bytes) -> Exchange:
    return Exchange(request.method, request.url, request.body or b"", head.status, head.content_type, body)
