"""Entailment models of users: what they are asked, how their answers become a score, and which are refused."""

import math
from fractions import Fraction
from typing import Any

import pytest

from pytest_llmrel.errors import ScorerError, UsageProblem
from pytest_llmrel.faithfulness.nli import nli
from pytest_llmrel.faithfulness.scorer import Scorer, Support

CONTEXT = "Returns are free. Refunds take 30 days.\nOpened items are refused."


def contains(premise: str, hypothesis: str) -> float:
    """A model that knows what it is told, word for word."""
    return 0.9 if hypothesis in premise else 0.05


def test_the_score_is_the_mean_of_the_best_windows() -> None:
    """Every claim has the probability of the window that supports it best, and that window as its quote."""
    found = nli(contains, window=30).score("Returns are free. Refunds take 45 days.", CONTEXT)
    assert found.score == pytest.approx((0.9 + 0.05) / 2)
    assert [claim.support for claim in found.claims] == [Support.SUPPORTED, Support.UNSUPPORTED]
    assert found.claims[0].quote in CONTEXT
    assert "Returns are free." in found.claims[0].quote
    assert "0.05" in found.claims[1].reason
    assert found.scorer == "nli"


def test_in_between_is_ambiguous() -> None:
    """It counts with its probability, and is shown."""
    found = nli(lambda premise, hypothesis: 0.5).score("Returns are free.", CONTEXT)
    assert (found.score, found.claims[0].support) == (0.5, Support.AMBIGUOUS)


@pytest.mark.parametrize("window", [1, 10, 20, 45, 1000])
def test_windows_are_parts_of_the_context_and_miss_nothing(window: int) -> None:
    """None is longer than asked for; every sentence that fits into one is in one, and together they are the context."""
    seen: list[str] = []

    def remember(premise: str, hypothesis: str) -> float:
        seen.append(premise)
        return 1.0

    nli(remember, window=window).score("Returns are free.", CONTEXT)
    assert all(part in CONTEXT and len(part) <= window for part in seen)
    fits = [text for text in ("Returns are free.", "Refunds take 30 days.") if len(text) <= window]
    assert all(any(text in part for part in seen) for text in fits)
    assert set("".join(CONTEXT.split())) <= set("".join(seen))
    assert len(seen) <= len(CONTEXT)


@pytest.mark.parametrize(
    ("answer", "context"), [("", CONTEXT), ("Yes.", CONTEXT), ("Returns are free.", " ")]
)
def test_nothing_is_asked_where_nothing_is_claimed(answer: str, context: str) -> None:
    """No score, with the reason."""

    def never(premise: str, hypothesis: str) -> float:
        raise AssertionError(premise, hypothesis)

    found = nli(never).score(answer, context)
    assert found.score is None
    assert found.reason


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -0.1, 1.1, -3, "0.5", None, True, [0.5], 1j])
def test_an_answer_that_is_no_probability_is_an_error(wrong: Any) -> None:
    """Never a score: it says what was answered, by which scorer, and what to return."""
    with pytest.raises(ScorerError, match="mine") as caught:
        nli(lambda premise, hypothesis: wrong, name="mine").score("Returns are free.", CONTEXT)
    assert "return the probability" in str(caught.value)
    assert isinstance(caught.value, UsageProblem)


@pytest.mark.parametrize("right", [0, 1, 0.0, 1.0, Fraction(1, 2)])
def test_whole_numbers_and_fractions_are_probabilities(right: Any) -> None:
    """Any real number from 0 to 1."""
    assert nli(lambda premise, hypothesis: right).score("Returns are free.", CONTEXT).score == float(right)


def test_what_the_model_raises_is_raised() -> None:
    """It is the user's, and says more than we could."""

    def broken(premise: str, hypothesis: str) -> float:
        raise OSError("no such model")

    with pytest.raises(OSError, match="no such model"):
        nli(broken).score("Returns are free.", CONTEXT)


def test_all_mistakes_at_once() -> None:
    """Something that cannot be called, and a window that holds nothing."""
    with pytest.raises(ScorerError) as caught:
        nli("model", window=0)  # type: ignore[arg-type]
    assert len(caught.value.problems) == 2


def test_it_is_a_scorer() -> None:
    """By the protocol."""
    assert isinstance(nli(contains), Scorer)
