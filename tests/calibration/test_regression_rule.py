"""False alarms and power of the whole regression rule, on simulated suites.

``LLMREL_CALIBRATION=full pytest tests/calibration`` runs every cell of the published simulation with as many
repetitions as that (about ten minutes); without it a few cells with a tenth. ``-rP`` shows the figures.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from math import sqrt
from statistics import fmean, stdev

import numpy as np
import pytest

from pytest_llmrel.core.baseline import Cell, pooled
from pytest_llmrel.core.gate import GateMode
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Status, Summary, Variant
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.regression import Rule, compare, judge_suite, strata_of
from pytest_llmrel.verdict.summary import Aggregate

from .suites import DESIGNS, NULLS, SCENARIOS, Design, Judged, draws, sessions, standard_error, z_of

pytestmark = pytest.mark.slow

FULL = os.environ.get("LLMREL_CALIBRATION") == "full"
ALPHAS = (0.05, 0.01)
FURTHEST = 3.5
"""Standard errors that two simulations of the same chance may lie apart; the seeds are fixed."""
QUICK = {
    (20, 5): (*NULLS,),
    (20, 10): (*NULLS, "one95>70", "mix1>70", "all95>92"),
    (20, 20): ("one95>70",),
    (100, 10): (*NULLS, "one95>50", "ten%95>70"),
}
"""What runs without the environment variable, where the baseline has at least five times as many runs."""
CELLS = [
    pytest.param(design, scenario, id=f"{design}-{scenario}")
    for design in DESIGNS
    for scenario in SCENARIOS
    if FULL or (design.baseline >= 5 * design.k and scenario in QUICK.get((design.tests, design.k), ()))
]
NULL_CELLS = [cell for cell in CELLS if cell.values[1] in NULLS]


def repetitions_of(design: Design, scenario: str) -> int:
    """As many as the published simulation made: its rates are whole numbers of them."""
    if design.tests >= 500:
        return 800 if scenario in NULLS else 300
    return 4000 if scenario in NULLS else 1500


@cache
def simulated(design: Design, scenario: str) -> dict[float, list[tuple[Judged, Judged]]]:
    """The sessions of one cell, at each alpha the same runs: as they are made, and as published."""
    repetitions = repetitions_of(design, scenario) // (1 if FULL else 10)
    made: dict[float, list[tuple[Judged, Judged]]] = {alpha: [] for alpha in ALPHAS}
    for draw in draws(design, SCENARIOS[scenario](design.tests), repetitions, f"{design} {scenario}"):
        for alpha in ALPHAS:
            made[alpha].append(sessions(design, draw, alpha))
    return made


def red(judged: list[Judged]) -> float:
    """Share of red sessions."""
    return fmean(one.red for one in judged)


@pytest.mark.parametrize(("design", "scenario"), NULL_CELLS)
def test_false_alarms_are_as_rare_as_alpha_says(design: Design, scenario: str) -> None:
    """Where no test got worse, no more sessions are red than alpha and three standard errors."""
    for alpha, pairs in simulated(design, scenario).items():
        judged = [ours for ours, _ in pairs]
        parts = [fmean(getattr(one, part) for one in judged) for part in ("drift", "single", "escalated")]
        print(f"{design} {scenario} alpha={alpha}: {red(judged):.4f} of {len(judged)}, parts {parts}")
        assert red(judged) <= alpha + 3 * standard_error(alpha, len(judged))
        assert max(parts) <= alpha / 3 + 3 * standard_error(alpha / 3, len(judged))


@pytest.mark.parametrize(("design", "scenario"), CELLS)
def test_rates_are_the_published_ones(
    design: Design, scenario: str, shared_rows: Callable[[str], list[dict[str, str]]]
) -> None:
    """Red sessions and further runs agree with the published simulation within the noise of both."""
    # That one escalates ten tests at most. With the same cap both sides are compared; without it, as a session
    # does, suites of 500 tests only have to be red as often: they have more than ten suspects.
    known = {
        (row["m"], row["k"], row["n0"], row["scenario"]): row
        for row in shared_rows("gate_final_rule_sim.csv")
    }
    row = known.get((str(design.tests), str(design.k), str(design.baseline), scenario))
    n0 = repetitions_of(design, scenario)
    for alpha, pairs in simulated(design, scenario).items():
        ours, theirs = ([pair[way] for pair in pairs] for way in (0, 1))
        print(f"{design} {scenario} alpha={alpha}: session {red(ours):.4f}, capped {red(theirs):.4f}", end="")
        print(f", further runs {fmean(one.calls for one in ours):.4f}")
        if row is None:
            continue
        n, suffix = len(pairs), f"alpha{alpha:.2f}".replace("0.", "")
        rate, calls = float(row[f"fail_rate_{suffix}"]), float(row[f"extra_call_frac_{suffix}"])
        z = z_of(sum(one.red for one in theirs), n, rate, n0)
        made = [one.calls for one in theirs]
        apart = (fmean(made) - calls) / (stdev(made) * sqrt(1 / n + 1 / n0) or 1.0)
        print(f"published {rate:.4f} of {n0}: z = {z:.2f}; further runs {calls:.4f}: z = {apart:.2f}")
        assert abs(z) <= FURTHEST
        assert abs(apart) <= FURTHEST
        if Rule.factor * design.k == design.further:
            z = z_of(sum(one.red for one in ours), n, rate, n0)
            assert z >= -FURTHEST
            assert design.tests >= 500 or z <= FURTHEST


@pytest.mark.parametrize("alpha", ALPHAS)
def test_wordings_and_unequal_baselines_raise_no_more_alarms(alpha: float) -> None:
    """Tests of one to four wordings, each with a baseline and a rate of its own: alpha holds all the same."""
    rng, tests, k = np.random.default_rng(7), 20, 4
    wordings = [[str(wording) for wording in range(1 + test % 4)] for test in range(tests)]
    red_ones, repetitions = 0, 4000 if FULL else 200
    rule = Rule(alpha, tests)

    def cells(names: list[str], rates: Iterable[float], n: int) -> list[Cell]:
        return [Cell("", name, int(rng.binomial(n, p)), n) for name, p in zip(names, rates, strict=True)]

    for _ in range(repetitions):
        compared, failed = {}, False
        for test, names in enumerate(wordings):
            rates = rng.choice((1.0, 0.98, 0.9, 0.7, 0.5), len(names))
            before, now = cells(names, rates, 10 + 10 * (test % 5)), cells(names, rates, k)
            strata = strata_of(before, now)
            one = compare(strata, None, rule)
            if rule.is_suspicious(one.p):
                every = pooled((*now, *cells(names, rates, rule.factor * k)))
                one = compare(strata, strata_of(before, every), rule)
            compared[str(test)] = one.strata
            failed = failed or one.finding.status is Status.FAIL
        red_ones += failed or judge_suite(compared, alpha).status is Status.FAIL
    print(f"wordings, alpha={alpha}: {red_ones} of {repetitions}")
    assert red_ones / repetitions <= alpha + 3 * standard_error(alpha, repetitions)


def test_counts_stand_for_recorded_runs() -> None:
    """A suite whose runs are recorded one by one and decided test by test is red exactly when its counts are."""
    design, alpha = Design(20, 10, 50, 30), 0.05
    plan = RunPlan(design.k, Inputs(), (), 8, 60.0, mode=GateMode.OBSERVED)
    rule = Rule(alpha, design.tests)

    def made(passed: int, planned: int) -> Summary:
        aggregate = Aggregate(plan, planned)
        for run in range(planned):
            outcome = Outcome.PASSED if run < passed else Outcome.FAILED
            aggregate.record(Sample(Attempt("", Variant(), run, run), outcome))
        return aggregate.summary()

    reds = []
    for draw in draws(design, SCENARIOS["mix1>70"](design.tests), 20, "recorded"):
        statuses, compared, more = [], {}, rule.factor * design.k
        for test, baseline in enumerate(draw.baseline):
            summary, escalation = made(draw.first[test][0].passed, design.k), None
            strata = strata_of(baseline, summary.cells)
            one = compare(strata, None, rule)
            if rule.is_suspicious(one.p):
                escalation = made(draw.further[more][test], more)
                cells = pooled((*summary.cells, *escalation.cells))
                one = compare(strata, strata_of(baseline, cells), rule)
            statuses.append(decide(plan, summary, 0.1, [one.finding], escalation).status)
            compared[str(test)] = one.strata
        suite = judge_suite(compared, alpha)
        reds.append(Status.FAIL in (*statuses, suite.status))
        assert reds[-1] is sessions(design, draw, alpha)[0].red
    assert 0 < sum(reds) < len(reds)
