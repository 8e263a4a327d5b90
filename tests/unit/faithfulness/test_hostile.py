"""Answers and contexts made to hang or to break: time grows with their length, no faster."""

from collections.abc import Callable

import pytest

from pytest_llmrel.faithfulness.evidence import evidence_of
from pytest_llmrel.faithfulness.overlap import Overlap

Busy = Callable[[Callable[[], object]], float]
SMALL = 30_000
HOSTILE = {
    "one word": "a",
    "words": "word ",
    "full stops": ". ",
    "initials": "a.b.",
    "addresses": "a.b@",
    "links": "http://a",
    "digits": "1",
    "commas": "1,",
    "dashes": "1-",
    "negations": "not 5 ",
    "numbers": "no. 5 kg\n",
    "hundreds": "twenty hundred and ",
    "marks": "\u0301\u0327",
    "quotes": '"a b" ',
    "open quotes": '"a ',
    "bullets": "- ",
    "spaces": " ",
    "names": "Alice Bob ",
    "Han": "\u6771",
    "dates": "4 March 2019 ",
    "invisible": "\u200b",
    "surrogates": "\ud800 ",
    "capitals": "\u0130 \u00df ",
}


def scored_anew(answer: str, context: str) -> None:
    """Score an answer in a context that was never seen."""
    evidence_of.__globals__["_remembered"].cache_clear()
    Overlap().score(answer, context)


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_is_linear(piece: str, busy_seconds: Busy) -> None:
    """Eight times the text takes no more than twenty times as long, as answer and as context; 64 would be its square."""
    short, long = piece * (SMALL // len(piece)), piece * (8 * SMALL // len(piece))
    least = 0.02
    few = min(busy_seconds(lambda: scored_anew(short, short)) for _ in range(2))
    assert busy_seconds(lambda: scored_anew(long, long)) < 20 * max(few, least)


def test_many_quotations_of_a_long_context() -> None:
    """Each of them is looked up, not searched for."""
    context = " ".join(f"word{number}" for number in range(100_000))
    answer = " ".join(f'"word{number} word{number + 1}"' for number in range(0, 40_000, 2))
    found = Overlap().score(f"{answer}.", context)
    assert found.claims
    assert not any("quoted" in claim.reason for claim in found.claims)
    wrong = Overlap().score('It says "word5 word7" there.', context)
    assert "the quoted text 'word5 word7' is not in the context" in wrong.claims[0].reason


def test_few_contexts_are_remembered() -> None:
    """At most 64, none of them long."""
    remembered = evidence_of.__globals__["_remembered"]
    remembered.cache_clear()
    for number in range(200):
        evidence_of(f"context {number}")
    evidence_of("long " * 100_000)
    assert remembered.cache_info().currsize == 64
    assert evidence_of("context 199") is evidence_of("context 199")
