"""What is kept of a score: values in an order of their own, who gave them, why there are none, the ends of the range."""

from collections.abc import Iterable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.model import Attempt, Variant
from pytest_llmrel.core.score import JudgeId, Score
from pytest_llmrel.verdict.scorebook import ScoreBook

JUDGE, OTHER = JudgeId("m", "0badcafe"), JudgeId("a", "0badcafe")


def book(*runs: tuple[str, float | None], order: Iterable[int] | None = None) -> ScoreBook:
    """A book of runs given by case and value, recorded in this order."""
    made = ScoreBook()
    for number in range(len(runs)) if order is None else order:
        case, value = runs[number]
        score = Score("mark", value, "own", said=f"said {number}", text=f"text {number}")
        made.record(Attempt(case, Variant(), number, number), number, score)
    return made


def test_an_empty_book_knows_nothing() -> None:
    """No value, no end, no scorer; and no mean of a case that never was."""
    empty = ScoreBook()
    assert (empty.values, empty.case_means) == ([], [])
    assert empty.scoring == type(empty.scoring)()


def test_the_order_in_which_runs_end_changes_nothing() -> None:
    """Values, means, ends and counts are the same in all 120 orders of five runs of two cases."""
    runs = (("b", 0.5), ("a", 1.0), ("b", 0.25), ("a", 0.25), ("a", None))
    books = [book(*runs, order=order) for order in permutations(range(5))]
    first = books[0]
    assert first.values == [1.0, 0.25, 0.5, 0.25]
    assert first.case_means == [0.625, 0.375]
    for other in books:
        assert (other.values, other.case_means, other.scoring) == (
            first.values,
            first.case_means,
            first.scoring,
        )


def test_the_ends_are_those_of_the_first_run_that_has_them() -> None:
    """First by case, then by run; with what was said of it and the text."""
    scoring = book(("b", 0.5), ("a", 0.5), ("b", 1.0), ("a", 0.5)).scoring
    lowest, highest = scoring.lowest, scoring.highest
    assert lowest is not None
    assert highest is not None
    assert (lowest.value, lowest.case, lowest.run, lowest.said, lowest.text) == (
        0.5,
        "a",
        1,
        "said 1",
        "text 1",
    )
    assert (highest.value, highest.case, highest.run, highest.text) == (1.0, "b", 2, "text 2")


@given(st.lists(st.floats(), max_size=12))
def test_what_is_not_finite_is_no_end(values: list[float]) -> None:
    """Among values of any kind the ends are those of the finite ones; all values are kept."""
    made = book(*(("", value) for value in values))
    finite = [value for value in values if abs(value) < float("inf")]
    ends = made.scoring.lowest, made.scoring.highest
    assert [None if end is None else end.value for end in ends] == (
        [min(finite), max(finite)] if finite else [None, None]
    )
    assert len(made.values) == len(values)


def test_full_counts_whole_answers_of_each_case() -> None:
    """By cases in their order; what is not applicable is in no count, nor is a case that has nothing else."""
    runs = (("b", 1.0), ("b", 0.999), ("a", 1.0), ("a", None), ("c", None))
    assert book(*runs).scoring.full == ((1, 1), (1, 2))


def test_who_gave_a_score_is_known_even_without_a_value() -> None:
    """A judge that never said anything usable is a judge all the same; names are sorted, and each is there once."""
    made = ScoreBook()
    for number, (scorer, judge) in enumerate(
        [("judge", JUDGE), ("", None), ("b", None), ("judge", OTHER)] * 2
    ):
        made.record(Attempt("", Variant(), number, 0), number, Score("mark", None, scorer, judge, "n/a"))
    assert made.scoring.scorers == ("b", "judge")
    assert made.scoring.judges == (OTHER, JUDGE)
    assert made.scoring.not_applicable == {"n/a": 8}
    assert made.values == []


@pytest.mark.parametrize("reasons", [5, 20, 1000])
def test_reasons_are_bounded(reasons: int) -> None:
    """A scorer that never says the same twice fills no memory; no run is lost from the count."""
    made = ScoreBook()
    for number in range(2 * reasons):
        score = Score("mark", None, said=f"reason {number % reasons}")
        made.record(Attempt("", Variant(), number, 0), number, score)
    found = made.scoring.not_applicable
    assert sum(found.values()) == 2 * reasons
    assert len(found) == min(reasons, 21)
