"""The error rates and the cost of gates that are followed run by run, on simulated runs.

``LLMREL_CALIBRATION=full`` draws twenty times as many sequences as the default does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

import numpy as np
import pytest

from pytest_llmrel.core.gate import Gate, GateMode
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Decision, Outcome, Status
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.verdict.evidence import rate_status
from pytest_llmrel.verdict.stopping import stopping_for

from .suites import standard_error

pytestmark = pytest.mark.slow

LEVEL = 0.05
DESIGNS = [(20, 0.9), (20, 0.8), (40, 0.9), (50, 0.95)]
PUBLISHED = [(20, 0.9, 0.7), (20, 0.8, 0.5), (40, 0.9, 0.75)]
"""Planned runs, bar, and the alternative that the plugin chooses: the published ones that it chooses too."""
FURTHEST = 3.5


@dataclass(frozen=True, slots=True)
class Followed:
    """One test that was followed to its decision.

    Attributes:
        decision: of its gate.
        runs: that were made.
    """

    decision: Decision
    runs: int

    @property
    def failed(self) -> bool:
        """Whether the gate failed."""
        return self.decision.status is Status.FAIL


def follow(gate: Gate, planned: int, outcomes: Iterator[Outcome], mode: GateMode) -> Followed | None:
    """Make runs one at a time until the gate is decided; ``None`` where all that is planned decides nothing."""
    stopping = stopping_for(RunPlan(planned, Inputs(), (gate,), 8, 60.0, mode=mode, may_stop=True), planned)
    assert stopping is not None
    for position in range(planned):
        stopping.record(position, next(outcomes))
        if stopping.decided:
            return Followed(stopping.decisions[gate], position + 1)
    return None


def followed(
    gate: Gate,
    planned: int,
    rate: float,
    repetitions: int,
    *,
    mode: GateMode = GateMode.EVIDENCE,
    errors: float = 0.0,
) -> list[Followed | None]:
    """Tests whose runs are good with a rate, and lost to the infrastructure with another."""
    rng = np.random.default_rng([planned, round(1000 * gate.bar), round(1000 * rate), round(1000 * errors)])
    good, bad = {
        "pass_rate": (Outcome.PASSED, Outcome.FAILED),
        "wrong_rate": (Outcome.ABSTAINED, Outcome.FAILED),
        "abstention_rate": (Outcome.FAILED, Outcome.ABSTAINED),
    }[gate.metric]
    tests = []
    for _ in range(repetitions):
        luck, lost = rng.random(planned).tolist(), (rng.random(planned) < errors).tolist()
        outcomes = (
            Outcome.ERROR if gone else good if one < rate else bad
            for one, gone in zip(luck, lost, strict=True)
        )
        tests.append(follow(gate, planned, outcomes, mode))
    return tests


@pytest.fixture(scope="module")
def repetitions(is_full: bool) -> int:
    """Simulated tests per figure."""
    return 20_000 if is_full else 1_000


def failures(tests: Sequence[Followed | None]) -> int:
    """How many failed."""
    return sum(one is not None and one.failed for one in tests)


@pytest.mark.parametrize(("planned", "bar"), DESIGNS)
@pytest.mark.parametrize(
    ("metric", "sign"), [("pass_rate", ">="), ("wrong_rate", "<="), ("abstention_rate", "<=")]
)
def test_the_bar_itself_hardly_ever_fails(
    metric: str, sign: str, planned: int, bar: float, repetitions: int
) -> None:
    """A test exactly at the bar of a sequential gate fails at most once in 20 times, and three standard errors."""
    gate = Gate(metric, sign, bar if sign == ">=" else round(1.0 - bar, 10))
    tests = followed(gate, planned, bar, repetitions)
    print(f"{planned} runs, {gate}: {failures(tests) / len(tests):.4f} FAIL at the bar")
    assert None not in tests
    assert failures(tests) / len(tests) <= LEVEL + 3 * standard_error(LEVEL, len(tests))


@pytest.mark.parametrize("errors", [0.05, 0.3])
@pytest.mark.parametrize(("planned", "bar"), DESIGNS)
def test_lost_runs_cause_no_failures(planned: int, bar: float, errors: float, repetitions: int) -> None:
    """Nor does it fail more often when runs are lost on the way, whereby the sequential test changes its length."""
    tests = followed(Gate("pass_rate", ">=", bar), planned, bar, repetitions, errors=errors)
    print(f"{planned} runs, bar {bar}, {errors} lost: {failures(tests) / len(tests):.4f} FAIL at the bar")
    assert failures(tests) / len(tests) <= LEVEL + 3 * standard_error(LEVEL, len(tests))


def test_a_perfect_model_takes_nine_of_twenty_runs() -> None:
    """With a bar of 0.9 and nothing but passes the gate is decided after nine runs, as the ninth is the earliest."""
    (only,) = followed(Gate("pass_rate", ">=", 0.9), 20, 1.0, 1)
    assert only is not None
    assert (only.runs, only.decision.status, only.decision.early) == (9, Status.PASS, True)


@pytest.mark.parametrize(("planned", "bar", "alternative"), PUBLISHED)
def test_the_published_characteristics(
    planned: int,
    bar: float,
    alternative: float,
    repetitions: int,
    shared_rows: Callable[[str], list[dict[str, str]]],
) -> None:
    """Failures and runs made agree with the exact figures wherever the plugin chooses the same alternative."""
    gate = Gate("pass_rate", ">=", bar)
    wanted = {"rule": "SPRT_trunc", "N": str(planned), "p0": str(bar), "p1": str(alternative)}
    rows = {row["true_p"]: row for row in shared_rows("sequential_oc.csv") if wanted.items() <= row.items()}
    for row in rows.values():
        rate, chance, expected = float(row["true_p"]), float(row["P_fail"]), float(row["E_n"])
        tests = [one for one in followed(gate, planned, rate, repetitions // 4) if one is not None]
        assert f"against {alternative:g}" in tests[0].decision.method
        made = [one.runs for one in tests]
        print(
            f"{planned} runs, bar {bar}, rate {rate}: FAIL {failures(tests) / len(tests):.4f} ({chance}), ",
            end="",
        )
        print(f"runs {fmean(made):.2f} ({expected})")
        error = standard_error(max(chance, 1 / len(tests)), len(tests)) if chance < 1 else 0.0
        assert abs(failures(tests) / len(tests) - chance) <= FURTHEST * error + 5.1e-5
        assert abs(fmean(made) - expected) <= FURTHEST * stdev(made) / sqrt(len(made)) + 0.0501


@pytest.mark.parametrize("rate", [0.95, 0.9, 0.8, 0.6])
@pytest.mark.parametrize("mode", [GateMode.OBSERVED, GateMode.EVIDENCE])
def test_the_rate_after_an_early_stop_is_unbiased(mode: GateMode, rate: float, repetitions: int) -> None:
    """Its mean over many tests is the true rate, although the tests chose when to stop."""
    tests = followed(Gate("pass_rate", ">=", 0.8), 20, rate, repetitions, mode=mode)
    decisions = [one.decision for one in tests if one is not None]
    estimates = [decision.rate for decision in decisions if decision.rate is not None]
    shares = [decision.events / decision.n for decision in decisions]
    print(f"{mode}, rate {rate}: {fmean(estimates):.4f}, the share of passes {fmean(shares):.4f}")
    assert len(estimates) == len(tests)
    assert abs(fmean(estimates) - rate) <= FURTHEST * stdev(estimates) / sqrt(len(estimates))


@pytest.mark.parametrize("mode", [GateMode.OBSERVED, GateMode.PROOF])
@pytest.mark.parametrize("rate", [0.95, 0.9, 0.7])
def test_curtailment_says_what_all_runs_would_have_said(
    mode: GateMode, rate: float, repetitions: int
) -> None:
    """The status of an observed or a proof gate is the same after an early stop and without one."""
    gate, planned = Gate("pass_rate", ">=", 0.9), 40
    rng, saved = np.random.default_rng(round(100 * rate)), []
    for _ in range(repetitions // 4):
        outcomes = [Outcome.PASSED if one < rate else Outcome.FAILED for one in rng.random(planned)]
        early = follow(gate, planned, iter(outcomes), mode)
        assert early is not None
        assert early.decision.status is rate_status(gate, mode, outcomes.count(Outcome.PASSED), planned)
        saved.append(planned - early.runs)
    print(f"{mode}, rate {rate}: {fmean(saved):.1f} of {planned} runs saved")
