"""How far a judge can be trusted, and what its verdicts say of the true pass rate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_llmrel.core.calibration import Calibration
from pytest_llmrel.core.model import Estimate
from pytest_llmrel.stats.agreement import (
    Agreement,
    cohen_kappa,
    kappa_interval,
    within_variance,
    youden,
    youden_interval,
)
from pytest_llmrel.stats.beta import student_quantile
from pytest_llmrel.stats.calibration import LEAST_YOUDEN, Corrected, rogan_gladen
from pytest_llmrel.stats.clusters import clustered_mean
from pytest_llmrel.stats.intervals import lower_bound, wilson

__all__ = [
    "JudgeQuality",
    "corrected_rate",
    "faithful_rate",
    "judge_changed",
    "judge_quality",
    "why_not_usable",
]

_LEAST_ITEMS = 50
"""Items of either kind below which the error of the calibration outweighs that of most tests."""
_LEAST_J = 0.6
_LEAST_BOUND = 0.7
_MOST_UNSCORED = 0.1
_NORMAL = 1.959963984540054


@dataclass(frozen=True, slots=True)
class JudgeQuality:
    """A judge against people; every estimate is undefined where its items are missing.

    Attributes:
        prevalence: share of the judged items that people passed.
        sensitivity: share of those that the judge passed, too; 1 of a perfect judge, like the next two.
        specificity: share of the others that the judge failed, too.
        youden: sensitivity and specificity less 1.
        kappa: Cohen's, agreement beyond chance, -1..1; to be read with the prevalence.
        retest_noise: share of the items judged more than once that got more than one verdict.
        within_variance: variance of the verdict between judgements of the same item, 0..0.5.
    """

    prevalence: Estimate
    sensitivity: Estimate
    specificity: Estimate
    youden: Estimate
    kappa: Estimate
    retest_noise: Estimate
    within_variance: Estimate


def judge_quality(record: Calibration) -> JudgeQuality:
    """All that a record tells of its judge."""
    return JudgeQuality(
        prevalence=_share(record.good, record.n, "no judged item"),
        sensitivity=_share(record.tp, record.good, "no judged item that people passed"),
        specificity=_share(record.tn, record.bad, "no judged item that people failed"),
        youden=_youden(record),
        kappa=_kappa(record),
        retest_noise=_retest_noise(record),
        within_variance=_within_variance(record),
    )


def why_not_usable(record: Calibration) -> tuple[str, ...]:
    """Why the judge must not decide alone, one sentence each; empty if it may.

    It takes 50 judged items of either kind, sensitivity and specificity that add up to 1.6 or more, each of
    them at least 0.7 by its lower 95 % bound (one-sided, Clopper and Pearson), and a verdict on nine items
    in ten.
    """
    table = _table(record)
    reasons = [
        f"only {items} judged items that people {did}; it takes {_LEAST_ITEMS}"
        for items, did in ((record.good, "passed"), (record.bad, "failed"))
        if items < _LEAST_ITEMS
    ]
    power = youden(table)
    if power is not None and power < _LEAST_J:
        reasons.append(f"J = sensitivity + specificity - 1 is {power:.3f}; it takes {_LEAST_J:g}")
    for name, hits, items in (
        ("sensitivity", record.tp, record.good),
        ("specificity", record.tn, record.bad),
    ):
        bound = lower_bound(hits, items) if items else 0.0
        if items and bound < _LEAST_BOUND:
            reasons.append(f"the {name} may be as low as {bound:.3f} (95 %); it takes {_LEAST_BOUND:g}")
    total = record.n + record.unscored
    if record.unscored > _MOST_UNSCORED * total:
        reasons.append(f"{record.unscored} of {total} items got no verdict; more than {_MOST_UNSCORED:.0%}")
    return tuple(reasons)


def corrected_rate(
    passes: int, n: int, record: Calibration, groups: Sequence[tuple[int, int]] = ()
) -> Estimate:
    """The true pass rate behind the judged one, by Rogan and Gladen, within 0..1.

    Its interval holds the noise of the runs and that of the calibration. Of several cases it is the mean over
    them, and there is no interval with fewer than ten.

    Args:
        passes: runs that the judge passed.
        n: runs that it judged.
        record: of the judge.
        groups: the same, ``(passes, n)`` of each case, where there are several.

    Returns:
        An estimate, undefined without runs, with a judge too weak to be corrected for, and where no true
        rate fits what it said: the record tells nothing of these runs then.

    Raises:
        ValueError: impossible counts, or groups that do not add up to them.
    """
    if n < 0 or not 0 <= passes <= max(n, 0):
        raise ValueError(f"{passes} passes of {n} runs is impossible")
    if groups and (sum(x for x, _ in groups), sum(size for _, size in groups)) != (passes, n):
        raise ValueError(f"the cases do not add up to {passes} passes of {n} runs")
    if not n:
        return Estimate.undefined("no judged run")
    if not (record.good and record.bad):
        return Estimate.undefined("the judge was calibrated by items of one kind only", n)
    method = "Rogan-Gladen 95 %, runs and calibration"
    if len(groups) > 1:
        return _corrected_over_cases(groups, record, method)
    return _estimate(_rogan_gladen(passes / n, n, record), record, n, method)


def faithful_rate(groups: Sequence[tuple[int, int]], record: Calibration | None) -> Estimate:
    """The share of the answers that are supported as a whole, corrected where there is a record.

    Args:
        groups: ``(supported, scored)`` of each case, one group without a dataset.
        record: of the judge; ``None`` for other scorers, and for judges that were not calibrated.
    """
    passes, n = (sum(numbers) for numbers in zip(*groups, strict=True)) if groups else (0, 0)
    if record is not None:
        found = corrected_rate(passes, n, record, groups if len(groups) > 1 else ())
        return replace(found, method=f"{found.method}; {passes} of {n} as judged") if n else found
    if not n:
        return Estimate.undefined("no run was scored")
    if len(groups) == 1:
        return _share(passes, n, "")
    over = clustered_mean([group for group in groups if group[1]])
    said = "t 95 %, clustered by case" if over.low is not None else "an interval needs 10"
    return Estimate(over.mean, over.low, over.high, n, f"mean of {over.cases} cases; {said}")


def judge_changed(record: Calibration, model: str, prompt_hash: str, threshold: float | None = None) -> str:
    """Why a record tells nothing of a judge: what has changed; ``""`` if nothing has.

    Args:
        record: of the judge as it was calibrated.
        model: that judges now.
        prompt_hash: of the prompt that it is asked with now.
        threshold: lowest score that passes now; not compared if not given.
    """
    changes = []
    if record.model != model:
        changes.append(f"model {record.model!r} -> {model!r}")
    if record.prompt_hash != prompt_hash:
        changes.append(f"prompt {record.prompt_hash[:8]} -> {prompt_hash[:8]}")
    if threshold is not None and record.threshold != threshold:
        changes.append(f"threshold {record.threshold:g} -> {threshold:g}")
    if not changes:
        return ""
    return f"the judge is another one than was calibrated: {', '.join(changes)}; calibrate it anew"


def _table(record: Calibration) -> Agreement:
    return Agreement(record.tp, record.fn, record.tn, record.fp)


def _share(part: int, n: int, absent: str) -> Estimate:
    if not n:
        return Estimate.undefined(absent)
    return Estimate(part / n, *wilson(part, n), n, "Wilson 95 %")


_ONE_KIND = "people passed all judged items, or none"


def _youden(record: Calibration) -> Estimate:
    table = _table(record)
    point, ends = youden(table), youden_interval(table)
    if point is None or ends is None:
        return Estimate.undefined(_ONE_KIND, record.n)
    return Estimate(point, *ends, record.n, "Newcombe 95 %")


def _kappa(record: Calibration) -> Estimate:
    table = _table(record)
    point, ends = cohen_kappa(table), kappa_interval(table)
    if point is None or ends is None:
        return Estimate.undefined(_ONE_KIND, record.n)
    return Estimate(point, *ends, record.n, "Bayesian bootstrap 95 %")


def _retest_noise(record: Calibration) -> Estimate:
    if record.retest is None:
        return Estimate.undefined("no item was judged twice")
    return _share(record.retest.differing, record.retest.items, "no item was judged twice")


def _within_variance(record: Calibration) -> Estimate:
    again = record.retest
    point = None if again is None else within_variance(again.pairs, again.differing_pairs)
    if again is None or point is None:
        return Estimate.undefined("no item was judged twice")
    if again.pairs > again.items:
        return Estimate(point, None, None, again.items, "half the share of pairs that differ; no interval")
    # One pair an item: they are independent, and half a share has half its interval.
    low, high = wilson(again.differing_pairs, again.pairs)
    return Estimate(point, low / 2, high / 2, again.items, "half the share of pairs that differ; Wilson 95 %")


def _rogan_gladen(
    rate: float, n: int, record: Calibration, variance: float | None = None
) -> Corrected | None:
    return rogan_gladen(rate, n, (record.tp, record.good), (record.tn, record.bad), variance=variance)


def _corrected_over_cases(groups: Sequence[tuple[int, int]], record: Calibration, method: str) -> Estimate:
    over = clustered_mean(groups)
    if over.se is None or over.low is None:
        found = _estimate(_rogan_gladen(over.mean, over.cases, record), record, over.runs, method)
        if found.point is None:
            return found
        said = f"Rogan-Gladen, mean of {over.cases} cases; an interval needs 10"
        return Estimate(found.point, None, None, over.runs, said)
    # The interval is a normal one; of few cases it is to be as wide as Student's. And cases that happen to be
    # alike are no surer than independent runs.
    wider = (student_quantile(0.975, over.cases - 1) / _NORMAL) ** 2
    variance = max(over.se**2 * wider, over.mean * (1 - over.mean) / over.runs)
    corrected = _rogan_gladen(over.mean, over.cases, record, variance)
    return _estimate(corrected, record, over.runs, f"{method}; clustered by {over.cases} cases")


def _estimate(found: Corrected | None, record: Calibration, n: int, method: str) -> Estimate:
    if found is None:
        return Estimate.undefined(
            f"the judge is too weak to be corrected for: sensitivity {record.tp}/{record.good} and "
            f"specificity {record.tn}/{record.bad} less 1 is below {LEAST_YOUDEN:g}",
            n,
        )
    if found.low > 1 or found.high < 0:
        return Estimate.undefined(
            "no true pass rate fits what the judge said; it does not judge here as it did when calibrated", n
        )
    point, low, high = (min(1.0, max(0.0, value)) for value in (found.point, found.low, found.high))
    return Estimate(point, low, high, n, method)
