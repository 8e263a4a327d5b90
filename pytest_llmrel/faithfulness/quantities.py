"""Numbers, units and dates in a list of tokens: ``1.7 billion dollars``, ``5 kg``, ``4 March 2019``."""

import re
from typing import NamedTuple

from pytest_llmrel.faithfulness.lexicon import (
    AFTER_UNIT_WORDS,
    CURRENCIES,
    HEDGES,
    MAGNITUDES,
    MONTHS,
    NUMBER_WORDS,
    UNITS,
)

__all__ = ["Date", "Quantity", "date_at", "date_of", "quantity_at", "rounded"]

_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z")
_DECIMAL = re.compile(r"-?\d+(?:[.,]\d+)?\Z")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\Z")
_SLASHED = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\Z")
_ORDINALS = frozenset("st nd rd th".split())
_EXACT_DIGITS = 15
_DAYS = 31
_MONTHS = 12


class Quantity(NamedTuple):
    """A number and its unit.

    Attributes:
        item: value and family of the unit, in the unit of the family: ``#0.005_m``; the same for all ways
            to write it.
        number: the number alone, as it stands before the unit.
        family: what the unit measures, ``""`` without one.
        shown: as it was written.
        firm: written in digits, or in words with a unit: it has to be in the context.
        hedged: "about" stands before it.
        end: the place of the token behind it.
    """

    item: str
    number: str
    family: str
    shown: str
    firm: bool
    hedged: bool
    end: int


class Date(NamedTuple):
    """A day, a day of any year, or a month of a year; 0 where nothing is said."""

    year: int
    month: int
    day: int


def quantity_at(words: list[str], place: int) -> Quantity | None:
    """Returns the quantity that begins at a token, ``None`` where there is none."""
    start, currency = place, ""
    if words[place] in CURRENCIES:
        currency = CURRENCIES[words[place]]
        place += 1
    if place >= len(words):
        return None
    digits = words[place][-1].isdecimal()
    if digits:
        number, value, end = _digits(words[place]), _value(words[place]), place + 1
        if end < len(words) and words[end].casefold() in _ORDINALS:
            end += 1
    elif (spelled := _spelled(words, place)) is not None:
        value, end = spelled
        number = _canonical(value)
    else:
        return None
    while value is not None and end < len(words) and (factor := MAGNITUDES.get(words[end].casefold())):
        value *= factor
        number = _canonical(value)
        end += 1
    family, factor, end = (currency, 1.0, end) if currency else _unit(words, end, words[place])
    amount = number if value is None else _canonical(value * factor)
    item = f"#{amount}_{family}" if family else f"#{number}"
    hedged = start > 0 and words[start - 1].casefold() in HEDGES
    firm = digits or (family != "" and value != 1)
    return Quantity(item, number, family, " ".join(words[start:end]), firm, hedged, end)


def rounded(number: str, digits_of: str) -> str:
    """Returns a number rounded to as many significant digits as another one shows."""
    try:
        shown = max(1, len(digits_of.strip("-0").replace(".", "").lstrip("0").rstrip("0")))
        return _canonical(float(f"{float(number):.{min(shown, _EXACT_DIGITS)}g}"))
    except ValueError:  # a time or a version
        return number


def date_at(words: list[str], place: int, before: str) -> tuple[Date | None, int]:
    """Returns the date around the month at a token, and the place of the token behind it.

    Args:
        words: the tokens.
        place: of the month.
        before: the number before the month, ``""`` without one.
    """
    month = MONTHS[words[place].casefold()]
    day = int(before) if _is_day(before) else 0
    year, end = 0, place + 1
    if not day and end < len(words) and _is_day(words[end]):
        day, end = int(words[end]), end + 1
        if end < len(words) and words[end].casefold() in _ORDINALS:
            end += 1
    if end < len(words) and _is_year(words[end]):
        year, end = int(words[end]), end + 1
    return (Date(year, month, day) if day or year else None), end


def date_of(token: str) -> tuple[Date, ...]:
    """Returns the dates that ``2019-03-04`` or ``03/04/2019`` may be; the latter may be two."""
    if match := _ISO.match(token):
        year, month, day = map(int, match.groups())
        return _valid(Date(year, month, day))
    if match := _SLASHED.match(token):
        one, other, year = map(int, match.groups())
        return _valid(Date(year, one, other), Date(year, other, one))
    return ()


def _valid(*dates: Date) -> tuple[Date, ...]:
    return tuple(date for date in dates if 1 <= date.month <= _MONTHS and 1 <= date.day <= _DAYS)


def _is_day(token: str) -> bool:
    return len(token) in {1, 2} and token.isdecimal() and 1 <= int(token) <= _DAYS


def _is_year(token: str) -> bool:
    return len(token) == 4 and token.isdecimal()  # noqa: PLR2004  # digits of a year


def _value(token: str) -> float | None:
    """``None`` for times, versions, and numbers with more digits than a float keeps."""
    if len(token) > _EXACT_DIGITS:
        return None
    if _THOUSANDS.match(token):
        return float(token.replace(",", ""))
    return float(token.replace(",", ".")) if _DECIMAL.match(token) else None


def _digits(token: str) -> str:
    value = _value(token)
    return token if value is None else _canonical(value)


def _canonical(value: float) -> str:
    return f"{value:.12g}"


def _spelled(words: list[str], place: int) -> tuple[float, int] | None:
    """A number in words up to ``nine hundred and ninety-nine``; thousands are left to the caller."""
    first = words[place].casefold()
    if first not in NUMBER_WORDS:
        return None
    value, end = float(NUMBER_WORDS[first]), place + 1
    value, end = _and_units(words, value, end)
    if end < len(words) and words[end].casefold() == "hundred":
        value, end = value * 100, end + 1
        rest = end + 1 if end < len(words) and words[end].casefold() == "and" else end
        if rest < len(words) and (below := NUMBER_WORDS.get(words[rest].casefold())):
            more, end = _and_units(words, below, rest + 1)
            value += more
    return value, end


def _and_units(words: list[str], value: float, end: int) -> tuple[float, int]:
    """``twenty five`` is one number."""
    tens = value >= 20 and value % 10 == 0  # noqa: PLR2004  # twenty, thirty, …
    if tens and end < len(words) and 1 <= NUMBER_WORDS.get(words[end].casefold(), 0) <= 9:  # noqa: PLR2004
        return value + NUMBER_WORDS[words[end].casefold()], end + 1
    return value, end


def _unit(words: list[str], end: int, number: str) -> tuple[str, float, int]:
    """Family and factor of the unit behind a number, and the place behind it."""
    for place in (end, end + 1):
        if place < len(words) and (known := UNITS.get(words[place].casefold())):
            if words[place].casefold() == "s" and len(number) == 4:  # noqa: PLR2004  # the 1990s
                return "", 1.0, place + 1
            return *known, place + 1
        if place >= len(words) or words[place].casefold() not in AFTER_UNIT_WORDS:
            break
    return "", 1.0, end
