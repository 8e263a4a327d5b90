"""The corrected pass rate: coverage by exact enumeration and by simulation, other ways to the same figures."""

from functools import cache
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from pytest_llmrel.stats.calibration import LEAST_YOUDEN, Corrected, rogan_gladen
from pytest_llmrel.stats.intervals import wilson

Z = stats.norm.ppf(0.975)


def interval_by_hand(x: int, n: int, hits1: int, m1: int, hits0: int, m0: int) -> tuple[float, float]:
    """The formulas of the docstring, in the order of Lang and Reiczigel's paper."""
    p, n_ = (x + Z**2 / 2) / (n + Z**2), n + Z**2
    se, sp = (hits1 + 1) / (m1 + 2), (hits0 + 1) / (m0 + 2)
    theta = (p + sp - 1) / (se + sp - 1)
    variance = (
        p * (1 - p) / n_ + theta**2 * se * (1 - se) / (m1 + 2) + (1 - theta) ** 2 * sp * (1 - sp) / (m0 + 2)
    )
    half = Z * sqrt(variance) / (se + sp - 1)
    return theta - half, theta + half


@cache
def coverage(theta: float, q1: float, q0: float, n: int, m: int) -> tuple[float, float]:
    """Chances that the interval of the corrected rate, and Wilson's of the raw one, hold the true rate.

    All outcomes but the least likely ones, each with its chance; of the judges that are not refused.
    """
    rate = theta * q1 + (1 - theta) * (1 - q0)
    chances = [
        stats.binom.pmf(np.arange(size + 1), size, share) for size, share in ((n, rate), (m, q1), (m, q0))
    ]
    xs, ones, zeros = ([i for i, chance in enumerate(some) if chance > 1e-4] for some in chances)
    corrected = total = 0.0
    for one in ones:
        for zero in zeros:
            for x in xs:
                chance = chances[0][x] * chances[1][one] * chances[2][zero]
                found = rogan_gladen(x / n, n, (one, m), (zero, m))
                if found is None:
                    continue
                total += chance
                corrected += chance * (found.low <= theta <= found.high)
    raw = sum(chances[0][x] for x in range(n + 1) if wilson(x, n)[0] <= theta <= wilson(x, n)[1])
    assert total > 0.99
    return corrected / total, float(raw)


@pytest.mark.parametrize(
    ("theta", "n", "m", "covered", "raw"), [(0.8, 200, 50, 0.968, 0.60), (0.95, 200, 100, 0.961, 0.01)]
)
def test_the_interval_covers_where_the_raw_one_does_not(
    theta: float, n: int, m: int, covered: float, raw: float
) -> None:
    """A judge of sensitivity .9 and specificity .85: 97 and 96 % instead of 60 and 1 %."""
    assert coverage(theta, 0.9, 0.85, n, m) == pytest.approx((covered, raw), abs=0.006)


@pytest.mark.parametrize(
    ("theta", "q1", "q0", "n", "m"),
    [
        (0.99, 0.95, 0.9, 100, 50),
        (0.5, 0.8, 0.7, 50, 50),
        (1.0, 0.95, 0.9, 100, 50),
        (0.9, 0.97, 0.97, 20, 60),
    ],
)
def test_the_interval_covers_at_the_borders(theta: float, q1: float, q0: float, n: int, m: int) -> None:
    """Near 1, with a weak judge, with few runs: at least as often as it says, up to half a point."""
    assert coverage(theta, q1, q0, n, m)[0] > 0.945


@pytest.mark.parametrize(
    "counts", [(150, 200, 45, 50, 43, 50), (9, 10, 50, 50, 50, 50), (3, 20, 61, 80, 30, 40)]
)
def test_the_formulas(counts: tuple[int, int, int, int, int, int]) -> None:
    """Point and ends as computed by hand."""
    x, n, hits1, m1, hits0, m0 = counts
    found = rogan_gladen(x / n, n, (hits1, m1), (hits0, m0))
    assert found is not None
    assert found.point == pytest.approx((x / n + hits0 / m0 - 1) / (hits0 / m0 + hits1 / m1 - 1))
    low, high = interval_by_hand(*counts)
    assert (found.low, found.high) == pytest.approx(
        (min(low, found.point), max(high, found.point)), rel=1e-12
    )


def test_the_width_that_is_published_here() -> None:
    """True rate .8 exactly observed, 200 runs, twice 50 items: .25 to .27 wide."""
    found = rogan_gladen(0.75, 200, (45, 50), (42, 50))
    assert found is not None
    assert 0.24 < found.high - found.low < 0.28


