"""Samples become counts, whichever ended first."""

from itertools import permutations

import pytest

from pytest_llmrel.core.baseline import Cell
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Variant
from pytest_llmrel.core.score import Score
from pytest_llmrel.verdict.counts import VALID, Counts

A, B = Variant("aaaaaaaa", "a"), Variant("bbbbbbbb", "b", primary=False)


def sample(
    outcome: Outcome, run: int = 0, variant: Variant = A, case: str = "", score: float = 0.0
) -> Sample:
    """A run that recorded a score."""
    return Sample(Attempt(case, variant, run, run), outcome, 0.5, (Score("mark", score),))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_valid_runs_count(outcome: Outcome) -> None:
    """Errors, skips and xfails leave cells, durations and scores alone, and are counted beside them."""
    counts = Counts([A, B])
    counts.record(sample(outcome))
    valid = outcome in VALID
    assert (counts.finished, counts.outcomes[outcome], counts.valid) == (1, 1, int(valid))
    assert counts.cells() == ((Cell("", A.key, int(outcome is Outcome.PASSED), 1),) if valid else ())
    assert (list(counts.durations), sorted(counts.scores)) == (([0.5], ["mark"]) if valid else ([], []))


def test_cells_come_in_the_order_of_the_wordings() -> None:
    """Whichever ran first: by case, then as the mark lists the wordings."""
    samples = [sample(Outcome.PASSED, 0, v, c) for c in ("x", "y") for v in (B, A)]
    seen = set()
    for order in permutations(samples):
        counts = Counts([B, A])
        for one in order:
            counts.record(one)
        seen.add(counts.cells())
    assert [(cell.case, cell.variant) for cell in seen.pop()] == [
        ("x", B.key), ("x", A.key), ("y", B.key), ("y", A.key),
    ]  # fmt: skip
    assert not seen


def test_scores_come_in_the_order_of_the_runs() -> None:
    """What bets on them depends on the order, which must not be that of the clock: run, then wording."""
    samples = [
        sample(Outcome.PASSED, run, v, score=run + n / 10) for run in (0, 1) for n, v in enumerate((A, B))
    ]
    for order in permutations(samples):
        counts = Counts([A, B])
        for one in order:
            counts.record(one)
        assert counts.scores["mark"].values == [0.0, 0.1, 1.0, 1.1]


def test_scores_of_several_cases_have_one_order_too() -> None:
    """Cases that end in another order give the same list of scores."""
    samples = [
        sample(Outcome.PASSED, 0, A, case, score) for case, score in (("x", 0.1), ("y", 0.2), ("z", 0.3))
    ]
    seen = set()
    for order in permutations(samples):
        counts = Counts([A])
        for one in order:
            counts.record(one)
        seen.add(tuple(counts.scores["mark"].values))
    assert len(seen) == 1


def test_no_runs() -> None:
    """Everything is empty, and an unknown score has no values."""
    counts = Counts([A])
    assert (counts.valid, counts.finished, counts.cells(), counts.by_case()) == (0, 0, (), {})
    assert counts.scores == {}


def test_the_order_holds_for_what_is_recorded_after_it_was_asked_for() -> None:
    """New cases and wordings find their place, and known ones their new runs."""
    counts = Counts([A, B])
    counts.record(sample(Outcome.PASSED, case="y"))
    assert list(counts.by_case()) == ["y"]
    counts.record(sample(Outcome.FAILED, run=1, case="y"))
    counts.record(sample(Outcome.PASSED, variant=B, case="x"))
    counts.record(sample(Outcome.PASSED, variant=A, case="x"))
    assert counts.cells() == (
        Cell("x", A.key, 1, 1),
        Cell("x", B.key, 1, 1),
        Cell("y", A.key, 1, 2),
    )
