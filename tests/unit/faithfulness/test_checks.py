"""Each check apart: what it reports, and what it leaves alone because it cannot know."""

import pytest

from pytest_llmrel.faithfulness.checks import known_number, problems
from pytest_llmrel.faithfulness.evidence import RUNS_PER_SLOT, evidence_of
from pytest_llmrel.faithfulness.statement import read


def found(claim: str, context: str) -> list[str]:
    """What is wrong, in words."""
    return [problem.text for problem in problems(read(claim), evidence_of(context))]


def test_a_number_without_its_unit_is_enough() -> None:
    """Tables write the unit once; another unit at the number is another thing."""
    assert found("The box weighs 5 kg", "Weight in kg: 5") == []
    assert found("The box weighs 5 kg", "Weight: 5 g") == ["'5 kg' in place of '5 g'"]


def test_another_number_at_the_same_place_is_one_in_place_of_another() -> None:
    """Although the context has it elsewhere."""
    context = "The red box holds 12 pens. The blue box holds 30 pens."
    assert found("The red box holds 30 pens.", "The red box holds 12 pens. The crate holds 30 pens.") == []
    assert found("The red box weighs 30 kg net", "The red box weighs 12 kg net. The van takes 30 kg.") == [
        "'30 kg' in place of '12 kg'"
    ]
    assert found("The blue box holds 30 pens.", context) == []


def test_another_unit_of_the_family_at_the_same_place() -> None:
    """Although the context has that quantity elsewhere."""
    context = "The cable from A1 is 5 m long. The road to B2 is 5 km long."
    assert found("The cable from A1 is 5 km long.", context) == ["'5 km' in place of '5 m'"]
    assert found("The cable from A1 is 500 cm long.", context) == []


def test_a_place_with_many_things_is_no_evidence() -> None:
    """A list of prices says nothing of the next one."""
    context = "\n".join(
        f"Each ticket costs {number} euros per day" for number in range(10, 10 + RUNS_PER_SLOT)
    )
    assert found("Each ticket costs 50 euros per day", f"{context}\nThe bus costs 50 euros") == []
    few = "Each ticket costs 10 euros per visit\nThe bus costs 50 euros"
    assert found("Each ticket costs 50 euros per visit", few) == ["'50 euros' in place of '10 euros'"]


def test_names_need_the_words_around_them() -> None:
    """A name between the same two words of another sentence is another person."""
    context = "In spring Mayor Alice opened markets downtown."
    assert found("In spring Mayor Bob opened markets downtown.", context) == [
        "'Mayor Bob' in place of 'Mayor Alice'"
    ]
    assert found("Former Mayor Bob opened hospitals.", context) == []


def test_a_name_may_be_shorter_or_longer() -> None:
    """Its last name, its initials, or with another first name added."""
    context = "Flights to San Francisco leave daily. Our guide Alice Smith speaks French."
    assert found("Flights to SF leave daily.", context) == []
    assert found("Our guide Smith speaks French.", context) == []
    assert found("Our guide Alice Maria Smith speaks French.", context) == []
    assert found("Our guide Alice Jones speaks French.", context) == [
        "'Alice Jones' in place of 'Alice Smith'"
    ]


def test_a_pair_alone_is_no_evidence_of_a_negation() -> None:
    """More of the sentence has to be the same."""
    context = "Red items are not accepted in the shop."
    assert found("We take items accepted by mail", context) == []
    assert found("Red items are accepted in the shop", context) == [
        "the context negates what the answer says near 'accepted'"
    ]


@pytest.mark.parametrize("claim", ["Items are accepted in shops.", "Items are not accepted in shops."])
def test_a_context_that_says_both_settles_nothing(claim: str) -> None:
    """Whatever the answer says, it is there."""
    assert found(claim, "Items are accepted in shops. Items are not accepted in shops.") == []


def test_numbers_in_words_need_not_be_found() -> None:
    """Unless they have a unit: "two of them" counts what the context lists."""
    assert found("The two boxes", "The boxes") == []
    assert found("After two weeks", "The boxes") == ["the number 'two weeks' is not in the context"]


def test_rounding_needs_a_hedge() -> None:
    """And goes as far as the digits that are shown."""
    evidence = evidence_of("It had 1987 guests.")
    (hedged,) = read("about 2000 guests").quantities.values()
    (exact,) = read("exactly 2000 guests").quantities.values()
    assert known_number(hedged, evidence)
    assert not known_number(exact, evidence)
    assert found("about 1980 guests", "It had 1987 guests.") == ["the number '1980' is not in the context"]


def test_the_sentence_that_says_otherwise_is_named() -> None:
    """By its place in the context; -1 where nothing does."""
    context = "First. The box weighs 5 g."
    (swapped,) = problems(read("The box weighs 5 kg"), evidence_of(context))
    (missing,) = problems(read("The box weighs 7 kg"), evidence_of(context))
    assert (swapped.sentence, missing.sentence) == (1, -1)
