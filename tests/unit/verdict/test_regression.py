"""The regression rule on counts: one test, all tests, and how well a test is guarded."""

from random import Random

import pytest
from scipy.stats import binom, fisher_exact, hypergeom

from pytest_llmrel.core.baseline import BaselineEntry, Batch, Cell, Standing
from pytest_llmrel.core.model import Status
from pytest_llmrel.stats.stratified import Stratum
from pytest_llmrel.verdict.regression import (
    Rule,
    compare,
    guard_of,
    judge_suite,
    strata_of,
    without_comparison,
)

ALPHA = 0.01


def _fisher(x0: int, n0: int, x1: int, n1: int) -> float:
    table = [[x1, n1 - x1], [x0, n0 - x0]]
    return float(fisher_exact(table, alternative="less").pvalue)


# --- the rule -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tests", [1, 2, 20, 500])
def test_alpha_is_shared_by_three_rules_and_all_tests(tests: int) -> None:
    """A third each; a single test gets its part of a third."""
    rule = Rule(ALPHA, tests)
    assert rule.share == pytest.approx(ALPHA / 3)
    assert rule.level == pytest.approx(ALPHA / 3 / tests)
    assert (rule.flag, rule.factor) == (0.10, 3)


def test_what_is_suspicious() -> None:
    """Above the level, since at it the test has failed; up to .10, that included."""
    rule = Rule(0.3, 10)
    assert [rule.is_suspicious(p) for p in (0.0, rule.level, 0.0101, 0.10, 0.1001, 1.0)] == [
        False, False, True, True, False, False,
    ]  # fmt: skip


# --- strata -------------------------------------------------------------------------------------------------


def test_only_what_both_have_is_compared() -> None:
    """Cases and wordings of one side alone, and those without a valid run, are left out."""
    before = [Cell("", "a", 9, 10), Cell("", "b", 5, 5), Cell("", "gone", 1, 2), Cell("", "none", 0, 0)]
    now = [Cell("", "b", 1, 3), Cell("", "a", 0, 4), Cell("", "new", 2, 2), Cell("", "none", 1, 1)]
    assert sorted(strata_of(before, now)) == [Stratum(5, 5, 1, 3), Stratum(9, 10, 0, 4)]
    assert strata_of(before, [Cell("", "a", 0, 0)]) == ()
    assert strata_of(before, [Cell("row", "a", 1, 1)]) == ()
    assert strata_of([], now) == strata_of(before, []) == ()


def test_batches_are_pooled_by_case_and_wording() -> None:
    """An entry is compared as a whole, whatever sessions it comes from."""
    batches = [
        Batch("0" * 16, "2026-01-01T00:00:00Z", "1", (Cell("", "a", 1, 2), Cell("", "b", 2, 2))),
        Batch("1" * 16, "2026-01-01T00:00:00Z", "1", (Cell("", "b", 0, 3),)),
    ]
    entry = BaselineEntry("0" * 16, {}, tuple(batches))
    assert (entry.passed, entry.n) == (3, 7)
    assert strata_of(entry.cells, [Cell("", "b", 1, 1)]) == (Stratum(2, 5, 1, 1),)


# --- one test -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x1", range(11))
def test_one_test_is_fishers_test(x1: int) -> None:
    """Its p-value is Fisher's, and FAIL is p <= alpha / 3."""
    found = compare((Stratum(48, 50, x1, 10),), None, Rule(ALPHA, 1))
    p = _fisher(48, 50, x1, 10)
    assert found.p == pytest.approx(p, rel=1e-9)
    assert found.finding.status is (Status.FAIL if p <= ALPHA / 3 else Status.PASS)
    assert found.finding.metric == "regression"
    assert f"{x1} of 10 runs passed, against 48 of 50 in the baseline" in found.finding.explanation


def test_further_runs_decide_alone() -> None:
    """Pooled counts make the verdict in both directions; the p-value that is kept is that of the first runs."""
    first, rule = (Stratum(50, 50, 8, 10),), Rule(ALPHA, 1)
    better = compare(first, (Stratum(50, 50, 38, 40),), rule)
    worse = compare(first, (Stratum(50, 50, 28, 40),), rule)
    assert better.p == worse.p == pytest.approx(_fisher(50, 50, 8, 10), rel=1e-9)
    assert (better.finding.status, worse.finding.status) == (Status.PASS, Status.FAIL)
    assert better.finding.explanation.startswith("suspicious at first, but not shown to be worse")
    assert worse.finding.explanation.startswith("worse than its baseline: 28 of 40 runs passed")


