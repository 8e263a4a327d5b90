"""Hunts from one end to the other: a simulated model that stumbles over a wording, in ten tests with luck of their own."""

import re

import pytest
from wire_example import Asking

from pytest_llmrel.simulator import Simulator
from pytest_llmrel.simulator.persona import Model, Persona, Sensitive, Topic

QUESTION = "How long does a customer have for a return?"
PLANTED = {
    "lower-cased questions": r"^[^A-Z]*$",
    "a typo in one word": r"^(?!.*(?i:customer))",
    "a trailing courtesy": r"(?i)(thanks?|thank you|please)\W*$",
}
"""Name of a sensitivity -> the wordings that meet it."""
NOTHING = r"^\b$"
SEEDS = 10
CALLS = 120
TESTS = f"""
import re

@pytest.mark.parametrize("seed", range({SEEDS}))
@krun(5, concurrency=8)
@paraphrase("question", "{QUESTION}")
DEF test_a(question, seed):
    assert "30 days" in text(ASK(question))
"""


def stumbling(wording: str, pass_rate: float = 0.998) -> Persona:
    """A persona that is right nearly always, but never where this wording is found."""
    sensitive = (Sensitive(re.compile(wording), 0.0),)
    topic = Topic(
        "returns", (re.compile("."),), ("Within 30 days.",), ("Within 14 days.",), pass_rate, sensitive
    )
    return Persona("shop", (Model("gpt-4o-mini"),), (topic,), "I do not know.")


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_in_nine_of_ten(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    """Within 120 calls each, and shrunk to the single edit that breaks it; no call more than is told."""
    with Simulator(stumbling(PLANTED[planted]), latency=0) as model:
        outcome = Asking(pytester, monkeypatch, TESTS).run(model, f"--llmrel-hunt={CALLS}")
    hunts = [test["hunt"] for test in outcome.tests.values()]
    assert len(hunts) == SEEDS
    assert all(hunt["calls"] <= CALLS for hunt in hunts)
    assert sum(hunt["calls"] for hunt in hunts) == model.requests
    found = [hunt["broken"] for hunt in hunts if hunt["broken"] and hunt["shrunk"]]
    assert sum(len(broken["edits"]) == 1 for broken in found) >= 9, hunts
    assert all(re.search(PLANTED[planted], broken["text"]) for broken in found)


@pytest.mark.parametrize("pass_rate", [0.998, 0.9])
def test_where_nothing_is_planted_nothing_is_found(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, pass_rate: float
) -> None:
    """Ten hunts, no false alarm, all calls spent: nothing else would be a search."""
    with Simulator(stumbling(NOTHING, pass_rate), latency=0) as model:
        outcome = Asking(pytester, monkeypatch, TESTS).run(model, f"--llmrel-hunt={CALLS}")
    assert [test["hunt"]["broken"] for test in outcome.tests.values()] == [None] * SEEDS
    assert [test["verdict"] for test in outcome.tests.values()].count("PASS") >= 9
    assert model.requests == CALLS * SEEDS
