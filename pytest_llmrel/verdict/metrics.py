"""The metrics of one test as estimates, from the counts of its runs."""

from collections.abc import Sequence
from dataclasses import replace
from math import fsum, isfinite, sqrt
from statistics import fmean

from pytest_llmrel.core.baseline import ScoreSummary
from pytest_llmrel.core.fault import Recovery
from pytest_llmrel.core.model import Decision, Estimate, Outcome
from pytest_llmrel.core.shown import Clustering
from pytest_llmrel.stats.clusters import clustered_mean, one_sided_t_bounds
from pytest_llmrel.stats.intervals import wilson
from pytest_llmrel.stats.passk import pass_at_k, pass_hat_k
from pytest_llmrel.stats.quantiles import nearest_rank
from pytest_llmrel.verdict.counts import Counts
from pytest_llmrel.verdict.scorebook import ScoreBook

__all__ = [
    "case_groups",
    "clustering",
    "error_rate",
    "latency",
    "mean",
    "pass_over_k",
    "pass_over_k_by_case",
    "rate",
    "recovery_rate",
    "score_mean",
    "score_summary",
    "stopped_rate",
]

_EVENTS = {"pass_rate": "passed", "wrong_rate": "failed", "abstention_rate": "abstained"}


def case_groups(counts: Counts, metric: str) -> list[tuple[int, int]]:
    """``(events, valid runs)`` of each case, its wordings together."""
    event = _EVENTS[metric]
    return [
        (sum(getattr(cell, event) for cell in cells.values()), sum(cell.n for cell in cells.values()))
        for cells in counts.by_case().values()
    ]


def rate(counts: Counts, metric: str) -> Estimate:
    """A rate of the valid runs: of all of them, or with several cases the mean over cases.

    Runs of one case are not independent; the interval is one over cases then, and there is none with fewer
    than ten of them.
    """
    groups = case_groups(counts, metric)
    if not groups:
        return Estimate.undefined("no valid run")
    events, n = (sum(numbers) for numbers in zip(*groups, strict=True))
    if len(groups) == 1:
        return Estimate(events / n, *wilson(events, n), n, "Wilson 95 %")
    over = clustered_mean(groups)
    if over.low is None:
        return Estimate(over.mean, None, None, n, f"mean of {over.cases} cases; an interval needs 10")
    said = f"mean of {over.cases} cases; t 95 %, clustered by case"
    return Estimate(over.mean, over.low, over.high, n, said)


def error_rate(counts: Counts) -> Estimate:
    """Errors among the runs that are valid or errors; those that were injected are no fault of anybody's."""
    errors = counts.outcomes[Outcome.ERROR] - counts.injected_errors
    finished = counts.valid + errors
    if not finished:
        return Estimate.undefined("no finished run")
    return Estimate(errors / finished, *wilson(errors, finished), finished, "Wilson 95 %")


def recovery_rate(counts: Counts, recovery: Recovery) -> Estimate:
    """The share of the runs that met an injected fault and ended so."""
    met = counts.recoveries.total()
    if not met:
        return Estimate.undefined("no run met an injected fault")
    count = counts.recoveries[recovery]
    return Estimate(count / met, *wilson(count, met), met, "Wilson 95 %")


def stopped_rate(decision: Decision | None) -> Estimate:
    """A rate after an early stop: unbiased where the gate on it made the stop, undefined otherwise."""
    if decision is None or decision.rate is None:
        return Estimate.undefined("stopped early, and a share of the runs would be biased")
    said = "unbiased after an early stop (Girshick, Mosteller and Savage 1946)"
    return Estimate(decision.rate, None, None, decision.n, said)


def latency(durations: Sequence[float], share: float) -> Estimate:
    """The time that a share of the valid runs did not exceed."""
    if not durations:
        return Estimate.undefined("no valid run")
    return Estimate(nearest_rank(durations, share), None, None, len(durations), "nearest rank, seconds")


