"""The tripwire on answers of every kind: what it says of each claim, and how that becomes a score."""

import dataclasses
import threading

import pytest

from pytest_llmrel.faithfulness.overlap import TRIPWIRE, Overlap
from pytest_llmrel.faithfulness.scorer import Faithfulness, Scorer, Support

CONTEXT = """# Returns
Customers may return an item within 30 days of delivery (see https://shop.example/returns). Opened items are not
accepted. The parcel must weigh less than 5 kg. A pallet holds 12 kg of flour and 14 boxes.
Refunds are paid by Alice Smith on 4 March 2019. The fee is $1,200, or about 1.7 million yen. The sign says "no dogs".
The caf\u00e9 opens at 8:30 am on Monday. Shipping to Port Calder is free. Bob Jones never signs receipts."""


def scored(answer: str, context: str = CONTEXT) -> Faithfulness:
    """The overlap of an answer."""
    return Overlap().score(answer, context)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("You can return items within 45 days.", "the number '45 days' is not in the context"),
        ("You can return an item within 30 weeks.", "'30 weeks' in place of '30 days'"),
        ("The parcel must weigh less than 5 g.", "'5 g' in place of '5 kg'"),
        ("The parcel must weigh less than 5 pounds.", "'5 pounds' in place of '5 kg'"),
        ("The parcel must weigh less than 12 kg.", "'12 kg' in place of '5 kg'"),
        ("The fee is 1,200 euros.", "'1,200 euros' in place of '$ 1,200'"),
        ("Opened items are accepted.", "the context negates what the answer says near 'accepted'"),
        ("Customers may not return an item within 30 days.", "'not' has no counterpart near 'return'"),
        ("Bob Jones signs receipts.", "the context negates what the answer says near 'signs'"),
        ("Refunds are paid by Bob Smith on 4 March 2019.", "'Bob Smith' in place of 'Alice Smith'"),
        ("Refunds are paid by Zoe Quill on 4 March 2019.", "'Zoe Quill' in place of 'Alice Smith'"),
        ("refunds are paid by zoe quill on 4 march 2019.", "'zoe quill' in place of 'Alice Smith'"),
        ("Refunds are paid on 5 March 2019.", "the date '5 March 2019' is not in the context"),
        ("Refunds are paid on 4 March 2018.", "the date '4 March 2018' is not in the context"),
        ("Refunds are paid on 2019-03-05.", "the date '2019-03-05' is not in the context"),
        ("The caf\u00e9 opens at 8:30 pm.", "'8:30 pm' in place of '8:30 am'"),
        ("The cafe opens on Tuesday.", "'Tuesday' is not in the context"),
        ("Refunds are paid in July.", "'July' is not in the context"),
        ("The sign says \u201cno cats\u201d.", "the quoted text 'no cats' is not in the context"),
        (
            "See https://shop.example/refunds.",
            "the address 'https://shop.example/refunds' is not in the context",
        ),
    ],
)
def test_a_problem_is_named(answer: str, reason: str) -> None:
    """The claim is unsupported, says why, and keeps the score below the tripwire."""
    found = scored(answer)
    (claim,) = found.claims
    assert claim.support is Support.UNSUPPORTED
    assert reason in claim.reason.split("; ")
    assert found.score is not None
    assert found.score <= 0.25


@pytest.mark.parametrize(
    "answer",
    [
        "The parcel must weigh less than 5000 grams.",
        "The parcel must weigh less than 5 kilograms!",
        "- The fee is 1200 dollars",
        "The fee is about 2 million yen.",
        "The fee is $1,200, or about 2 million yen.",
        "The parcel must weigh less than 5.",
        "Refunds are paid by Alice Smith on 04/03/2019.",
        "Refunds are paid by Alice Smith in March 2019.",
        "Refunds are paid by Alice Smith on 4 March.",
        "The fee is 1,700,000 yen.",
        "refunds are paid by alice smith on march 4th, 2019",
        "Refunds are paid by Smith on 2019-03-04.",
        "Refunds are paid on 04/03/2019.",
        "Refunds are paid in March 2019.",
        "Customers may return an item within thirty days.",
        "Opened items aren't accepted.",
        "The cafe opens on Monday, 8:30 a.m.",
        "\u201cNO DOGS\u201d says the sign.",
        "Not only customers may return an item.",
    ],
)
def test_another_way_to_write_it_is_no_problem(answer: str) -> None:
    """Units of one family, dates, numbers in words, rounded numbers behind "about", case, accents, contractions."""
    assert [claim.reason for claim in scored(answer).claims if claim.support is Support.UNSUPPORTED] == []


def test_the_quote_is_the_sentence_that_says_otherwise() -> None:
    """Verbatim from the context."""
    (claim,) = scored("The parcel must weigh less than 5 g.").claims
    assert claim.quote == "The parcel must weigh less than 5 kg."
    assert claim.quote in CONTEXT


