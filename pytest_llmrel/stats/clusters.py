"""Means over cases whose runs belong together: cases are the sample, not runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import fmean, stdev

from pytest_llmrel.stats.beta import student_quantile
from pytest_llmrel.stats.between import design_effect, intraclass_correlation

__all__ = ["Clustered", "cluster_bootstrap", "clustered_mean", "one_sided_t_bounds"]

_FEWEST = 10
"""Cases from which on an interval over cases can be trusted."""


@dataclass(frozen=True, slots=True)
class Clustered:
    """The pass rate over cases, and what the cases tell about its error."""

    mean: float
    """Unweighted mean of the pass rates of the cases, 0 to 1."""
    se: float | None
    """Standard error over cases; None for a single case."""
    low: float | None
    """Lower end of the 95 % interval; None with fewer than 10 cases."""
    high: float | None
    """Upper end of it, within 0..1."""
    cases: int
    runs: int
    """Runs of all cases together."""
    icc: float | None
    """Correlation of runs of the same case; None with one case, a case of one run, or no variation."""
    design_effect: float | None
    """How many times as many runs are needed as if all were independent; None where ``icc`` is."""


def clustered_mean(groups: Sequence[tuple[int, int]]) -> Clustered:
    """Mean pass rate over cases, with the error that comes from choosing the cases.

    ``SE = sd(rates) / sqrt(T)`` and Student's t with ``T - 1`` degrees of freedom: Miller 2024, arXiv
    2411.00640. It contains the noise of the runs of each case already.

    Args:
        groups: ``(passed, n)`` of each case.

    Raises:
        ValueError: no cases, a case without runs, or impossible counts.
    """
    for passed, n in groups:
        if n < 1 or not 0 <= passed <= n:
            raise ValueError(f"{passed} passes of {n} runs is impossible")
    rates = [x / n for x, n in groups]
    if not rates:
        raise ValueError("without cases there is no mean")
    low, high = _t_bounds(rates, 0.025) if len(rates) >= _FEWEST else (None, None)
    repeated = len(groups) > 1 and all(n > 1 for _, n in groups)
    return Clustered(
        mean=fmean(rates),
        se=stdev(rates) / sqrt(len(rates)) if len(rates) > 1 else None,
        low=low,
        high=high,
        cases=len(groups),
        runs=sum(n for _, n in groups),
        icc=intraclass_correlation(groups) if repeated else None,
        design_effect=design_effect(groups) if repeated else None,
    )


def one_sided_t_bounds(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """A lower and an upper bound of the mean over all possible cases, each on its own.

    Student's t as in `clustered_mean`. Cases that are all the same do not tell how much cases
    differ; their bounds are those that hold for any distribution on 0..1.

    Args:
        values: one for each case, each within 0..1.
        confidence: of each of the two, within (0.5, 1).

    Returns:
        ``(lower, upper)``, both within 0..1.

    Raises:
        ValueError: fewer than 10 cases, a value outside 0..1, or ``confidence`` out of range.
    """
    if not 0.5 < confidence < 1:  # noqa: PLR2004  # below it the bounds would cross
        raise ValueError(f"{confidence} is no confidence")
    _check(values)
    if not all(0 <= value <= 1 for value in values):
        raise ValueError("a value is not within 0..1")
    return _t_bounds(values, 1 - confidence)


def cluster_bootstrap(
    values: Sequence[float], *, resamples: int = 2_000, seed: int = 0, confidence: float = 0.95
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over cases.

    Cases are drawn anew with replacement: Efron and Tibshirani 1993, An Introduction to the
    Bootstrap, chapter 13.

    Args:
        values: one for each case.
        resamples: random draws.
        seed: of the draws; the same seed gives the same interval.
        confidence: two-sided, within (0, 1).

    Returns:
        ``(low, high)`` in the unit of the values.

    Raises:
        ValueError: fewer than 10 cases, a value that is not finite, ``resamples < 1``, or
            ``confidence`` out of range.
    """
    if resamples < 1 or not 0 < confidence < 1:
        raise ValueError(f"{resamples} resamples, confidence {confidence}: one of them is impossible")
    _check(values)
    import numpy as np

    sample = np.array(values)
    chosen = np.random.default_rng(seed).integers(len(sample), size=(resamples, len(sample)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(sample[chosen].mean(axis=1), [tail, 1 - tail])
    return float(low), float(high)


def _t_bounds(values: Sequence[float], tail: float) -> tuple[float, float]:
    """Bounds of the mean of values within 0..1, each missed with chance ``tail``."""
    mean, cases = fmean(values), len(values)
    # Where cases hardly differ, t is far too sure: so many cases, all perfect, show no more than this.
    seldom = tail ** (1 / cases)
    if min(values) == max(values):
        # Student's t is 0/0 here. By Markov, P(value >= v) <= mean / v, and that happened each time.
        return mean * seldom, 1 - (1 - mean) * seldom
    half = student_quantile(1 - tail, cases - 1) * stdev(values) / sqrt(cases)
    return max(0.0, min(mean - half, seldom)), min(1.0, max(mean + half, 1 - seldom))


def _check(values: Sequence[float]) -> None:
    if len(values) < _FEWEST:
        raise ValueError(f"{len(values)} cases; it takes at least {_FEWEST}")
    if not all(map(isfinite, values)):
        raise ValueError("a value is not finite")
