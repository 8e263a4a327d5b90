"""How often the gate on the sensitivity to wordings fails: without any, and with a known one.

``LLMREL_CALIBRATION=full`` draws twenty times as many tests as the default does.
"""

import numpy as np
import pytest

from pytest_llmrel.core.gate import Gate, GateMode
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Status, Summary, Variant
from pytest_llmrel.core.plan import RunPlan, read_variants
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.summary import Aggregate

from .suites import standard_error, z_of

pytestmark = pytest.mark.slow

LEVEL = 0.05
GATE = Gate("sensitivity", "<=", 0.1)
WORDINGS = 10
POWERS = {
    0.1: {3: 0.05, 5: 0.12, 10: 0.28, 20: 0.58},
    0.2: {3: 0.25, 5: 0.46, 10: 0.83, 20: 0.96},
    0.3: {3: 0.58, 5: 0.86, 10: 0.94, 20: 0.97},
}
"""Published power of the permutation test by standard deviation and runs: ten wordings around a rate of 0.8."""
POWER_REPETITIONS = 400
"""Taken to have been made for these figures, which are rounded to two digits; the source does not say."""


@pytest.fixture(scope="module")
def repetitions(is_full: bool) -> int:
    """Simulated tests per figure."""
    return 2000 if is_full else 100


def judged(
    rng: np.random.Generator, variants: tuple[Variant, ...], runs: int, rates: list[float]
) -> tuple[Summary, Status]:
    """The summary and the status of one test whose wordings pass with these rates."""
    plan = RunPlan(runs, Inputs(variants, "q"), (GATE,), 8, 60.0, mode=GateMode.EVIDENCE)
    aggregate = Aggregate(plan, runs * len(variants))
    passed = (rng.random((runs, len(variants))) < rates).tolist()
    for run, row in enumerate(passed):
        for variant, good in zip(variants, row, strict=True):
            attempt = Attempt("", variant, run, run)
            aggregate.record(Sample(attempt, Outcome.PASSED if good else Outcome.FAILED))
    summary = aggregate.summary()
    return summary, decide(plan, summary, 0.1).status


def texts(count: int) -> tuple[Variant, ...]:
    """So many wordings."""
    return read_variants([f"wording {number}" for number in range(count)])


@pytest.mark.parametrize(("wordings", "runs"), [(2, 20), (5, 3), (5, 10), (10, 5), (10, 20)])
@pytest.mark.parametrize("rate", [0.5, 0.8, 0.95])
def test_noise_alone_seldom_fails(wordings: int, runs: int, rate: float, repetitions: int) -> None:
    """Without sensitivity the permutation test finds some once in 20 times at most, and the gate no more often."""
    rng, variants = np.random.default_rng([wordings, runs, round(100 * rate)]), texts(wordings)
    found = failed = 0
    for _ in range(repetitions):
        summary, status = judged(rng, variants, runs, [rate] * wordings)
        assert summary.sensitivity is not None
        found += summary.sensitivity.p <= LEVEL
        failed += status is Status.FAIL
    print(f"{wordings} x {runs} at {rate}: permutation test {found / repetitions:.4f}, ", end="")
    print(f"gate {failed / repetitions:.4f}")
    assert failed <= found
    assert found / repetitions <= LEVEL + 3 * standard_error(LEVEL, repetitions)


@pytest.mark.parametrize("runs", [3, 5, 10, 20])
@pytest.mark.parametrize("sd", list(POWERS))
def test_the_power_is_the_published_one(sd: float, runs: int, repetitions: int) -> None:
    """Rates drawn from a beta distribution are found to differ as often as published, within the noise of both."""
    rng, variants = np.random.default_rng([round(100 * sd), runs]), texts(WORDINGS)
    size = 0.8 * 0.2 / sd**2 - 1
    found = failed = 0
    for _ in range(repetitions):
        rates = rng.beta(0.8 * size, 0.2 * size, WORDINGS).tolist()
        summary, status = judged(rng, variants, runs, rates)
        assert summary.sensitivity is not None
        found += summary.sensitivity.p <= LEVEL
        failed += status is Status.FAIL
    z = z_of(found, repetitions, POWERS[sd][runs], POWER_REPETITIONS)
    print(
        f"sd {sd}, {runs} runs: permutation test {found / repetitions:.4f} (published {POWERS[sd][runs]}, ",
        end="",
    )
    print(f"z = {z:.2f}), gate {failed / repetitions:.4f}")
    assert abs(z) <= 3.5
