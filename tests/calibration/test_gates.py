"""How often gates under evidence fail, and gates under proof pass, when the truth lies exactly at the bar.

Rates are enumerated, which is exact; scores are simulated, twenty times as often with ``LLMREL_CALIBRATION=full``.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import comb

import numpy as np
import pytest

from pytest_llmrel.core.gate import Gate, GateMode
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Status, Variant
from pytest_llmrel.core.plan import RunPlan, read_variants
from pytest_llmrel.core.score import Score
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.summary import Aggregate

from .suites import standard_error

pytestmark = pytest.mark.slow

LEVEL = 0.05
WRONG = {GateMode.EVIDENCE: Status.FAIL, GateMode.PROOF: Status.PASS}
"""What a gate must seldom say at its bar: that it is missed, or that it is met."""
EVENTS = {
    "pass_rate": (Outcome.PASSED, Outcome.FAILED),
    "wrong_rate": (Outcome.FAILED, Outcome.PASSED),
    "abstention_rate": (Outcome.ABSTAINED, Outcome.FAILED),
    "error_rate": (Outcome.ERROR, Outcome.PASSED),
}


def chained(rng: np.random.Generator, mean: float, n: int) -> Iterable[float]:
    """Scores that vary more after a low one; the mean of each, given those before, stays the same."""
    low = False
    for _ in range(n):
        value = float(rng.random() < mean) if low else float(rng.uniform(mean - 0.04, mean + 0.04))
        low = value < mean
        yield value


DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, float, int], Iterable[float]]] = {
    "two values": lambda rng, mean, n: (rng.random(n) < mean).astype(float),
    "beta": lambda rng, mean, n: rng.beta(8 * mean, 8 * (1 - mean), n),
    "beta, wide": lambda rng, mean, n: rng.beta(mean / 2, (1 - mean) / 2, n),
    "seldom very low": lambda rng, mean, n: np.where(rng.random(n) < 0.05, 0.0, mean / 0.95),
    "hardly varying": lambda rng, mean, n: rng.uniform(mean - 0.02, mean + 0.02, n),
    "chosen after the last": chained,
}
"""Scores with a mean, whatever else they do; the last are not even independent."""


def status(gate: Gate, mode: GateMode, samples: Sequence[Sample], wordings: tuple[Variant, ...]) -> Status:
    """What a test says of its only gate after its runs, made to the end."""
    k = len(samples) // len(wordings)
    plan = RunPlan(k, Inputs(wordings, "q" if len(wordings) > 1 else None), (gate,), 8, 60.0, mode=mode)
    aggregate = Aggregate(plan, len(samples))
    for sample in samples:
        aggregate.record(sample)
    return decide(plan, aggregate.summary(), max_error_rate=1.0).findings[0].status


def runs(outcomes: Iterable[Outcome], wording: Variant, scores: Iterable[float] = ()) -> list[Sample]:
    """Runs of one wording, with scores or without."""
    recorded = [(Score("quality", float(score)),) for score in scores]
    return [
        Sample(Attempt("", wording, run, run), outcome, 0.5, recorded[run] if recorded else ())
        for run, outcome in enumerate(outcomes)
    ]


def binomial(x: int, n: int, p: float) -> float:
    """Chance of x events in n runs."""
    return comb(n, x) * p**x * (1 - p) ** (n - x)


def chance_of(wanted: Status, gate: Gate, mode: GateMode, n: int, rate: float) -> float:
    """Exact chance of a status, where the events of a rate come with ``rate``."""
    event, other = EVENTS[gate.metric if gate.k is None else "pass_rate"]
    wordings, chance = (Variant(),), 0.0
    for x in range(n + 1):
        if status(gate, mode, runs([event] * x + [other] * (n - x), wordings[0]), wordings) is wanted:
            chance += binomial(x, n, rate)
    return chance


@pytest.mark.parametrize("mode", list(WRONG))
@pytest.mark.parametrize("metric", list(EVENTS))
def test_gates_on_rates_keep_their_level(metric: str, mode: GateMode) -> None:
    """At the bar the wrong answer comes once in 20 times at most, whatever the rate, the bar and the runs."""
    chances = {
        (sign, bar, n): chance_of(WRONG[mode], Gate(metric, sign, bar), mode, n, bar)
        for sign in (">=", ">", "<=", "<")
        for bar in (0.1, 0.5, 0.8, 0.95)
        for n in (5, 20, 60)
    }
    worst = max(chances, key=chances.__getitem__)
    print(f"{metric} under {mode}: at most {chances[worst]:.4f} at the bar, {worst}")
    assert 0.03 < chances[worst] <= LEVEL * (1 + 1e-9)


@pytest.mark.parametrize("mode", list(WRONG))
@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("way", ["^", "@"])
def test_gates_on_several_runs_at_once_keep_their_level(way: str, k: int, mode: GateMode) -> None:
    """pass^K and pass@K of a single wording: the same, at the pass rate that gives the bar."""
    chances = {}
    for bar in (0.3, 0.6, 0.9):
        rate = bar ** (1 / k) if way == "^" else 1 - (1 - bar) ** (1 / k)
        for n in (10, 20, 50):
            gate = Gate(f"pass{way}{k}", ">=", bar)
            chances[bar, n] = chance_of(WRONG[mode], gate, mode, n, rate)
    worst = max(chances, key=chances.__getitem__)
    print(f"pass{way}{k} under {mode}: at most {chances[worst]:.4f} at the bar, {worst}")
    assert max(chances.values()) <= LEVEL * (1 + 1e-9)


@pytest.mark.parametrize("mode", list(WRONG))
@pytest.mark.parametrize("shape", list(DISTRIBUTIONS))
def test_gates_on_scores_keep_their_level(shape: str, mode: GateMode, is_full: bool) -> None:
    """The mean score lies at the bar: the bets win once in 20 times at most, and three standard errors."""
    repetitions, wording = 4000 if is_full else 200, Variant()
    for sign in (">=", "<="):
        for bar in (0.5, 0.8, 0.9):
            rng, wrong = np.random.default_rng(round(100 * bar)), 0
            for _ in range(repetitions):
                scores = DISTRIBUTIONS[shape](rng, bar, 30)
                samples = runs([Outcome.PASSED] * 30, wording, scores)
                wrong += status(Gate("quality", sign, bar), mode, samples, (wording,)) is WRONG[mode]
            print(f"{shape}, quality {sign} {bar} under {mode}: {wrong / repetitions:.4f} at the bar")
            assert wrong / repetitions <= LEVEL + 3 * standard_error(LEVEL, repetitions)


@pytest.mark.parametrize("mode", list(WRONG))
@pytest.mark.parametrize("others", [0.8, 1.0])
def test_the_gate_on_the_worst_wording_keeps_its_level(others: float, mode: GateMode) -> None:
    """One of three wordings lies at the bar, the others there too or above it; enumerated, so exact."""
    wordings, n, bar = read_variants(["one", "two", "three"]), 20, 0.8
    gate, rates = Gate("worst_variant", ">=", bar), (bar, others, others)

    @cache
    def is_wrong(passed: tuple[int, ...]) -> bool:
        samples = [
            sample
            for wording, x in zip(wordings, passed, strict=True)
            for sample in runs([Outcome.PASSED] * x + [Outcome.FAILED] * (n - x), wording)
        ]
        return status(gate, mode, samples, wordings) is WRONG[mode]

    chances = [[binomial(x, n, rate) for x in range(n + 1)] for rate in rates]
    likely = [[x for x in range(n + 1) if chance[x] > 1e-4] for chance in chances]
    total = sum(
        chances[0][x] * chances[1][y] * chances[2][z]
        for x in likely[0]
        for y in likely[1]
        for z in likely[2]
        if is_wrong(tuple(sorted((x, y, z))))  # the order of the wordings does not matter
    )
    print(f"worst_variant under {mode}, others at {others}: {total:.4f}")
    assert total <= LEVEL
