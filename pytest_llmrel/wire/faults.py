"""Faults that are injected into the calls of a run, so that its recovery can be seen; seeded."""

import json
from collections.abc import Iterator
from random import Random
from typing import Final

from pytest_llmrel.core.fault import FaultPlan
from pytest_llmrel.wire.bodies import decoded_headers, pieces
from pytest_llmrel.wire.steps import Answer, Fail, Head

__all__ = ["SLOW_SECONDS", "Injector", "broken", "in_place_of_call"]

SLOW_SECONDS: Final = 5.0
"""How much later a slow answer comes; a client with a shorter read timeout gives up before."""
_JSON = (("content-type", "application/json"),)


class Injector:
    """Draws the faults of one run, call by call.

    Args:
        plan: of the test.
        seed: of the run: the same calls meet the same faults again.
    """

    def __init__(self, plan: FaultPlan, seed: int) -> None:
        self._plan = plan
        self._luck = Random(f"faults:{seed}")  # noqa: S311  luck, not a secret

    def draw(self) -> str:
        """The fault of the next call, ``""`` if it is spared."""
        luck, choice = self._luck.random(), self._luck.choice(self._plan.names)
        return choice if luck < self._plan.rate else ""

    def connects(self) -> bool:
        """Whether a timeout strikes after the connection was made."""
        return self._luck.random() < 0.5  # noqa: PLR2004


def in_place_of_call(fault: str, *, connects: bool) -> Answer | Fail | None:
    """What the client gets in place of a call that is not made; ``None`` where the fault needs its answer."""
    if fault == "429":
        headers = (*_JSON, ("retry-after", "1"))
        return Answer(429, headers, (_refusal("rate_limit_error", "Rate limit reached"),))
    if fault == "500":
        return Answer(500, _JSON, (_refusal("server_error", "The server had an error"),))
    if fault == "timeout":
        return Fail("ReadTimeout", "timed out") if connects else Fail("ConnectTimeout", "timed out")
    if fault == "reset":
        return Fail("ReadError", "[Errno 104] Connection reset by peer")
    return None


def broken(fault: str, head: Head, body: bytes) -> Answer:
    """The answer that came, spoiled: half of it, and then a broken connection or nothing."""
    if fault == "truncated":
        return Answer(
            head.status, decoded_headers(head.headers), tuple(_halved(head, body)), "RemoteProtocolError"
        )
    return Answer(head.status, decoded_headers(head.headers), tuple(_halved(head, body)))


def _halved(head: Head, body: bytes) -> Iterator[bytes]:
    whole = pieces(head.content_type, body)
    if len(whole) > 1:
        yield from whole[: len(whole) // 2]
    else:
        yield body[: len(body) // 2]


def _refusal(kind: str, message: str) -> bytes:
    error = {"type": kind, "code": kind, "message": f"{message} (injected by pytest_llmrel)", "param": None}
    # Both shapes at once: OpenAI's and its followers' have the key "error", Anthropic's a "type" beside it.
    return json.dumps({"type": "error", "error": error}).encode()