def test_the_level_is_the_last_that_fails() -> None:
    """A level a hair above the p-value fails, one a hair below does not."""
    p = compare((Stratum(50, 50, 6, 10),), None, Rule(ALPHA, 1)).p
    for factor, status in ((1 + 1e-12, Status.FAIL), (1 - 1e-12, Status.PASS)):
        rule = Rule(p * 3 * 7 * factor, 7)
        assert compare((Stratum(50, 50, 6, 10),), None, rule).finding.status is status


# --- guards -------------------------------------------------------------------------------------------------


def _turns_red(x0: int, n0: int, k: int, rate: float, rule: Rule, random: Random) -> bool:
    first = sum(random.random() < rate for _ in range(k))
    p = hypergeom.cdf(first, n0 + k, x0 + first, k)
    if p <= rule.level:
        return True
    if p > rule.flag:
        return False
    n = k * (1 + rule.factor)
    passed = first + sum(random.random() < rate for _ in range(n - k))
    return bool(hypergeom.cdf(passed, n0 + n, x0 + passed, n) <= rule.level)


@pytest.mark.parametrize(
    ("x0", "n0", "k", "tests"), [(50, 50, 10, 1), (45, 50, 10, 20), (10, 10, 10, 1), (98, 100, 5, 5)]
)
def test_the_detectable_drop_is_detected(x0: int, n0: int, k: int, tests: int) -> None:
    """Simulated from the definition of the rule, a drop of that size is red four times out of five."""
    rule, random = Rule(ALPHA, tests), Random(1)
    drop = guard_of([Stratum(x0, n0, 0, k)], rule).detectable_drop
    assert drop is not None
    seen = sum(_turns_red(x0, n0, k, x0 / n0 - drop, rule, random) for _ in range(1500)) / 1500
    assert seen == pytest.approx(0.8, abs=4 * (0.8 * 0.2 / 1500) ** 0.5)


@pytest.mark.parametrize(
    ("n0", "kind"), [(1, "blind"), (10, "weak"), (49, "weak"), (50, "guarded"), (200, "guarded")]
)
def test_kinds_of_guards(n0: int, kind: str) -> None:
    """Fifty baseline runs are a guard, fewer a weak one; one is none at all."""
    assert guard_of([Stratum(n0, n0, 10, 10)], Rule(ALPHA, 1)).kind == kind


@pytest.mark.parametrize(
    ("x0", "n0", "k", "tests"),
    [
        (1, 1, 10, 1),
        (1, 2, 3, 1),
        (3, 3, 1, 1),
        (5, 50, 10, 1),
        (0, 50, 10, 1),
        (50, 50, 1, 500),
        (4, 4, 3, 40),
    ],
)
def test_blind_is_what_no_result_can_turn_red(x0: int, n0: int, k: int, tests: int) -> None:
    """Found by trying every outcome of both stages."""
    rule = Rule(ALPHA, tests)
    n = k * (1 + rule.factor)

    def red(first: int) -> bool:
        p = _fisher(x0, n0, first, k)
        return p <= rule.level or (p <= rule.flag and _fisher(x0, n0, first, n) <= rule.level)

    found = guard_of([Stratum(x0, n0, 0, k)], rule)
    assert (found.kind == "blind") is not any(red(first) for first in range(k + 1))
    assert (found.detectable_drop is None) is (found.kind == "blind")


def test_a_better_baseline_sees_more() -> None:
    """More runs in the baseline, more runs now, fewer tests: each makes the visible drop smaller."""
    drops = [guard_of([Stratum(n0, n0, 0, 10)], Rule(ALPHA, 1)).detectable_drop for n0 in (10, 20, 50, 200)]
    assert drops == sorted(drops, reverse=True)
    drops = [guard_of([Stratum(50, 50, 0, k)], Rule(ALPHA, 1)).detectable_drop for k in (3, 5, 10, 20)]
    assert drops == sorted(drops, reverse=True)
    drops = [guard_of([Stratum(50, 50, 0, 10)], Rule(ALPHA, m)).detectable_drop for m in (1, 5, 50)]
    assert drops == sorted(drops)


# --- tests that are not compared ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["none", "off", "damaged", "not comparable", "comparable"])
def test_a_gate_is_enough(status: str) -> None:
    """A test with gates of its own needs no baseline."""
    assert without_comparison(Standing(status), 10, gated=True) == []