def mean(values: Sequence[float]) -> Estimate:
    """The mean of a recorded score."""
    bad = sum(not isfinite(value) for value in values)
    if bad:
        return Estimate.undefined(f"{bad} of {len(values)} recorded values are not finite", len(values))
    try:
        return Estimate(fsum(values) / len(values), None, None, len(values), "mean")
    except OverflowError:
        return Estimate.undefined("the recorded values are too large to be added up", len(values))


def score_mean(book: ScoreBook, values: Sequence[float]) -> Estimate:
    """The mean of a recorded score where it was applicable, by whom, and where it was not."""
    scoring = book.scoring
    missing = sum(scoring.not_applicable.values())
    told = "".join(f"; {reason}" for reason in list(scoring.not_applicable)[:1])
    if not values:
        return Estimate.undefined(f"not applicable in any run{told}", missing)
    found = mean(values)
    said = [found.method, *(["by " + ", ".join(scoring.scorers)] if scoring.scorers else [])]
    if missing:
        said.append(f"not applicable in {missing} of {missing + len(values)} runs{told}")
    return replace(found, method="; ".join(said))


def score_summary(values: Sequence[float]) -> ScoreSummary | None:
    """What a baseline keeps of a score; ``None`` where its mean is undefined."""
    average = mean(values).point
    if average is None:
        return None
    n = len(values)
    try:
        spread = sqrt(fsum((value - average) ** 2 for value in values) / (n - 1)) if n > 1 else None
    except OverflowError:
        spread = None
    return ScoreSummary(n, average, spread)


def pass_over_k(counts: Counts, k: int, *, every: bool, tasks: int) -> Estimate:
    """pass^k (``every``) or pass@k: the unweighted mean over tasks, each of them one wording of one case.

    With several cases it is the mean over cases, and its interval is one over cases, from ten of them on.

    Args:
        counts: of the test.
        k: runs in the question.
        every: whether all of them have to pass, or at least one.
        tasks: how many were planned; undefined unless each has k valid runs.
    """
    cells = counts.cells()
    n, fewest = counts.valid, min((cell.n for cell in cells), default=0)
    if len(cells) < tasks or fewest < k:
        fewest = 0 if len(cells) < tasks else fewest
        return Estimate.undefined(f"needs at least {k} valid runs per wording, there are {fewest}", n)
    over_cases = pass_over_k_by_case(counts, k, every=every)
    point = fmean(over_cases)
    if len(over_cases) > 1:
        return _mean_of_cases(over_cases, n)
    if len(cells) > 1:
        return Estimate(point, None, None, n, f"mean of {len(cells)} wordings; no interval")
    low, high = wilson(cells[0].passed, n)
    low, high = (low**k, high**k) if every else (1 - (1 - low) ** k, 1 - (1 - high) ** k)
    return Estimate(point, low, high, n, "unbiased; Wilson 95 % of the pass rate, transformed")


def _mean_of_cases(values: Sequence[float], n: int) -> Estimate:
    try:
        low, high = one_sided_t_bounds(values, 0.975)
    except ValueError:
        return Estimate(fmean(values), None, None, n, f"mean of {len(values)} cases; an interval needs 10")
    said = f"mean of {len(values)} cases; t 95 %, clustered by case"
    return Estimate(fmean(values), low, high, n, said)


def pass_over_k_by_case(counts: Counts, k: int, *, every: bool) -> list[float]:
    """The same for each case, the mean over its wordings; each must have k valid runs."""
    estimator = pass_hat_k if every else pass_at_k
    return [
        fmean(estimator(cell.n, cell.passed, k) for cell in cells.values())
        for cells in counts.by_case().values()
    ]


def clustering(counts: Counts) -> Clustering | None:
    """How alike the runs of one case are; ``None`` with a single case, or runs that do not vary."""
    groups = case_groups(counts, "pass_rate")
    if len(groups) <= 1:
        return None
    over = clustered_mean(groups)
    if over.icc is None or over.design_effect is None:
        return None
    # The variance of the mean over T cases of r runs is (icc + (1 - icc) / r) / T in units of one run's.
    runs = over.runs / over.cases
    advice = "more cases" if over.icc > (1 - over.icc) / runs else "more runs"
    return Clustering(over.cases, over.icc, over.design_effect, advice)