@pytest.mark.parametrize(
    "answer", ["", " \n ", "Yes.", "No.", "It is.", "!!!", "Sure! Feel free to ask.", "\x00\u200b"]
)
def test_without_claims_there_is_no_score(answer: str) -> None:
    """Neither 0 nor 1, with the reason."""
    found = scored(answer)
    assert (found.score, found.claims) == (None, ())
    assert "claims nothing" in found.reason


@pytest.mark.parametrize("context", ["", " \n", "\u200b"])
def test_without_a_context_there_is_no_score(context: str) -> None:
    """A retrieval that found nothing is no failure of the answer, and no success."""
    found = scored("Refunds take 30 days.", context)
    assert found.score is None or found.score == 0
    assert scored("Refunds take 30 days.", "") == Faithfulness(
        None, (), "context overlap", "the context is empty"
    )


@pytest.mark.parametrize(
    "polite", ["Hope this helps!", "Please don't hesitate to ask.", "Let me know, thank you."]
)
def test_politeness_is_no_claim(polite: str) -> None:
    """It neither helps nor harms; the same words with a price or a negation are a claim."""
    assert scored(f"Opened items are not accepted. {polite}") == scored("Opened items are not accepted.")
    assert len(scored("Help is free.").claims) == len(scored("We never help.").claims) == 1


def test_words_that_are_missing_are_named() -> None:
    """A claim without a problem is judged by its words: two thirds support it, one third does not."""
    found = scored(
        "Items are delivered by drones operated from Mars.\nCustomers may return an item by drone or balloon."
    )
    assert [claim.support for claim in found.claims] == [Support.UNSUPPORTED, Support.AMBIGUOUS]
    assert found.claims[0].reason == "4 of 5 words are not in the context: delivered, drones, operated, Mars"
    assert found.claims[1].reason == "2 of 5 words are not in the context: drone, balloon"


def test_few_of_many_problems_are_shown() -> None:
    """A reason is for a person to read; the others are counted."""
    (claim,) = scored("The fee is 91, 92, 93, 94, 95, 96 or 97 yen.").claims
    assert claim.reason.count("is not in the context") == 5
    assert claim.reason.endswith("; 2 more")


def test_one_wrong_number_is_not_lost_among_many_claims() -> None:
    """The worst claim weighs as much as all together, so the tripwire goes off whatever the length."""
    right = "The parcel must weigh less than 5 kg.\n"
    for count in (1, 10, 1000):
        found = scored(right * count + "The parcel must weigh less than 6 kg.")
        assert found.score is not None
        assert found.score < TRIPWIRE
    assert scored(right * 10).score == 1


def test_an_ambiguous_claim_counts_against() -> None:
    """It is shown, and the score is lower than without it."""
    with_it, without = (
        scored("Opened items are not accepted.\nCustomers may return an item by drone or balloon."),
        scored("Opened items are not accepted."),
    )
    assert Support.AMBIGUOUS in {claim.support for claim in with_it.claims}
    assert with_it.score is not None
    assert without.score is not None
    assert with_it.score < without.score


def test_a_question_is_no_evidence() -> None:
    """What a user takes for granted may be wrong."""
    assert Overlap().score("Yes, within 45 days.", CONTEXT, "Is it within 45 days?") == scored(
        "Yes, within 45 days."
    )


def test_scripts_without_spaces_are_read_by_characters() -> None:
    """Japanese copied is supported, a changed number is found, other characters lower the score."""
    context = "\u6771\u4eac\u306e\u4eba\u53e3\u306f1400\u4e07\u4eba\u3067\u3059\u3002"
    right = scored(context, context)
    wrong = scored(context.replace("1400", "1500"), context)
    other = scored("\u5927\u962a\u306e\u98df\u3079\u7269\u3067\u3059\u3002", context)
    assert right.score == 1
    assert "'1500' is not in the context" in wrong.claims[0].reason
    assert other.score is not None
    assert other.score < 0.5


def test_it_is_a_scorer_that_keeps_nothing() -> None:
    """Frozen, equal to any other, and fit for threads."""
    scorer: Scorer = Overlap()
    assert isinstance(scorer, Scorer)
    assert scorer == Overlap()
    with pytest.raises(dataclasses.FrozenInstanceError):
        scorer.name = "other"  # type: ignore[misc]
    answers = [f"Customers may return an item within {number} days." for number in range(40)]
    expected = [scored(answer) for answer in answers]
    found: dict[int, Faithfulness] = {}
    threads = [
        threading.Thread(
            target=lambda place=place: found.update({place: scorer.score(answers[place], CONTEXT)})
        )
        for place in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(40)] == expected
