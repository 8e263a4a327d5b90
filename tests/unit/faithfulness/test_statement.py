"""What a sentence says: quantities, dates, negations, names, quotations, links."""

import pytest

from pytest_llmrel.faithfulness.statement import read


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("5 kg", ["#5000_g"]),
        ("5kg, 5 kilograms, 5,000 grams", ["#5000_g"] * 3),
        ("$1.7 billion", ["#1700000000_dollar"]),
        ("1,700 million US dollars", ["#1700000000_dollar"]),
        ("24 hours or 1 day", ["#86400_s"] * 2),
        ("30 business days", ["#2592000_s"]),
        ("twenty-five years", ["#300_month"]),
        ("two hundred and five", ["#205"]),
        ("the 1990s", ["#1990"]),
        ("1,234,567 and 1.5 and 1,5", ["#1234567", "#1.5", "#1.5"]),
        ("at 8:30 am", ["#8:30_am"]),
        ("50 percent, 50%, 50 %", ["#50_%"] * 3),
        ("order 12345678901234567890", ["ord", "#12345678901234567890"]),
        ("4 March 2019", ["@2019-3-4"]),
        ("the 4th of March, 2019", ["@2019-3-4"]),
        ("March 4th, 2019", ["@2019-3-4"]),
        ("2019-03-04", ["@2019-3-4"]),
        ("March 2019", ["@2019-3-0"]),
        ("on 4 March", ["@0-3-4"]),
        ("you may go", ["go"]),
        ("in July", ["july"]),
        ("99-99-2019", ["#99-99-2019"]),
        ("items [1], [2, 3] and [^4]", ["item"]),
        ("**items** and _parcels_", ["item", "parcel"]),
        ("a million reasons", ["million", "reason"]),
    ],
)
def test_items(text: str, items: list[str]) -> None:
    """The same quantity or date is the same item, however it is written."""
    assert list(read(text).items) == items


@pytest.mark.parametrize(
    ("text", "negators"),
    [
        ("Items are not accepted", ["", "not", ""]),
        ("Items are accepted", ["", "", ""]),
        ("No items", ["No", ""]),
        ("They don't ship items", ["don't", "", ""]),
        ("non-refundable", ["non", ""]),
        ("not only items", ["", ""]),
        ("bus No. 5", ["", "", ""]),
        ("items? never", ["", "never"]),
    ],
)
def test_negators(text: str, negators: list[str]) -> None:
    """Each stands before the item that follows it; ``not only`` and ``No. 5`` are none."""
    assert list(read(text).negators) == negators


def test_names_are_words_with_capitals() -> None:
    """The first word is one, too, and it is told that it begins the sentence."""
    statement = read("Yesterday Alice met the mayor of Port Calder")
    assert {statement.items[place] for place in statement.names} == {"yesterday", "alic", "port", "cald"}
    assert statement.opens
    assert not read("The Alice").opens


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ('It says "Ring twice!" there', (" ring twice ",)),
        ("\u201cone\u201d and \u00abtwo\u00bb", (" one ", " two ")),
        ('a 5" and a 6" pipe', ()),
        ('an open " mark', ()),
        ("don't 'quote' this", ()),
    ],
)
def test_quotes(text: str, quotes: tuple[str, ...]) -> None:
    """Double marks of all kinds; apostrophes and inches quote nothing."""
    assert read(text).quotes == quotes


def test_links() -> None:
    """Addresses are whole, without the punctuation behind them, and their parts are no words of the sentence."""
    statement = read("See https://Shop.example/a-b?c=1, or mail help@shop.example.")
    assert statement.links == ("https://shop.example/a-b?c=1", "help@shop.example")
    assert statement.items == ("see", "mail")


def test_a_no_that_answers_the_question_denies_nothing_in_the_sentence() -> None:
    """What it denies was asked; within the sentence a no is a no."""
    assert read("No, our rooibos has no caffeine.").negators == read("our rooibos has no caffeine.").negators
    assert "No" in read("No caffeine is in rooibos.").negators
    assert "no" in read("There is no, or hardly any, caffeine.").negators
