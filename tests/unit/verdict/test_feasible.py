"""Gates that so few runs can never decide are named with the number that it takes."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil, log
from typing import Any

import pytest

from pytest_llmrel.core.gate import GateMode
from pytest_llmrel.verdict.feasible import infeasible_gates

Maker = Callable[..., Any]


def said(make_plan: Maker, mode: str, k: int, *gates: str, **more: Any) -> list[str]:
    """The sentences about a plan."""
    return infeasible_gates(replace(make_plan(k, *gates, **more), mode=GateMode(mode)))


@pytest.mark.parametrize(
    ("mode", "k", "gate", "sentence"),
    [
        ("proof", 10, "pass_rate >= 0.9", "needs 29 passes of 29"),
        ("proof", 28, "pass_rate >= 0.9", "needs 29 passes of 29"),
        ("proof", 10, "wrong_rate <= 0.1", "needs 29 runs that do not fail of 29"),
        ("proof", 10, "abstention_rate <= 0.05", "needs 59 runs that do not abstain of 59"),
        ("proof", 10, "error_rate <= 0.1", "needs 29 runs without an error of 29"),
        ("proof", 10, "pass^2 >= 0.81", "needs 29 passes of 29"),
        ("evidence", 1, "pass_rate >= 0.9", "needs 2 runs that do not pass of 2"),
        ("evidence", 4, "pass_rate >= 0.5", "needs 5 runs that do not pass of 5"),
        ("evidence", 4, "wrong_rate <= 0.5", "needs 5 failures of 5"),
        ("proof", 10, "pass_rate >= 1", "no number of runs can give it"),
        ("evidence", 10, "pass_rate >= 0", "no number of runs can give it"),
        ("proof", 1, "polite >= 0.5", "so few runs (1)"),
        ("proof", 10, "latency_p95 <= 2", "so few runs (10)"),
    ],
)
def test_what_it_takes_is_said(make_plan: Maker, mode: str, k: int, gate: str, sentence: str) -> None:
    """Mode, gate as written, the fewest runs that can decide it."""
    (found,) = said(make_plan, mode, k, gate)
    assert found.startswith(f"{mode} of '{gate}'")
    assert sentence in found


@pytest.mark.parametrize("mode", ["observed", "evidence", "proof"])
def test_nothing_is_said_of_what_can_be_decided(make_plan: Maker, mode: str) -> None:
    """29 runs prove 0.9; an observed value needs no number of runs."""
    assert said(make_plan, mode, 29, "pass_rate >= 0.9", "wrong_rate <= 0.1", "latency_p50 <= 3") == []
    assert said(make_plan, "observed", 1, "pass_rate >= 0.9", "polite >= 0.5") == []


@pytest.mark.parametrize("mode", ["evidence", "proof"])
@pytest.mark.parametrize("hundredth", range(1, 100))
def test_the_number_is_the_fewest(make_plan: Maker, mode: str, hundredth: int) -> None:
    """With the runs it asks for nothing is said any more, and with one less it is, at any bar."""
    gate = f"pass_rate >= {hundredth / 100}"
    certain = hundredth / 100 if mode == "proof" else 1 - hundredth / 100
    least = max(1, ceil(log(0.05) / log(certain) - 1e-9))
    assert said(make_plan, mode, least, gate) == []
    if least > 1:
        (sentence,) = said(make_plan, mode, least - 1, gate)
        assert f"needs {least} " in sentence


def test_all_gates_are_named(make_plan: Maker) -> None:
    """One look at the warning is enough."""
    assert len(said(make_plan, "proof", 5, "pass_rate >= 0.9", "wrong_rate <= 0.1", "pass_rate >= 0.1")) == 2
