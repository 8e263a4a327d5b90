"""Numbers, units and dates where they begin and end."""

import pytest

from pytest_llmrel.faithfulness.quantities import Date, date_of, quantity_at, rounded


@pytest.mark.parametrize(
    ("words", "item", "end", "firm"),
    [
        ("5 kg flour", "#5000_g", 2, True),
        ("5 boxes", "#5", 1, True),
        ("five boxes", "#5", 1, False),
        ("five days", "#432000_s", 2, True),
        ("one day", "#86400_s", 2, False),
        ("3 rd place", "#3", 2, True),
        ("$ 5 million", "#5000000_dollar", 3, True),
        ("five hundred and twenty one thousand", "#521000", 6, False),
        ("10 working days", "#864000_s", 3, True),
        ("10 working people", "#10", 1, True),
        ("1.2.3 beta", "#1.2.3", 1, True),
        ("0.5 l", "#0.5_l", 2, True),
        ("007", "#7", 1, True),
    ],
)
def test_quantities(words: str, item: str, end: int, firm: bool) -> None:
    """Number words, magnitudes, currencies and units; a number in words without a unit need not be found."""
    found = quantity_at(words.split(), 0)
    assert found
    assert (found.item, found.end, found.firm) == (item, end, firm)


@pytest.mark.parametrize("words", ["kg", "hundred", "$", "$ kg"])
def test_no_quantity(words: str) -> None:
    """A unit, a magnitude or a sign alone is none."""
    assert quantity_at(words.split(), 0) is None


@pytest.mark.parametrize(
    ("number", "digits_of", "expected"),
    [
        ("1987", "2000", "2000"),
        ("1.73", "1.7", "1.7"),
        ("1987", "1990", "1990"),
        ("10:30", "1", "10:30"),
        ("0", "5", "0"),
    ],
)
def test_rounded(number: str, digits_of: str, expected: str) -> None:
    """To the digits that the other one shows; what is no number stays."""
    assert rounded(number, digits_of) == expected


@pytest.mark.parametrize(
    ("token", "dates"),
    [
        ("2019-03-04", {Date(2019, 3, 4)}),
        ("03/04/2019", {Date(2019, 3, 4), Date(2019, 4, 3)}),
        ("31/12/2019", {Date(2019, 12, 31)}),
        ("99/99/2019", set()),
        ("2019", set()),
        ("1.2.3", set()),
    ],
)
def test_dates_in_digits(token: str, dates: set[Date]) -> None:
    """Day and month in either order, where both are possible."""
    assert set(date_of(token)) == dates
