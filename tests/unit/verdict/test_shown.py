"""Every metric meets the test that belongs to it; what cannot be tested shows nothing."""

from collections.abc import Callable
from math import inf, nan

import pytest
from scipy.stats import beta

from pytest_llmrel.core.gate import GateMode, parse_gate
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Status, Variant
from pytest_llmrel.core.score import Score
from pytest_llmrel.core.shown import Shown
from pytest_llmrel.verdict.counts import Counts
from pytest_llmrel.verdict.evidence import status_of
from pytest_llmrel.verdict.shown import as_rate, shown_about

P, I, F = Status.PASS, Status.INCONCLUSIVE, Status.FAIL  # noqa: E741
LETTERS = {outcome.value[0]: outcome for outcome in Outcome}


def counted(*words: str, scores: list[float] | None = None, times: Callable[[int], float] = float) -> Counts:
    """Runs as letters, one word for each wording; run i takes ``times(i)`` seconds."""
    several = [Variant(f"{number:08x}", str(number)) for number in range(len(words))]
    variants = several if len(words) > 1 else [Variant()]
    counts = Counts(variants)
    for variant, word in zip(variants, words, strict=True):
        for run, letter in enumerate(word):
            recorded = (Score("mark", scores[run]),) if scores else ()
            counts.record(Sample(Attempt("", variant, run, run), LETTERS[letter], times(run), recorded))
    return counts


def cases(number: int, outcome: Outcome) -> Counts:
    """Forty runs of each of so many cases, all alike."""
    counts = Counts([Variant()])
    for case in range(number):
        for run in range(40):
            counts.record(Sample(Attempt(f"case {case}", Variant(), run, run), outcome))
    return counts


def about(gate: str, counts: Counts) -> Shown:
    """What is shown about a gate as written."""
    return shown_about(parse_gate(gate, str.isidentifier), counts)


def statuses(gate: str, counts: Counts) -> tuple[Status, Status]:
    """Under evidence and under proof."""
    shown = about(gate, counts)
    return status_of(GateMode.EVIDENCE, shown), status_of(GateMode.PROOF, shown)


@pytest.mark.parametrize(
    ("gate", "letters", "expected"),
    [
        ("pass_rate >= 0.9", "p" * 29, (P, P)),
        ("pass_rate >= 0.9", "p" * 28, (P, I)),
        ("pass_rate >= 0.9", "p" * 28 + "a", (P, I)),
        ("pass_rate >= 0.9", "ff", (F, F)),
        ("pass_rate <= 0.9", "p" * 10, (I, I)),
        ("pass_rate <= 0.5", "p" * 5, (F, F)),
        ("wrong_rate <= 0.1", "p" * 28 + "a", (P, P)),
        ("wrong_rate <= 0.1", "ff", (F, F)),
        ("wrong_rate <= 0.1", "f", (I, I)),
        ("abstention_rate <= 0.1", "f" * 29, (P, P)),
        ("abstention_rate <= 0.1", "aa", (F, F)),
        ("error_rate <= 0.1", "p" * 29, (P, P)),
        ("error_rate <= 0.1", "p" * 28, (P, I)),
        ("error_rate <= 0.1", "p" * 27 + "ss", (P, I)),
        ("error_rate <= 0.1", "eep", (F, F)),
        ("pass^2 >= 0.81", "p" * 29, (P, P)),
        ("pass^2 >= 0.81", "p" * 28, (P, I)),
        ("pass^2 >= 0.81", "ff", (F, F)),
        ("pass@2 >= 0.99", "p" * 29, (P, P)),
        ("pass@2 >= 0.99", "p" * 28, (P, I)),
        ("pass@2 <= 0.19", "f" * 29, (P, P)),
        ("pass^3 >= 0.5", "pp", (I, I)),
        ("pass^3 >= 0.5", "eee", (I, I)),
    ],
)
def test_rates_and_what_follows_from_them(gate: str, letters: str, expected: tuple[Status, Status]) -> None:
    """Evidence fails where the bar is shown to be missed, proof passes where it is shown to be met."""
    assert statuses(gate, counted(letters)) == expected


@pytest.mark.parametrize("metric", ["pass_rate", "wrong_rate", "abstention_rate", "error_rate", "pass^1",
                                    "latency_p50", "latency_p95", "mark", "worst_variant", "sensitivity"])  # fmt: skip
@pytest.mark.parametrize("letters", ["", "sss", "xxx", "ee"])
@pytest.mark.parametrize("sign", [">=", "<="])
def test_without_a_valid_run_nothing_is_shown(metric: str, letters: str, sign: str) -> None:
    """No pass in any mode, whatever the metric; only errors tell something, about errors."""
    if (metric, letters) == ("error_rate", "ee"):
        return
    assert statuses(f"{metric} {sign} 0.5", counted(letters)) == (I, I)


