"""What the calls of a session share, and what is kept of a call: who pays, who is asked, what is secret."""

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from pytest_llmrel.core.call import Call, Exchange, Usage
from pytest_llmrel.wire.budget import Budget
from pytest_llmrel.wire.documents import LARGE
from pytest_llmrel.wire.redaction import REDACTED
from pytest_llmrel.wire.session import Policy, SessionWire
from pytest_llmrel.wire.steps import Head, Request

Ask = Callable[..., Request]
OK = Head(200, (("content-type", "application/json; charset=utf-8"),))
BODY = json.dumps({"model": "gpt-4o-mini", "usage": {"prompt_tokens": 10, "completion_tokens": 2}}).encode()
KNOWN = 10 * 0.15e-6 + 2 * 0.6e-6


def metered(request: Request, head: Head = OK, body: bytes = BODY, **options: Any) -> Call | None:
    """What a session with that policy keeps of a call."""
    complete = options.pop("complete", True)
    session = SessionWire(policy=Policy(**options))
    return session.meter(request, head, body, 0.5, judge=False, complete=complete)


def test_a_call_is_kept_with_everything(ask: Ask) -> None:
    """Host, path without query, status, time, tokens and price; nothing of the address that may be secret."""
    url = "https://user:password@api.openai.com:443/v1/chat/completions?key=secret"
    call = metered(ask(url=url))
    assert call is not None
    assert (call.host, call.path, call.status, call.seconds) == (
        "api.openai.com",
        "/v1/chat/completions",
        200,
        0.5,
    )
    assert call.cost == pytest.approx(KNOWN)
    assert "secret" not in repr(call)
    assert "password" not in repr(call)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
def test_what_nobody_bills_is_no_call(ask: Ask, method: str) -> None:
    """Reading a list of models, or deleting a file, is not counted: neither answered nor unanswered."""
    request = ask(method=method)
    assert metered(request) is None
    assert SessionWire().unanswered(request, 0.1, "ReadError", judge=False) is None
    assert metered(ask(method="POST")) is not None


def test_hosts_that_cost_nothing(ask: Ask) -> None:
    """As the ini key names them, by host without port: an application's own services are no calls of models."""
    free = frozenset({"shop.example"})
    assert metered(ask(url="http://shop.example:8000/v1/chat/completions"), free_hosts=free) is None
    assert metered(ask(url="http://other.example/v1/chat/completions"), free_hosts=free) is not None
    session = SessionWire(policy=Policy(free_hosts=free))
    assert session.unanswered(ask(url="http://shop.example/"), 0.1, "ReadError", judge=False) is None


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 529])
def test_a_refusal_costs_nothing(ask: Ask, status: int) -> None:
    """Whatever its body claims; and it is not taken for a damaged answer of a model."""
    call = metered(ask(), Head(status, OK.headers), b"<html>")
    assert call is not None
    assert call.usage is not None
    assert (call.cost, call.usage.input_tokens, call.usage.output_tokens, call.damage) == (0.0, 0, 0, "")


def test_damage_is_seen_although_a_usage_was_read(ask: Ask) -> None:
    """In a large answer that breaks off behind its usage, and where a hook said what nobody could read."""
    large = metered(ask(), OK, BODY[:-1] + b', "choices": ["' + b"x" * LARGE)
    hooked = metered(ask(), OK, BODY[:20], ask_usage=lambda _: Usage("m", 1, 1))
    assert large is not None
    assert large.usage is not None
    assert "cut off" in large.damage
    assert hooked is not None
    assert "cut off" in hooked.damage


def test_an_answer_that_nobody_can_read_has_an_unknown_cost(ask: Ask) -> None:
    """Neither nothing nor a guess; whole, it is damaged, and cut off by the client itself it is not."""
    whole, part = (metered(ask(), OK, BODY[:20], complete=complete) for complete in (True, False))
    assert whole is not None
    assert part is not None
    assert (whole.usage, whole.cost) == (part.usage, part.cost) == (None, None)
    assert whole.damage
    assert part.damage == ""


@pytest.mark.parametrize("judge", [True, False])
def test_calls_of_judges_are_marked(ask: Ask, judge: bool) -> None:
    """Answered and unanswered ones: they are counted apart."""
    session = SessionWire()
    calls = [
        session.meter(ask(), OK, BODY, 0.1, judge=judge),
        session.unanswered(ask(), 0.1, "ReadError", judge=judge),
    ]
    assert [call is not None and call.judge for call in calls] == [judge, judge]


@pytest.mark.parametrize(
    "error", ["ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError"]
)
def test_what_never_left_costs_nothing(ask: Ask, error: str) -> None:
    """No host has seen it, so none bills it."""
    call = SessionWire().unanswered(ask(), 0.1, error, judge=False)
    assert call is not None
    assert (call.cost, call.usage, call.error, call.status) == (0.0, Usage("", 0, 0), error, None)


