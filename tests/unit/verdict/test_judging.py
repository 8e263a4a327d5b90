"""How far a judge can be trusted, and what its verdicts say: on counts that can be checked by hand."""

from dataclasses import replace

import pytest

from pytest_llmrel.core.calibration import Calibration, Retest
from pytest_llmrel.stats.calibration import rogan_gladen
from pytest_llmrel.stats.intervals import lower_bound, wilson
from pytest_llmrel.verdict.judging import corrected_rate, judge_changed, judge_quality, why_not_usable

RECORD = Calibration(
    model="small-1",
    prompt_version="2",
    prompt_hash="1a2b3c4d5e6f7081",
    threshold=1.0,
    recorded="2026-11-23T09:30:00Z",
    version="0.1.0",
    labels_hash="ab" * 32,
    tp=54,
    fn=6,
    tn=51,
    fp=9,
)


def test_the_quality_of_a_judge() -> None:
    """Each figure with its interval and the items that it rests on."""
    quality = judge_quality(replace(RECORD, retest=Retest(120, 12, 120, 12)))
    points = [quality.prevalence, quality.sensitivity, quality.specificity, quality.youden, quality.kappa]
    assert [one.point for one in points] == pytest.approx([0.5, 0.9, 0.85, 0.75, 0.75])
    assert [one.n for one in points] == [120, 60, 60, 120, 120]
    assert (quality.sensitivity.low, quality.sensitivity.high) == wilson(54, 60)
    assert (quality.specificity.low, quality.specificity.high) == wilson(51, 60)
    assert (quality.retest_noise.point, quality.within_variance.point) == (0.1, 0.05)
    assert quality.within_variance.low == wilson(12, 120)[0] / 2
    assert all(
        one.low < one.point < one.high for one in (*points, quality.retest_noise, quality.within_variance)
    )


def test_judged_more_than_twice() -> None:
    """Pairs of the same item are not independent: the variance has no interval then, the noise has."""
    quality = judge_quality(replace(RECORD, retest=Retest(100, 10, 300, 20)))
    assert quality.within_variance.point == pytest.approx(1 / 30)
    assert (quality.within_variance.low, quality.within_variance.n) == (None, 100)
    assert quality.retest_noise.low == wilson(10, 100)[0]


def test_judged_once() -> None:
    """Then noise is unknown, not 0."""
    quality = judge_quality(RECORD)
    assert (quality.retest_noise.point, quality.within_variance.point) == (None, None)
    assert quality.retest_noise.method == "no item was judged twice"


def test_one_kind_of_items() -> None:
    """What rests on the other kind is undefined, with the reason."""
    quality = judge_quality(replace(RECORD, tn=0, fp=0))
    assert quality.sensitivity.point == 0.9
    for one in (quality.specificity, quality.youden, quality.kappa):
        assert one.point is None
        assert "people" in one.method
    assert why_not_usable(replace(RECORD, tn=0, fp=0)) == (
        "only 0 judged items that people failed; it takes 50",
    )


def test_a_usable_judge() -> None:
    """Sixty items of either kind, .9 and .85."""
    assert why_not_usable(RECORD) == ()


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"tp": 49, "fn": 0}, ["only 49 judged items that people passed"]),
        ({"tp": 50, "fn": 0}, []),
        ({"tn": 49, "fp": 0}, ["only 49 judged items that people failed"]),
        ({"tp": 480, "fn": 120, "tn": 470, "fp": 130}, ["J = sensitivity + specificity - 1 is 0.583; it takes 0.6"]),
        ({"tp": 48, "fn": 12, "tn": 60, "fp": 0}, ["sensitivity may be as low as 0.6"]),
        ({"tp": 60, "fn": 0, "tn": 48, "fp": 12}, ["specificity may be as low as 0.6"]),
        ({"tp": 60, "fn": 0, "tn": 49, "fp": 11}, []),
        ({"tp": 60, "fn": 0, "tn": 44, "fp": 10}, []),
        ({"unscored": 13}, []),
        ({"unscored": 14}, ["14 of 134 items got no verdict; more than 10%"]),
        ({"tp": 5, "fn": 5, "tn": 5, "fp": 5, "unscored": 20}, ["only 10", "only 10", "J =", "sens", "spec", "20 of 40"]),
    ],
)  # fmt: skip
def test_why_a_judge_is_not_usable(changes: dict[str, int], reasons: list[str]) -> None:
    """Every reason is told, in order; at the bars themselves there is none."""
    told = why_not_usable(replace(RECORD, **changes))
    assert len(told) == len(reasons)
    assert all(part in said for part, said in zip(reasons, told, strict=True))


def test_the_bars_are_those_of_the_exact_bound() -> None:
    """48 of 60 may be below .7, 49 of 60 are above; so are 44 of 54, which the two-sided interval would refuse."""
    assert lower_bound(48, 60) < 0.7 < lower_bound(49, 60)
    assert wilson(44, 54)[0] < 0.7 < lower_bound(44, 54)


def test_the_corrected_rate() -> None:
    """What Rogan and Gladen say of the raw .75, as an estimate on as many runs."""
    found = corrected_rate(150, 200, RECORD)
    expected = rogan_gladen(0.75, 200, (54, 60), (51, 60))
    assert expected is not None
    assert found.point == pytest.approx(0.8)
    assert (found.low, found.high, found.n) == (expected.low, expected.high, 200)
    assert "Rogan-Gladen" in found.method