def test_a_perfect_judge_that_is_well_known() -> None:
    """With very many items the interval is Agresti and Coull's of the raw rate."""
    found = rogan_gladen(0.8, 200, (10**9, 10**9), (10**9, 10**9))
    p, n = (160 + Z**2 / 2) / (200 + Z**2), 200 + Z**2
    half = Z * sqrt(p * (1 - p) / n)
    assert found is not None
    assert (found.point, found.low, found.high) == pytest.approx((0.8, p - half, p + half), abs=1e-6)


def test_clusters_are_covered() -> None:
    """Runs of the same case are alike: with the variance over cases the interval holds the truth, without not."""
    rng = np.random.default_rng(5)
    cases, runs, q1, q0, m, truth = 40, 10, 0.95, 0.9, 200, 0.7
    with_it = without = 0
    samples = 1_500
    for _ in range(samples):
        rates = rng.beta(0.7, 0.3, size=cases)
        passed = rng.binomial(runs, rates * q1 + (1 - rates) * (1 - q0)) / runs
        judge = ((int(rng.binomial(m, q1)), m), (int(rng.binomial(m, q0)), m))
        clustered = rogan_gladen(passed.mean(), cases, *judge, variance=passed.var(ddof=1) / cases)
        independent = rogan_gladen(passed.mean(), cases * runs, *judge)
        assert clustered is not None
        assert independent is not None
        with_it += clustered.low <= truth <= clustered.high
        without += independent.low <= truth <= independent.high
    assert 0.93 < with_it / samples < 0.975
    assert without / samples < 0.8


def test_the_variance_of_independent_runs_changes_nothing() -> None:
    """Given as an argument or not."""
    judge = ((45, 50), (40, 50))
    given, own = rogan_gladen(0.7, 100, *judge, variance=0.7 * 0.3 / 100), rogan_gladen(0.7, 100, *judge)
    assert given is not None
    assert own is not None
    assert (given.low, given.high) == pytest.approx((own.low, own.high))


def test_no_variance_is_not_no_doubt() -> None:
    """Cases that are all alike have the interval of as many runs."""
    assert rogan_gladen(1.0, 12, (45, 50), (40, 50), variance=0.0) == rogan_gladen(
        1.0, 12, (45, 50), (40, 50)
    )
    assert rogan_gladen(0.6, 12, (45, 50), (40, 50), variance=0.0) == rogan_gladen(
        0.6, 12, (45, 50), (40, 50)
    )


@pytest.mark.parametrize(
    ("sensitivity", "specificity"),
    [((50, 100), (50, 100)), ((59, 100), (60, 100)), ((10, 100), (20, 100)), ((1, 1), (1, 5))],
)
def test_a_judge_that_tells_nothing_is_refused(
    sensitivity: tuple[int, int], specificity: tuple[int, int]
) -> None:
    """Below J = .2, a coin and one that is always wrong included, there is no rate, neither 0 nor 1."""
    assert rogan_gladen(0.5, 100, sensitivity, specificity) is None


def test_the_least_judge_that_is_taken() -> None:
    """J a bit above .2."""
    assert LEAST_YOUDEN == 0.2
    assert isinstance(rogan_gladen(0.5, 100, (700, 1000), (510, 1000)), Corrected)


@pytest.mark.parametrize(
    "call",
    [
        lambda: rogan_gladen(0.5, 0, (1, 1), (1, 1)),
        lambda: rogan_gladen(1.1, 1, (1, 1), (1, 1)),
        lambda: rogan_gladen(-0.1, 1, (1, 1), (1, 1)),
        lambda: rogan_gladen(float("nan"), 1, (1, 1), (1, 1)),
        lambda: rogan_gladen(0.5, 1, (0, 0), (1, 1)),
        lambda: rogan_gladen(0.5, 1, (1, 1), (2, 1)),
        lambda: rogan_gladen(0.5, 1, (-1, 1), (1, 1)),
        lambda: rogan_gladen(0.5, 1, (1, 1), (1, 1), variance=-0.1),
        lambda: rogan_gladen(0.5, 1, (1, 1), (1, 1), variance=float("nan")),
    ],
)
def test_what_is_impossible(call) -> None:
    """Is refused."""
    with pytest.raises(ValueError, match=r"impossible|tell nothing|not the variance"):
        call()