@pytest.mark.parametrize(
    "error", ["ReadTimeout", "ReadError", "WriteError", "RemoteProtocolError", "CancelledError", "X"]
)
def test_what_may_have_arrived_has_an_unknown_cost(ask: Ask, error: str) -> None:
    """A model may have answered, and nobody knows how much."""
    call = SessionWire().unanswered(ask(), 0.1, error, judge=False)
    assert call is not None
    assert (call.cost, call.usage, call.error) == (None, None, error)


def test_the_project_may_read_the_usage_itself(ask: Ask) -> None:
    """It is asked first, with the decoded exchange; where it does not know, we read as ever."""
    asked: list[Exchange] = []
    answers: list[Usage | None] = [Usage("gpt-4o-mini", 5, 0, units=(("input_tokens", 5),)), None]

    def read(exchange: Exchange) -> Usage | None:
        asked.append(exchange)
        return answers.pop(0)

    session = SessionWire(policy=Policy(ask_usage=read))
    own, ours = (session.meter(ask(), OK, BODY, 0.1, judge=False) for _ in range(2))
    assert own is not None
    assert ours is not None
    assert own.usage is not None
    assert ours.usage is not None
    assert (own.usage.input_tokens, ours.usage.input_tokens) == (5, 10)
    assert own.cost == pytest.approx(5 * 0.15e-6)
    assert (asked[0].method, asked[0].status, asked[0].body) == ("POST", 200, BODY)
    assert asked[0].content_type == "application/json"
    assert json.loads(asked[0].request)["model"] == "gpt-4o-mini"


def test_the_project_may_name_secrets(ask: Ask) -> None:
    """Also those of exchanges that nobody bills: a token that a service hands out is in a later request."""

    def name(exchange: Exchange) -> Iterable[str]:
        return [json.loads(exchange.body)["token"]]

    session = SessionWire(policy=Policy(ask_secrets=name))
    assert session.meter(ask(method="GET"), OK, b'{"token": "handed-out-token-1"}', 0.1, judge=False) is None
    assert session.redactor.clean("a handed-out-token-1 b") == f"a {REDACTED} b"


def test_what_is_unknown_is_named_by_model_or_address(ask: Ask) -> None:
    """The reason for the end of a budget says which price to give."""
    for usage, what in (
        (Usage("intern-7b", 1, 1), "intern-7b"),
        (None, "api.openai.com/v1/chat/completions"),
    ):
        session = SessionWire(budget=Budget(1.0))
        session.pay(Call("api.openai.com", "/v1/chat/completions", 200, 0.1, usage, None))
        assert f"what {what} costs is unknown" in session.budget.reason


def test_hosts_are_throttled_apart(ask: Ask) -> None:
    """By host and port, whoever asks: user and password in the address make no other host."""
    session = SessionWire()
    first, same, other = (
        ask(url=url).origin for url in ("http://a:1/v1", "http://user:password@a:1/v2?x=y", "http://a:2/v1")
    )
    assert session.throttle(first) is session.throttle(same)
    assert session.throttle(first) is not session.throttle(other)
    assert "password" not in same


def test_threads_share_one_throttle() -> None:
    """However many ask for it at the same moment: two would each let through what one may."""
    session, found, gate = SessionWire(), set(), threading.Barrier(20)

    def look() -> None:
        gate.wait()
        found.add(id(session.throttle("a:1")))

    threads = [threading.Thread(target=look) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {id(session.throttle("a:1"))}


def test_two_sessions_share_nothing() -> None:
    """No budget, no throttle, no secret: sessions within sessions do not spend each other's money."""
    one, other = SessionWire(), SessionWire()
    one.pay(Call("h", "/", 200, 0.1, None, 1.0))
    one.redactor.learn("a-secret-of-the-first")
    assert other.budget.spent == 0.0
    assert other.redactor.clean("a-secret-of-the-first") == "a-secret-of-the-first"
    assert one.throttle("a") is not other.throttle("a")


@pytest.mark.parametrize(
    ("changes", "is_model"),
    [
        ({}, True),
        ({"url": "http://localhost:4000/v1/messages"}, True),
        ({"url": "https://shop.example/orders"}, False),
        ({"url": "https://shop.example/orders", "body": b"not json"}, False),
    ],
)
def test_what_asks_a_model(ask: Ask, changes: dict[str, Any], is_model: bool) -> None:
    """Only that may be sent twice: an order of a shop may not."""
    body = changes.pop("body", None) or (b'{"item": 1}' if "orders" in changes.get("url", "") else ask().body)
    assert SessionWire().is_of_model(ask(body=body, **changes)) is is_model


def test_it_is_warmed_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call then waits for no price list; nothing is paid for it."""
    from pytest_llmrel.wire import session as module

    asked = []

    class Prices:
        """Counts."""

        def cost(self, usage: Usage) -> float:
            asked.append(usage)
            return 1.0

    monkeypatch.setattr(module, "PriceList", Prices)
    session = SessionWire(prices=Prices())  # type: ignore[arg-type]
    session.warm_up()
    session.warm_up()
    assert len(asked) == 1
    assert session.budget.spent == 0.0