def test_the_corrected_rate_is_shown_within_0_and_1() -> None:
    """Noise may take it out; what is shown stays."""
    found = corrected_rate(190, 200, RECORD)
    assert (found.point, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 1.0
    assert corrected_rate(10, 100, RECORD).point == 0.0


def test_no_true_rate_fits() -> None:
    """A judge that passes far more than its sensitivity allows was calibrated on something else: no rate, never 1."""
    weak = replace(RECORD, tp=700, fn=300, tn=900, fp=100)
    assert "no true pass rate fits" in corrected_rate(200, 200, weak).method
    assert corrected_rate(200, 200, weak).point is None
    assert corrected_rate(0, 200, replace(RECORD, tp=900, fn=100, tn=700, fp=300)).point is None


@pytest.mark.parametrize(
    ("passes", "n", "changes", "said"),
    [
        (0, 0, {}, "no judged run"),
        (
            5,
            9,
            {"tp": 30, "fn": 30, "tn": 36, "fp": 24},
            "sensitivity 30/60 and specificity 36/60 less 1 is below 0.2",
        ),
        (5, 9, {"tn": 0, "fp": 0}, "items of one kind only"),
    ],
)
def test_no_corrected_rate(passes: int, n: int, changes: dict[str, int], said: str) -> None:
    """Undefined, with the reason."""
    found = corrected_rate(passes, n, replace(RECORD, **changes))
    assert (found.point, found.low, found.high, found.n) == (None, None, None, n)
    assert said in found.method


def test_cases_are_the_sample() -> None:
    """Twenty cases that pass always or never are worth twenty runs, not two hundred."""
    groups = [(10, 10)] * 15 + [(0, 10)] * 5
    clustered, independent = corrected_rate(150, 200, RECORD, groups), corrected_rate(150, 200, RECORD)
    assert clustered.point == pytest.approx(independent.point)
    assert clustered.high - clustered.low > 1.3 * (independent.high - independent.low)
    assert (clustered.n, "clustered by 20 cases" in clustered.method) == (200, True)


def test_cases_that_are_alike_are_no_surer_than_independent_runs() -> None:
    """Three of four, in each of fifty cases."""
    clustered, independent = corrected_rate(150, 200, RECORD, [(3, 4)] * 50), corrected_rate(150, 200, RECORD)
    assert (clustered.low, clustered.high) == pytest.approx((independent.low, independent.high))


def test_few_cases_are_less_sure_than_a_normal_distribution() -> None:
    """Of ten cases the noise of the runs is as much wider as Student's quantile of 9 degrees is above the normal one."""
    groups = [(x, 20) for x in (4, 6, 8, 10, 12, 14, 16, 18, 20, 12)]
    squares = sum((x / 20 - 0.6) ** 2 for x, _ in groups) / 9
    variance = squares / 10 * (2.262157 / 1.959964) ** 2
    expected = rogan_gladen(0.6, 10, (54, 60), (51, 60), variance=variance)
    found = corrected_rate(120, 200, RECORD, groups)
    assert expected is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_every_case_passes() -> None:
    """That is as much evidence as one run of each case."""
    good = replace(RECORD, tp=600, fn=0, tn=600, fp=0)
    clustered, few = corrected_rate(120, 120, good, [(10, 10)] * 12), corrected_rate(12, 12, good)
    assert (clustered.point, clustered.low) == (few.point, few.low)


def test_few_cases_have_no_interval() -> None:
    """As with every rate here; and the mean is over cases."""
    found = corrected_rate(60, 80, RECORD, [(10, 20), (50, 60)])
    assert found.point == pytest.approx(((0.5 + 5 / 6) / 2 - 0.15) / 0.75)
    assert (found.low, found.high) == (None, None)
    assert "an interval needs 10" in found.method


def test_one_case_is_no_cluster() -> None:
    """Its runs are the sample."""
    assert corrected_rate(15, 20, RECORD, [(15, 20)]) == corrected_rate(15, 20, RECORD)


@pytest.mark.parametrize(
    ("passes", "n", "groups"), [(2, 1, ()), (-1, 1, ()), (0, -1, ()), (3, 5, [(3, 4), (1, 1)])]
)
def test_impossible_counts(passes: int, n: int, groups: list[tuple[int, int]]) -> None:
    """Are refused, like cases that do not add up."""
    with pytest.raises(ValueError, match=r"impossible|add up"):
        corrected_rate(passes, n, RECORD, groups)


def test_the_same_judge() -> None:
    """No reason; the threshold is compared only where there is one."""
    assert judge_changed(RECORD, "small-1", RECORD.prompt_hash) == ""
    assert judge_changed(RECORD, "small-1", RECORD.prompt_hash, 1.0) == ""


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (("small-2", RECORD.prompt_hash), "model 'small-1' -> 'small-2'"),
        (("small-1", "f" * 16), "prompt 1a2b3c4d -> ffffffff"),
        (("small-1", RECORD.prompt_hash[:8] + "f" * 8), "prompt 1a2b3c4d -> 1a2b3c4d"),
        (("small-1", RECORD.prompt_hash, 0.5), "threshold 1 -> 0.5"),
        (
            ("small-2", "f" * 16, 0.5),
            "model 'small-1' -> 'small-2', prompt 1a2b3c4d -> ffffffff, threshold 1 -> 0.5",
        ),
    ],
)
def test_another_judge(now: tuple[str, ...], said: str) -> None:
    """All that has changed, and what to do; a prompt that begins alike is another one."""
    told = judge_changed(RECORD, *now)
    assert said in told
    assert "calibrate it anew" in told
