"""Texts that are nearly the same are found, others are not, and not by comparing each with each other."""

import random
from collections.abc import Callable

import pytest

from pytest_llmrel.datasets.similar import similar_pairs
from pytest_llmrel.datasets.wording import words_of

NAMES = [3 * first + 3 * second for first in "abcdefg" for second in "hijklmn"]
BASE = "how long do i have to return an item"


def pairs(*texts: str) -> list[tuple[int, int]]:
    """Indices of what is similar."""
    return [(pair.first, pair.second) for pair in similar_pairs([words_of(text) for text in texts])]


@pytest.mark.parametrize(
    "other",
    [
        "how long do i have to retrun an item",
        "how long do i have to return an itemm",
        "how long do i have to retun an item",
        "how long do i have to return items",
        "how long do i have to return an item please",
        "so how long do i have to return an item",
    ],
)
def test_small_edits_are_found(other: str) -> None:
    """Misspelt by a letter, a word more, a word less."""
    assert pairs(BASE, other) == pairs(other, BASE) == [(0, 1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "what is the capital city of the country of france",
            "what is the capital city of the country of germany",
        ),
        ("can i return it within 30 days of the purchase", "can i return it within 60 days of the purchase"),
        ("can i return shoes that i bought on sale", "can i not return shoes that i bought on sale"),
        (
            "is it shipped to the islands with insurance or so",
            "is it shipped to the islands without insurance or so",
        ),
        ("are there flights from paris to rome", "are there flights from rome to paris"),
        ("do you sell gold and other shiny things", "do you sell sold and other shiny things"),
        ("", ""),
        ("yes", "yes please"),
    ],
)
def test_other_questions_are_not(one: str, other: str) -> None:
    """One word, number or negation can make another question, however alike the letters are."""
    assert pairs(one, other) == []


def test_each_is_told_once_and_with_the_first() -> None:
    """Ten texts that are all alike make nine pairs, not forty-five."""
    texts = [*(f"{BASE} in the shop" for _ in range(10)), "another thing entirely"]
    assert pairs(*texts) == [(0, number) for number in range(1, 10)]


def test_small_sets_are_compared_completely() -> None:
    """With fifty texts or fewer a word is never too common to lead to a comparison."""
    texts = [f"{BASE} called {name}" for name in NAMES]
    assert len(texts) == 49
    assert pairs(*texts, f"{texts[30]} please") == [(30, 49)]


def test_texts_of_common_words_are_found_by_their_neighbours() -> None:
    """Where no word is rare, two words beside each other are."""
    rng = random.Random(1)
    words = [f"w{'abcdefghij'[number % 10]}{'klmnopqrst'[number // 10]}" for number in range(100)]
    texts = [" ".join(rng.choices(words, k=12)) for _ in range(2000)]
    assert (7, 2000) in pairs(*texts, f"{texts[7]} {words[0]}")


def test_the_order_is_the_same_everywhere() -> None:
    """Nothing hangs on the order of a set, which differs from process to process."""
    texts = [*(f"{BASE} number {chr(97 + number) * 4}" for number in range(20)), f"{BASE} number aaab"]
    assert pairs(*texts) == pairs(*texts) == [(0, 20)]


@pytest.mark.parametrize("shape", ["all the same words", "one word of its own", "long"])
def test_the_hard_cases_take_no_quadratic_time(
    shape: str, busy_seconds: Callable[[Callable[[], object]], float]
) -> None:
    """Templates of which thousands of texts are made: 20,000 take seconds, 200 million comparisons would not."""
    rng = random.Random(2)
    made = {
        "all the same words": lambda n: rng.sample("what is the price of a thing in our shop".split(), k=10),
        "one word of its own": lambda n: [*"what is the price of".split(), f"thing{'abcdefghij'[n % 10]}{n}"],
        "long": lambda n: [f"word{rng.randrange(3000)}" for _ in range(100)],
    }[shape]
    texts = [made(number) for number in range(2_000 if shape == "long" else 20_000)]
    assert busy_seconds(lambda: sum(1 for _ in similar_pairs(texts))) < 20
