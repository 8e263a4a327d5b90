"""The persona: which topic hears a question, how often it is right, how long it takes."""

from __future__ import annotations

import math
import re
import time

import pytest

from pytest_llmrel.simulator.draws import Draw, Draws
from pytest_llmrel.simulator.persona import Latency, Model, Persona, Sensitive, Topic
from pytest_llmrel.simulator.persona_file import load_persona

GOOD, BAD = Model("good"), Model("bad", pass_rate_factor=0.5, latency_factor=2.0, pass_rates={"tea": 0.2})
TEA = Topic(
    "tea",
    (re.compile("tea", re.IGNORECASE),),
    ("right one", "right two"),
    ("wrong",),
    0.8,
    (Sensitive(re.compile("TEA"), 0.4), Sensitive(re.compile("teeea|TEA"), 0.0, ("bad",))),
)
ORDER = Topic(
    "order", (re.compile(r"(?P<n>\d+) of (?P<item>\w+)"), re.compile("order")), ('{"$item": $n, "$x": "$5"}',)
)
PERSONA = Persona("p", (GOOD, BAD), (ORDER, TEA), "no idea", Latency(0.1, 0.04))


def luck(outcome: float = 0.0, choice: float = 0.0, latency: float = 0.5) -> Draw:
    """A draw made by hand."""
    return Draw(outcome, choice, latency, "name")


def test_the_outcome_decides_between_right_and_wrong() -> None:
    """Just below the pass rate is right, at the pass rate is wrong."""
    said = [PERSONA.answer(GOOD, "some Tea?", luck(outcome)).text for outcome in (0.7999, 0.8)]
    assert said == ["right one", "wrong"]


def test_every_phrasing_is_used() -> None:
    """The choice runs over all phrasings and never beyond the last."""
    said = [PERSONA.answer(GOOD, "tea", luck(0, choice)).text for choice in (0.0, 0.49, 0.5, 1 - 2**-53)]
    assert said == ["right one", "right one", "right two", "right two"]


@pytest.mark.parametrize(
    ("model", "question", "rate"),
    [
        (GOOD, "tea", 0.8),
        (BAD, "tea", 0.1),
        (GOOD, "TEA", 0.4),
        (BAD, "TEA", 0.2),
        (GOOD, "teeea", 0.8),
        (BAD, "teeea", 0.0),
    ],
)
def test_which_rate_holds(model: Model, question: str, rate: float) -> None:
    """First a sensitive wording meant for the model, then its own rate, then the topic's, times its factor."""
    assert PERSONA.pass_rate(model, TEA, question) == pytest.approx(rate)


def test_a_factor_above_one_does_not_exceed_certainty() -> None:
    """A rate is never above one."""
    assert PERSONA.pass_rate(Model("m", pass_rate_factor=5), TEA, "tea") == 1.0


def test_the_first_topic_that_matches_answers() -> None:
    """The order of the file decides when two topics would do."""
    assert PERSONA.answer(GOOD, "order 3 of tea", luck()).text == '{"tea": 3, "$x": "$5"}'


def test_a_pattern_without_groups_leaves_dollars_alone() -> None:
    """Nothing is captured, so nothing is filled in."""
    assert PERSONA.answer(GOOD, "order", luck()).text == '{"$item": $n, "$x": "$5"}'


def test_an_unknown_question_gets_the_fallback() -> None:
    """With good luck or bad, what is not known is not known."""
    assert {PERSONA.answer(GOOD, "coffee?", luck(outcome)).text for outcome in (0.0, 0.999)} == {"no idea"}


def test_latency_is_spread_around_the_median() -> None:
    """The draw moves it from median minus jitter to median plus jitter; the model's factor multiplies it."""
    seconds = [PERSONA.answer(GOOD, "tea", luck(latency=latency)).seconds for latency in (0.0, 0.5, 1.0)]
    assert seconds == pytest.approx([0.06, 0.1, 0.14])
    assert PERSONA.answer(BAD, "tea", luck(latency=1.0)).seconds == pytest.approx(0.28)


def test_another_latency_replaces_median_and_jitter() -> None:
    """The override is exact for every draw, but for the factor of the model."""
    fast = PERSONA.with_latency(0.5)
    assert [fast.answer(GOOD, "tea", luck(latency=latency)).seconds for latency in (0.0, 0.9)] == [0.5, 0.5]
    assert fast.answer(BAD, "tea", luck()).seconds == 1.0


@pytest.mark.parametrize(
    ("model", "question", "rate"), [(GOOD, "tea", 0.8), (BAD, "tea", 0.1), (GOOD, "TEA", 0.4)]
)
def test_rates_converge_to_what_is_set(model: Model, question: str, rate: float) -> None:
    """Four thousand answers are right as often as the rate says, within four standard errors."""
    draws, count = Draws(11), 4000
    right = sum(
        PERSONA.answer(model, question, draws.next(model.name, question)).text.startswith("right")
        for _ in range(count)
    )
    assert abs(right / count - rate) < 4 * math.sqrt(rate * (1 - rate) / count)


def test_a_huge_question_is_heard_at_its_end() -> None:
    """Recognition reads the last 8000 characters only, where questions stand, whatever the patterns cost."""
    slow = Persona("p", (GOOD,), (Topic("x", (re.compile("a.*c$"), re.compile("tea")), ("yes",)),), "no")
    start = time.perf_counter()
    assert slow.answer(GOOD, "ab" * 2_000_000, luck()).text == "no"
    assert slow.answer(GOOD, "x" * 20_000 + " tea?", luck()).text == "yes"
    assert slow.answer(GOOD, "tea " + "x" * 20_000, luck()).text == "no"
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("How long do I have to return an item?", "30 days"),
        ("whats ur return policy??", "30 days"),
        ("How long does delivery take?", "3 to 5 working days"),
        ("When are you open?", "9:00"),
        ("Please add 2 mugs to my basket.", '{"action": "add", "item": "mug", "quantity": 2}'),
        ("Please send 3 teapots to Lisbon!", '{"item": "teapot", "quantity": 3, "city": "Lisbon"}'),
        ("Can I pay by bank transfer?", "bank transfer"),
        ("Which ways to pay are there?", "PayPal or bank transfer"),
        ("Is there caffeine in rooibos?", "no caffeine"),
        ("Who won the cup?", "help@"),
    ],
)
def test_the_bundled_persona_knows_its_shop(question: str, part: str) -> None:
    """With good luck the bundled persona gives the right answer to a question of each kind."""
    shop = load_persona()
    assert part in shop.answer(shop.models[0], question, luck()).text


def test_the_degraded_model_is_worse() -> None:
    """The bundled degraded model fails a wording outright, and several topics most of the time."""
    shop = load_persona()
    good, degraded = (shop.model(name) for name in ("shop-assistant", "shop-assistant-degraded"))
    assert good is not None
    assert degraded is not None
    rates = {
        topic.name: shop.pass_rate(degraded, topic, "") / shop.pass_rate(good, topic, "")
        for topic in shop.topics
    }
    assert sum(rate < 0.3 for rate in rates.values()) >= 4
    returns = next(topic for topic in shop.topics if topic.name == "returns")
    assert [shop.pass_rate(model, returns, "whats ur return policy??") for model in (good, degraded)] == [
        0.998,
        0.0,
    ]
