"""Delta debugging finds what matters, by few tests."""

from collections.abc import Callable

import pytest

from pytest_llmrel.perturb.shrink import Steps, shrunk

Part = tuple[int, ...]


def shrink(items: Part, breaks: Callable[[Part], bool]) -> tuple[Part, list[Part]]:
    """The result, and the parts that were tested."""
    tested = []

    def test(part: Part) -> Steps[Part, bool]:
        yield part
        return breaks(part)

    steps = shrunk(items, test)
    while True:
        try:
            tested.append(next(steps))
        except StopIteration as end:
            return end.value, tested


@pytest.mark.parametrize("culprit", range(16))
def test_one_culprit_is_found_by_halving(culprit: int) -> None:
    """Among sixteen, by at most eight tests."""
    found, tested = shrink(tuple(range(16)), lambda part: culprit in part)
    assert found == (culprit,)
    assert len(tested) <= 8


@pytest.mark.parametrize("needed", [{0, 15}, {3, 4, 11}, {0, 1}, {7, 8}, {2, 5, 8, 13}])
def test_several_that_are_needed_together_stay(needed: set[int]) -> None:
    """No more, no fewer."""
    found, tested = shrink(tuple(range(16)), needed.issubset)
    assert set(found) == needed
    assert () not in tested


def test_any_of_several_will_do() -> None:
    """If each one breaks by itself, one is left."""
    found, _ = shrink(tuple(range(9)), lambda part: bool({2, 6} & set(part)))
    assert found in {(2,), (6,)}


def test_everything_is_needed() -> None:
    """Then everything is left, and each one was left out once."""
    found, tested = shrink((1, 2, 3, 4), lambda part: len(part) == 4)
    assert found == (1, 2, 3, 4)
    assert {(2, 3, 4), (1, 3, 4), (1, 2, 4), (1, 2, 3)} <= set(tested)


def test_a_single_one_needs_no_test() -> None:
    """It is known to break."""
    assert shrink((5,), lambda _: False) == ((5,), [])
    assert shrink((), lambda _: False) == ((), [])
