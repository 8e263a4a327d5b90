"""Laws of the faults: in the order of the script, then as often as set, and never at the cost of an answer."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.simulator.faults import load_faults
from pytest_llmrel.simulator.messages import Reply
from pytest_llmrel.simulator.mishaps import Mishaps
from pytest_llmrel.simulator.openai_errors import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_llmrel.simulator.draws import Draw

BODY = b'{"answer": 42}'


def kinds(
    asked: Sequence[str], faults: Mapping[str, object], script: Sequence[str] = (), seed: int = 0
) -> list[str]:
    """What happens to a sequence of questions."""
    mishaps = Mishaps(load_faults(faults, script), seed)
    replies = [mishaps.meet("m", question, lambda luck: Reply(200, (BODY,)), refuse) for question in asked]
    return [reply.fault or "ok" for reply in replies]


def test_a_script_comes_first_and_then_the_rates() -> None:
    """Its steps are taken in order of arrival, whatever is asked; afterwards the rates hold."""
    assert kinds("abcde", {"500": 1}, ["429", "ok", "reset"]) == ["429", "ok", "reset", "500", "500"]
    assert kinds("abc", {}, ["503"]) == ["503", "ok", "ok"]


def test_each_kind_happens_as_often_as_set() -> None:
    """Shares of ten thousand requests are those set, within four standard errors."""
    rates = {"429": 0.1, "reset": 0.05, "slow": 0.2}
    found = kinds(["q"] * 10_000, rates)
    for kind, rate in {**rates, "ok": 0.65}.items():
        assert abs(found.count(kind) / 10_000 - rate) < 4 * math.sqrt(rate * (1 - rate) / 10_000)


@given(st.lists(st.sampled_from("ab"), max_size=30), st.randoms(use_true_random=False), st.integers())
def test_interleaving_changes_nothing(asked: list[str], rng: object, seed: int) -> None:
    """The n-th request with a question meets the same fault, whatever else is asked in between."""
    shuffled = sorted(asked, key=lambda _: rng.random())  # type: ignore[attr-defined]
    found = [
        {
            question: [
                kind
                for other, kind in zip(order, kinds(order, {"500": 0.5}, seed=seed), strict=True)
                if other == question
            ]
            for question in "ab"
        }
        for order in (asked, shuffled)
    ]
    assert found[0] == found[1]


def test_another_seed_gives_other_faults() -> None:
    """And the same seed the same ones."""
    found = [kinds(["q"] * 50, {"500": 0.5}, seed=seed) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    "kind", ["429", "500", "503", "529", "reset", "html", "truncated", "malformed", "slow"]
)
def test_no_fault_uses_up_the_luck_of_an_answer(kind: str) -> None:
    """Where an answer is needed only to be spoilt, it is made of the fault's own luck."""
    asked: list[Draw | None] = []

    def answer(luck: Draw | None) -> Reply:
        asked.append(luck)
        return Reply(200, (BODY,))

    Mishaps(load_faults({kind: 1}), 0).meet("m", "q", answer, refuse)
    assert None not in asked
    assert len(asked) == (kind in {"truncated", "malformed"})


def test_a_slow_answer_is_made_when_the_wait_is_over() -> None:
    """Until then no luck is used up; then it is an answer like any other, counted as slow."""
    asked: list[Draw | None] = []

    def answer(luck: Draw | None) -> Reply:
        asked.append(luck)
        return Reply(200, (BODY,), delay=0.1)

    reply = Mishaps(load_faults({"slow": 1, "slow_seconds": 3}), 0).meet("m", "q", answer, refuse)
    assert (reply.delay, asked) == (3, [])
    assert reply.later is not None
    assert reply.later() == Reply(200, (BODY,), delay=0.1, fault="slow")
    assert asked == [None]


@pytest.mark.parametrize(
    "chunks", [(BODY,), (b"data: {}\n\n", b"event: x\ndata: " + BODY + b"\n\n", b"data: [DONE]\n\n")]
)
def test_what_is_malformed_cannot_be_parsed(chunks: tuple[bytes, ...]) -> None:
    """A body ends in the middle of its JSON; so does an event in the middle of a stream, which then ends."""
    answer = Reply(200, chunks, streamed=len(chunks) > 1)
    reply = Mishaps(load_faults({"malformed": 1}), 0).meet("m", "q", lambda _: answer, refuse)
    last = reply.chunks[-1].decode()
    assert len(reply.chunks) == (2 if len(chunks) > 1 else 1)
    with pytest.raises(json.JSONDecodeError):
        json.loads(last[last.index("{") :])


@pytest.mark.parametrize(("seconds", "header"), [(1, "1"), (0, "0"), (0.25, "0.25"), (30, "30")])
def test_how_long_to_wait_is_said_in_seconds(seconds: float, header: str) -> None:
    """Whole seconds are written whole; other refusals ask for no particular wait."""
    faults = {"retry_after": seconds}
    too_many = Mishaps(load_faults({**faults, "429": 1}), 0).meet("m", "q", lambda _: Reply(200, ()), refuse)
    failed = Mishaps(load_faults({**faults, "503": 1}), 0).meet("m", "q", lambda _: Reply(200, ()), refuse)
    assert dict(too_many.headers)["Retry-After"] == header
    assert "Retry-After" not in dict(failed.headers)
