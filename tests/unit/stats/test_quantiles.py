"""Nearest-rank quantiles against their definition and against figures done by hand."""

from fractions import Fraction
from itertools import permutations

import pytest

from pytest_llmrel.stats.quantiles import nearest_rank

AGES = [15.0, 20.0, 35.0, 40.0, 50.0]


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.05, 15), (0.2, 15), (0.21, 20), (0.3, 20), (0.4, 20), (0.5, 35), (0.95, 50), (1, 50)],
)
def test_the_textbook_example(share: float, value: float) -> None:
    """Five ordered values, quantiles as every textbook gives them."""
    assert nearest_rank(AGES, share) == value


def test_the_order_does_not_matter() -> None:
    """Values come as runs end; and they are left as they came."""
    for order in permutations(AGES):
        values = list(order)
        assert nearest_rank(values, 0.5) == 35
        assert values == list(order)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 19, 20, 21, 40, 100, 999])
@pytest.mark.parametrize("share", ["0.5", "0.95", "0.01", "1"])
def test_the_definition(n: int, share: str) -> None:
    """The smallest value that at least that share does not exceed, counted in exact arithmetic."""
    values = [float(number) for number in range(1, n + 1)]
    expected = next(x for x in values if Fraction(sum(v <= x for v in values), n) >= Fraction(share))
    assert nearest_rank(values, float(share)) == expected


def test_one_value_is_every_quantile() -> None:
    """There is nothing else to choose."""
    assert {nearest_rank([3.5], share) for share in (0.001, 0.5, 0.95, 1.0)} == {3.5}


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], -0.5), ([1.0], 1.1)])
def test_what_has_no_quantile_is_refused(values: list[float], share: float) -> None:
    """No values, no quantile; and a share outside (0, 1] is none."""
    with pytest.raises(ValueError, match="no quantile"):
        nearest_rank(values, share)