@pytest.mark.parametrize(
    ("standing", "valid", "status"),
    [
        (Standing("none"), 10, None),
        (Standing("off"), 10, None),
        (Standing("none", record="begin"), 10, Status.PASS),
        (Standing("comparable", record="replace"), 10, Status.PASS),
        (Standing("none", record="begin"), 0, Status.INCONCLUSIVE),
        (Standing("comparable", record="replace"), 0, Status.INCONCLUSIVE),
        (Standing("comparable"), 10, Status.INCONCLUSIVE),
        (Standing("comparable", record="append"), 0, Status.INCONCLUSIVE),
        (Standing("not comparable", note="model 'a' -> 'b'"), 10, Status.INCONCLUSIVE),
        (Standing("damaged", note="broken"), 0, Status.INCONCLUSIVE),
    ],
)
def test_without_gate_and_comparison(standing: Standing, valid: int, status: Status | None) -> None:
    """Never a pass, except where the runs are the beginning of a baseline or every run must pass."""
    found = without_comparison(standing, valid, gated=False)
    assert [finding.status for finding in found] == ([] if status is None else [status])
    if standing.status == "not comparable":
        assert "model 'a' -> 'b'" in found[0].explanation
        assert "reset" in found[0].explanation


# --- all tests ----------------------------------------------------------------------------------------------


def test_nothing_to_judge() -> None:
    """No test was compared: nothing is wrong, and nothing named."""
    found = judge_suite({}, ALPHA)
    assert (found.status, found.named, found.adjusted) == (Status.PASS, (), {})


@pytest.mark.parametrize("x1", range(11))
def test_a_suite_of_one_test(x1: int) -> None:
    """Drift and min-p are Fisher's test, and its name is named exactly where it fails."""
    found = judge_suite({"t": [Stratum(47, 50, x1, 10)]}, ALPHA)
    p = _fisher(47, 50, x1, 10)
    assert found.adjusted["t"] == pytest.approx(p, rel=1e-9)
    assert found.status is (Status.FAIL if p <= ALPHA / 3 else Status.PASS)
    assert found.named == (("t",) if p <= ALPHA / 3 else ())
    assert [finding.metric for finding in found.findings] == ["drift", "regression"]


def test_a_drift_names_suspects() -> None:
    """No test is worse on its own: up to five of those that look worst, or all that may well be."""
    found = judge_suite({f"t{n}": [Stratum(50, 50, 9, 10)] for n in range(20)}, ALPHA)
    assert [finding.status for finding in found.findings] == [Status.FAIL, Status.PASS]
    assert len(found.named) == 5
    mixed = {f"t{n}": [Stratum(50, 50, 10, 10)] for n in range(10)}
    mixed |= {f"bad{n}": [Stratum(50, 50, 8, 10)] for n in range(6)}
    found = judge_suite(mixed, ALPHA)
    assert found.findings[0].status is Status.FAIL
    assert sorted(found.named) == [f"bad{n}" for n in range(6)]


def test_one_of_many_is_found_where_the_mean_hides_it() -> None:
    """A collapse among a hundred tests fails by name, without a drift of the suite."""
    tests = {f"t{n}": [Stratum(48, 50, 10, 10)] for n in range(99)} | {"bad": [Stratum(48, 50, 3, 10)]}
    found = judge_suite(tests, ALPHA)
    assert found.named == ("bad",)
    assert [finding.status for finding in found.findings] == [Status.PASS, Status.FAIL]


def test_the_false_alarm_of_one_test() -> None:
    """Over all baselines and results that may be, red by first runs or escalation stays below two thirds of alpha."""
    rule, rate, n0, k, total = Rule(0.3, 1), 0.9, 20, 5, 0.0
    for x0 in range(n0 + 1):
        for x1 in range(k + 1):
            chance = binom.pmf(x0, n0, rate) * binom.pmf(x1, k, rate)
            p = compare((Stratum(x0, n0, x1, k),), None, rule).p
            if p <= rule.level:
                total += chance
            elif rule.is_suspicious(p):
                red = [
                    compare(
                        (Stratum(x0, n0, x1, k),), (Stratum(x0, n0, x1 + x2, 4 * k),), rule
                    ).finding.status
                    is Status.FAIL
                    for x2 in range(3 * k + 1)
                ]
                total += chance * sum(binom.pmf(x2, 3 * k, rate) for x2, is_red in enumerate(red) if is_red)
    assert 0 < total <= 2 * rule.share
