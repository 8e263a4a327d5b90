"""The Hypothesis strategies: edits of every kind, nested, and shrunk to the text as it was written."""

from functools import partial

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from pytest_llmrel import strategies
from pytest_llmrel.errors import PerturbationError
from pytest_llmrel.perturb.registry import PERTURBATIONS

QUESTION = "How long do I have to return an item?"
QUICK = settings(database=None, derandomize=True, deadline=None, max_examples=50)
SEARCH = settings(database=None, derandomize=True, deadline=None, max_examples=2000)


@given(strategies.wordings("Does Amazon ship within 30 days?"))
@QUICK
def test_facts_survive(wording: str) -> None:
    """Unless the end is cut off, and only then as a whole."""
    assert "30 days" in wording or "30" not in wording
    assert "Amazon" in wording


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_each_perturbation_has_a_strategy(name: str) -> None:
    """Of its own name: it changes the text, and shrinks to the text itself."""
    strategy = getattr(strategies, name)(QUESTION)
    assert find(strategy, lambda wording: wording != QUESTION, settings=SEARCH) != QUESTION
    assert find(strategy, lambda _: True, settings=SEARCH) == QUESTION
    assert name in strategies.__all__


@pytest.mark.parametrize("strategy", [strategies.wordings(QUESTION), strategies.perturbed(QUESTION)])
def test_without_names_all_take_part(strategy: st.SearchStrategy[str]) -> None:
    """Courtesies, no-break spaces and capitals all occur; the simplest example is the text."""
    for sign in ("hank", "\u00a0", "HOW"):
        assert sign in find(strategy, partial(contains, sign), settings=SEARCH)
    assert find(strategy, lambda _: True, settings=SEARCH) == QUESTION


def contains(sign: str, wording: str) -> bool:
    """Whether a sign of a perturbation is there."""
    return sign in wording


def test_a_failure_shrinks_to_the_edit_that_matters() -> None:
    """One typo in one word, and nothing else changed."""
    wording = find(
        strategies.wordings(QUESTION),
        lambda wording: "return" not in wording.lower() and "item" in wording,
        settings=SEARCH,
    )
    before, after = QUESTION.split(), wording.split()
    assert len(before) == len(after)
    assert [word for word, other in zip(before, after, strict=True) if word != other] == ["return"]


def test_strategies_nest() -> None:
    """A strategy takes the texts of another; together they do both."""
    texts = st.sampled_from(["Can I pay by card?", "Where is my parcel?"])
    strategy = strategies.polite(strategies.typos(texts))
    found = find(
        strategy,
        lambda wording: "parcel" not in wording and "my" in wording and "hank" in wording,
        settings=SEARCH,
    )
    assert found.startswith("W")


@given(strategies.wordings(QUESTION, "typos", "case", most=1))
@QUICK
def test_at_most_so_many_edits(wording: str) -> None:
    """One word differs, or none."""
    assert sum(a != b for a, b in zip(QUESTION.split(), wording.split(), strict=True)) <= 1


@given(strategies.perturbed(QUESTION, "speech"))
@QUICK
def test_perturbed_is_all_or_nothing(wording: str) -> None:
    """The text, or what the whole perturbation makes of it."""
    assert wording in {QUESTION, "how long do I have to return an item"}


@given(strategies.wordings(st.just("")))
@QUICK
def test_a_text_without_edits_comes_back(wording: str) -> None:
    """There is nothing else to give."""
    assert wording == ""


def test_own_perturbations_take_part() -> None:
    """By the names that they are given."""
    own = {"loud": lambda text, rng: text.replace("?", "?!?")}
    for strategy in (
        strategies.wordings(QUESTION, "loud", own=own),
        strategies.perturbed(QUESTION, "loud", own=own),
    ):
        assert find(strategy, lambda wording: wording != QUESTION, settings=SEARCH) == QUESTION + "!?"


def test_mistakes_are_told_before_anything_is_drawn() -> None:
    """When the module of the tests is imported, not in the middle of an example."""
    with pytest.raises(PerturbationError, match="did you mean 'typos'"):
        strategies.wordings(QUESTION, "typo")
    with pytest.raises(PerturbationError, match="there are case"):
        strategies.perturbed(QUESTION, "nonsense")
    with pytest.raises(ValueError, match="most is 0"):
        strategies.wordings(QUESTION, most=0)
