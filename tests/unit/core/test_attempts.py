"""The runs of a test, made when they are asked for."""

import pytest

from pytest_llmrel.core.attempts import Attempts
from pytest_llmrel.core.model import Attempt, Variant
from pytest_llmrel.core.seed import run_seed

_A, _B = Variant("aa", "one"), Variant("bb", "another", primary=False)


def made(runs: range = range(3)) -> Attempts:
    """Of two cases, one of them in two wordings."""
    return Attempts("t.py::test_it", [("x", _A), ("x", _B), ("y", _A)], runs)


def test_they_come_run_by_run_over_all_tasks() -> None:
    """So that an early look sees all cases and wordings; each with the seed of its address."""
    found = [(attempt.run, attempt.case, attempt.variant) for attempt in made()]
    assert found == [(run, *task) for run in range(3) for task in (("x", _A), ("x", _B), ("y", _A))]
    assert [attempt.seed for attempt in made()] == [
        run_seed("t.py::test_it", case, variant.key, run) for run, case, variant in found
    ]


def test_they_are_a_sequence() -> None:
    """Length, places from both ends, slices, membership and places agree with a list of them."""
    todo = made(range(5, 9))
    listed = list(todo)
    assert len(todo) == len(listed) == 12
    assert [todo[place] for place in range(-12, 12)] == [*listed, *listed]
    assert todo[3:11:2] == listed[3:11:2]
    assert [todo.index(attempt) for attempt in listed] == list(range(12))
    assert listed[4] in todo
    assert todo.index(listed[4], 4, 5) == 4


@pytest.mark.parametrize("place", [12, -13])
def test_there_is_none_beyond_the_last(place: int) -> None:
    """As with any sequence."""
    with pytest.raises(IndexError):
        made(range(4))[place]


def test_another_attempt_has_no_place() -> None:
    """Whatever makes it another: case, wording, number or seed; and none outside of the part that is searched."""
    todo = made()
    known = todo[4]
    others = [
        Attempt("z", known.variant, known.run, known.seed),
        Attempt("y", _B, known.run, known.seed),
        Attempt(known.case, known.variant, 3, known.seed),
        Attempt(known.case, known.variant, known.run, known.seed + 1),
    ]
    for other in others:
        assert other not in todo
    with pytest.raises(ValueError, match="none of these"):
        todo.index(known, 5)


def test_a_million_of_them_take_no_memory() -> None:
    """A task costs something, a run nothing; the last one is found at once."""
    todo = Attempts("t.py::test_it", [("", Variant())], range(10**12))
    assert todo.index(todo[-1]) == len(todo) - 1
