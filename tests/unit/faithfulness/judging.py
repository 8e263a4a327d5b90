"""A judge to ask: the real one, before a simulated model that judges, or says whatever a test wants it to."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from pytest_llmrel.faithfulness.judge import Judge
from pytest_llmrel.faithfulness.judge_evidence import Case
from pytest_llmrel.faithfulness.judge_reply import Ruling
from pytest_llmrel.faithfulness.scorer import Claim, Faithfulness, Support
from pytest_llmrel.simulator import Persona, Simulator
from pytest_llmrel.simulator.judge import JudgeHabits
from pytest_llmrel.simulator.persona import Model

KEY = f"sk-test-{'0a1B' * 4}"
VARIABLE = "LLMREL_TEST_JUDGE_KEY"
CONTEXT = (
    "Unopened items can be returned within 30 days of delivery. Refunds are paid within 5 days.\n"
    "The shop in Bristol opens at 9 and sells tea."
)
RIGHT = "Items can be returned within 30 days."
WRONG = "Refunds are paid within 60 days."


@contextmanager
def serving(habits: JudgeHabits | str | None = None, **options: Any) -> Iterator[Simulator]:
    """A simulator whose model ``judge`` has these habits, or always says this text; with a key to ask it."""
    is_text = isinstance(habits, str)
    model = Model("judge", judge=None if is_text else habits or JudgeHabits())
    persona = Persona("bench", (model,), (), habits if is_text else "?")
    with Simulator(persona, **options) as simulator, mock.patch.dict(os.environ, {VARIABLE: KEY}):
        yield simulator


def judge_at(simulator: Simulator, **changes: Any) -> Judge:
    """The judge that asks a simulator."""
    options: dict[str, Any] = {"model": "judge", "base_url": simulator.base_url, "api_key_env": VARIABLE}
    return Judge(**(options | changes))


def claim(text: str, quote: str = "", verdict: str = "supported", **changes: Any) -> dict[str, Any]:
    """A claim as a judge gives it."""
    return {"sentence": 1, "claim": text, "verdict": verdict, "quote": quote, "reason": "so"} | changes


def ruling(*claims: dict[str, Any], no_claims: tuple[int, ...] = ()) -> str:
    """The JSON of a judge."""
    return json.dumps({"claims": claims, "no_claims": no_claims})


def weighed(
    answer: str, *claims: dict[str, Any], context: str = CONTEXT, question: str = "", **more: Any
) -> Faithfulness:
    """What is left of a ruling, without a server."""
    found = Ruling.model_validate_json(ruling(*claims, **more))
    return Case(answer, context, question).weigh(found, "judge")


def supports(result: Faithfulness) -> list[Support]:
    """What was found of each claim."""
    return [found.support for found in result.claims]


def only(result: Faithfulness) -> Claim:
    """The one claim that there is."""
    (found,) = result.claims
    return found