@pytest.mark.parametrize("k", [2, 5, 10])
@pytest.mark.parametrize("sign", ["^", "@"])
def test_a_bar_of_pass_k_becomes_a_bar_of_the_pass_rate(k: int, sign: str) -> None:
    """pass^K >= t means p >= t^(1/K), pass@K >= t means p >= 1 - (1 - t)^(1/K)."""
    rate = as_rate(parse_gate(f"pass{sign}{k} >= 0.6", bool)).bar
    assert (rate**k if sign == "^" else 1 - (1 - rate) ** k) == pytest.approx(0.6)
    counts = counted("p" * 18 + "ff")
    lower = beta.ppf(0.05, 18, 3)
    bar = lower**k if sign == "^" else 1 - (1 - lower) ** k
    assert about(f"pass{sign}{k} >= {bar - 1e-6}", counts).met
    assert not about(f"pass{sign}{k} >= {bar + 1e-6}", counts).met


@pytest.mark.parametrize("wordings", [2, 9, 20])
def test_pass_k_over_wordings_is_not_tested(wordings: int) -> None:
    """Wordings of one case are no sample of cases: nothing is shown, and nothing passes, however good they are."""
    assert statuses("pass^5 >= 0.1", counted(*["p" * 20] * wordings)) == (I, I)
    assert statuses("pass^5 >= 0.9", counted(*["f" * 20] * wordings)) == (I, I)


def test_pass_k_over_ten_cases() -> None:
    """From ten cases on their mean is tested; ten perfect ones prove no more than their number can."""
    assert statuses("pass^5 >= 0.7", cases(10, Outcome.PASSED)) == (P, P)
    assert statuses("pass^5 >= 0.99", cases(10, Outcome.PASSED)) == (P, I)
    assert statuses("pass^5 >= 0.3", cases(10, Outcome.FAILED)) == (F, F)
    assert statuses("pass^5 >= 0.1", cases(9, Outcome.PASSED)) == (I, I)


def test_one_wording_short_of_runs_spoils_pass_k() -> None:
    """Each task needs k valid runs."""
    assert statuses("pass^5 >= 0.1", counted(*["p" * 5] * 9, "ppppe")) == (I, I)


@pytest.mark.parametrize(("gate", "n", "expected"), [
    ("latency_p50 <= 2", 5, (P, P)), ("latency_p50 <= 2", 4, (I, I)), ("latency_p95 <= 2", 59, (P, P)),
    ("latency_p95 <= 2", 58, (P, I)), ("latency_p95 <= 0.5", 1, (F, F)), ("latency_p50 <= 0.5", 5, (F, F)),
    ("latency_p50 >= 0.5", 5, (P, P)), ("latency_p95 >= 2", 59, (F, F)), ("latency_p95 >= 2", 58, (I, I)),
    ("latency_p95 >= 0.5", 2, (I, P)),
])  # fmt: skip
def test_a_quantile_of_the_time_is_a_share(gate: str, n: int, expected: tuple[Status, Status]) -> None:
    """Of runs of one second 59 within the limit prove a p95, five a median, and one beyond it misses a p95."""
    assert statuses(gate, counted("p" * n, times=lambda _: 1.0)) == expected


@pytest.mark.parametrize("bad", [nan, inf, -inf, -0.1, 1.1])
@pytest.mark.parametrize("gate", ["mark >= 0.1", "mark <= 0.9"])
def test_scores_that_cannot_be_tested(gate: str, bad: float) -> None:
    """One value that is not finite, or outside 0..1, and nothing is shown; never a pass."""
    assert statuses(gate, counted("p" * 60, scores=[0.5] * 59 + [bad])) == (I, I)


def test_scores_within_the_scale() -> None:
    """Grades show a mean; failing runs count, and too few grades show nothing."""
    assert statuses("mark >= 0.5", counted("f" * 30, scores=[0.95] * 30)) == (P, P)
    assert statuses("mark >= 0.5", counted("p" * 30, scores=[0.05] * 30)) == (F, F)
    assert statuses("mark <= 0.5", counted("p" * 30, scores=[0.05] * 30)) == (P, P)
    assert statuses("mark >= 0.5", counted("p" * 30, scores=[0.5] * 30)) == (P, I)
    assert statuses("mark >= 0.5", counted("p" * 2, scores=[1.0] * 2)) == (I, I)
    assert statuses("mark >= 0.5", counted("p" * 30)) == (I, I)


def test_the_worst_wording() -> None:
    """Missed by one, with a correction for their number; met by all; an upper bar cannot be tested."""
    assert statuses("worst_variant >= 0.5", counted("pppppp", "ffffff")) == (F, F)
    assert statuses("worst_variant >= 0.5", counted("ppppp", "fffff")) == (I, I)
    assert statuses("worst_variant >= 0.5", counted("pppppp", "pppppp")) == (P, P)
    assert statuses("worst_variant >= 0.9", counted("pppppp", "pppppp")) == (P, I)
    assert statuses("worst_variant <= 0.9", counted("ffffff", "ffffff")) == (I, I)


def test_rates_of_several_cases_are_tested_over_cases() -> None:
    """Runs of one case are alike: 200 passes of 5 cases show nothing, ten cases no more than ten cases can."""
    assert statuses("pass_rate >= 0.5", cases(5, Outcome.PASSED)) == (I, I)
    assert statuses("pass_rate >= 0.5", cases(10, Outcome.PASSED)) == (P, P)
    assert statuses("pass_rate >= 0.9", cases(10, Outcome.PASSED)) == (P, I)
    assert statuses("pass_rate >= 0.5", cases(10, Outcome.FAILED)) == (F, F)
    assert statuses("worst_variant >= 0.5", cases(10, Outcome.PASSED)) == (I, I)
