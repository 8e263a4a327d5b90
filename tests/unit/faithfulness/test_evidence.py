"""What of a context is prepared, and where its names, quantities and negations are found again."""

from pytest_llmrel.faithfulness.evidence import END, RUNS_PER_SLOT, START, evidence_of, slot
from pytest_llmrel.faithfulness.quantities import Date

CONTEXT = (
    "Yesterday Alice Smith sent 5 kg to Port Calder. Items are not accepted.\nNews of the day on 4 March 2019"
)


def test_names_are_words_that_have_a_capital_within_a_sentence() -> None:
    """Or at its beginning and nowhere without one; a headline in capitals names nobody."""
    assert evidence_of(CONTEXT).names == {"yesterday", "alic", "smith", "port", "cald", "item", "new"}
    assert evidence_of("Returns And Refunds").names == set()
    assert evidence_of("Returns are free. We like returns.").names == set()


def test_pairs_know_whether_they_are_negated() -> None:
    """With the place of the first sentence that says so, and -1 for none."""
    evidence = evidence_of("Items accepted. Items are not accepted.\nParcels never accepted.")
    assert evidence.pairs["item accept"] == (0, 1)
    assert evidence.pairs["parcel accept"] == (-1, 2)


def test_slots_hold_quantities_dates_and_names() -> None:
    """Between the items around them; names also in their parts."""
    slots = evidence_of(CONTEXT).slots
    assert slots["sent _ port"] == {"#5000_g": ("5 kg", 0)}
    assert slots["new day _ $"] == {"@2019-3-4": ("4 March 2019", 2)}
    assert "alic" in slots["yesterday _ smith"]


def test_a_slot_with_many_things_stops_growing() -> None:
    """So that lists of prices take no more than their share of memory."""
    evidence = evidence_of("\n".join(f"It costs {number} euros today and here" for number in range(50)))
    assert max(map(len, evidence.slots.values())) == RUNS_PER_SLOT


def test_the_key_of_a_slot() -> None:
    """One neighbour on each side, two where a sentence begins or ends, nothing where there is less."""
    items = ("a", "b", "c", "d")
    assert slot(items, 1, 2) == "a _ c"
    assert slot(items, 0, 1) == f"{START} _ b c"
    assert slot(items, 2, 4) == f"a b _ {END}"
    assert slot(items, 0, 4) == slot(items, 0, 3) == slot(items, 1, 4) == ""


def test_dates_are_known_in_their_parts() -> None:
    """The day, the month of the year, the day of any year; and the year as a number."""
    evidence = evidence_of("It was on 4 March 2019")
    assert {Date(2019, 3, 4), Date(2019, 3, 0), Date(0, 3, 4), Date(0, 3, 0)} <= evidence.dates
    assert {"2019", "4"} <= evidence.bare


def test_words_in_a_row() -> None:
    """The same answer for a context that is looked through and for one that is too long for that."""
    words = [f"w{number}" for number in range(30_000)]
    short, long = evidence_of(" ".join(words[:100])), evidence_of(" ".join(words))
    assert not short.phrases
    assert long.phrases
    for evidence in (short, long):
        assert evidence.says(" w5 w6 w7 ")
        assert not evidence.says(" w5 w7 ")
        assert not evidence.says(" w ")
