"""What is left of a ruling: quotes that stand in the context and speak of the claim, claims that were made."""

import pytest

from pytest_llmrel.faithfulness.scorer import Support

from .judging import CONTEXT, RIGHT, WRONG, claim, only, supports, weighed

SUPPORTED, AMBIGUOUS = Support.SUPPORTED, Support.AMBIGUOUS


@pytest.mark.parametrize(
    "quote",
    [
        "Unopened items can be returned within 30 days of delivery.",
        "items can be returned within 30 days",
        "  items can   be\nreturned\twithin 30 days ",
        "ITEMS can be returned within 30 days",
        "'items can be returned within 30 days'",
        "\u201citems can be returned within 30 days\u201d",
        "Unopened items can be ... returned within 30 days",
        "Unopened items can be \u2026 returned within 30 days",
        "Unopened items can be [...] returned within 30 days",
        "returned within 30\u00a0days",
    ],
)
def test_a_copy_of_the_context_is_evidence(quote: str) -> None:
    """Blanks, case, typography and quotation marks aside; two passages may be joined."""
    assert only(weighed(RIGHT, claim(RIGHT, quote))).support is SUPPORTED


@pytest.mark.parametrize(
    ("quote", "reason"),
    [
        ("", "the judge gave no quote"),
        (None, "the judge gave no quote"),
        (" \n ", "the judge gave no quote"),
        ("...", "the judge gave no quote"),
        ("Items may be returned within 30 days.", "the quote is not in the context"),
        ("items ... be ... returned ... 30 days", "the quote is not in the context"),
        ("within 30 days of items can be returned", "the quote is not in the context"),
        ("Items can be returned within 30 days and more", "the quote is not in the context"),
        ("i", "the quote does not speak of the claim"),
        ("items", "the quote does not speak of the claim"),
        ("30", "the quote does not speak of the claim"),
        ("The shop in Bristol opens at 9", "the quote does not speak of the claim"),
        ("items can be returned", "the quote does not have the number 30"),
    ],
)
def test_anything_else_is_none(quote: str, reason: str) -> None:
    """The claim is ambiguous, counts against, and says why."""
    result = weighed(RIGHT, claim(RIGHT, quote))
    assert (result.score, only(result).support, only(result).reason) == (0.0, AMBIGUOUS, reason)


def test_one_word_in_common_is_not_enough() -> None:
    """A third of the claim, but a single word, which may be the topic of both."""
    lavish = "Refunds are always generous."
    found = only(weighed(lavish, claim(lavish, "Refunds are paid within 5 days.")))
    assert found.reason == "the quote does not speak of the claim"


def test_what_is_shown_as_quote_is_in_the_context() -> None:
    """Whatever the verdict: an invented quote is not passed on."""
    for verdict in Support:
        assert only(weighed(RIGHT, claim(RIGHT, "invented", verdict))).quote == ""
        assert only(weighed(RIGHT, claim(RIGHT, "within 30 days", verdict))).quote == "within 30 days"


def test_verdicts_against_a_claim_need_no_evidence() -> None:
    """An absence cannot be quoted; the reason is the judge's."""
    found = only(weighed(WRONG, claim(WRONG, verdict="unsupported", reason="it says 5 days")))
    assert (found.support, found.reason) == (Support.UNSUPPORTED, "it says 5 days")
    assert only(weighed(WRONG, claim(WRONG, verdict="ambiguous"))).support is AMBIGUOUS


def test_an_ambiguous_claim_counts_against() -> None:
    """It is in the denominator, and not in the numerator."""
    answer = f"{RIGHT} The shop sells tea."
    result = weighed(
        answer,
        claim(RIGHT, "returned within 30 days"),
        claim("The shop sells tea.", "sells tea", "ambiguous", sentence=2),
    )
    assert (result.score, supports(result)) == (0.5, [SUPPORTED, AMBIGUOUS])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_gravest_verdict_on_a_claim_counts(order: tuple[int, ...]) -> None:
    """Given in any order, and in other blanks, case and punctuation: it is one claim."""
    said = [
        claim(RIGHT, "returned within 30 days"),
        claim(f" {RIGHT.upper()[:-1]} ", verdict="ambiguous"),
        claim(RIGHT[:-1], verdict="unsupported"),
    ]
    result = weighed(RIGHT, *[said[index] for index in order])
    assert (result.score, only(result).support) == (0.0, Support.UNSUPPORTED)


@pytest.mark.parametrize("sentence", [0, -1, 2, 10**30])
def test_a_claim_of_no_sentence_is_dropped(sentence: int) -> None:
    """And the sentence that there is was passed over."""
    result = weighed(RIGHT, claim(RIGHT, "returned within 30 days", sentence=sentence))
    assert (result.score, only(result).reason) == (0.0, "the judge passed over this sentence")
    assert result.reason == "claims of the judge that the answer does not make, dropped: 1"


@pytest.mark.parametrize(
    "invented", ["The moon is made of cheese.", "", "?!", "The items are it.", "Returns cost 7 pounds."]
)
def test_a_claim_that_the_answer_does_not_make_is_dropped(invented: str) -> None:
    """Neither for nor against the answer."""
    result = weighed(RIGHT, claim(RIGHT, "returned within 30 days"), claim(invented, "sells tea"))
    assert result.score == (1.0 if invented != "The items are it." else 0.5)


def test_a_claim_must_be_that_of_its_sentence() -> None:
    """One of another sentence, or one that has little but a word of it, leaves the sentence without a ruling."""
    answer, quote = "Items can be returned within 30 days. The shop sells coffee.", "returned within 30 days"
    fact = "The shop in Bristol opens at 9 and sells tea"
    for other in (
        claim(RIGHT, quote, sentence=2),
        claim("The Bristol shop opens, it has tea", fact, sentence=2),
    ):
        result = weighed(answer, claim(RIGHT, quote), other)
        assert result.score == 0.5
        assert result.claims[1].reason == "the judge passed over this sentence"


def test_a_claim_that_says_nothing_is_none() -> None:
    """Not even of an answer that says as little: any quote would speak of it."""
    result = weighed("Yes.", claim("It is.", "sells tea"), question="Is it?")
    assert (result.score, result.claims) == (None, ())
    assert (
        result.reason
        == "no claims in the answer; claims of the judge that the answer does not make, dropped: 1"
    )


def test_a_sentence_without_a_ruling_counts_against() -> None:
    """With numbers or without."""
    result = weighed(f"{RIGHT} The shop sells coffee.", claim(RIGHT, "returned within 30 days"))
    assert result.score == 0.5
    assert weighed(f"{RIGHT} The shop sells coffee.").score == 0.0


def test_a_short_answer_may_take_its_words_from_the_question() -> None:
    """``Yes.`` claims what was asked, and so does the end of a sentence."""
    question = "Can unopened items be returned within 30 days?"
    said = claim("Unopened items can be returned within 30 days.", "items can be returned within 30 days")
    assert weighed("Yes.", said, question=question).score == 1.0
    assert (
        weighed("At 9.", claim("The shop opens at 9.", "opens at 9"), question="When is the shop open?").score
        == 1.0
    )


def test_courtesies_need_no_ruling() -> None:
    """Too short to claim anything, or a question: passed over without harm."""
    answer = f"Hello! Sure. {RIGHT} Thanks! Is 7 a number that helps you?"
    result = weighed(answer, claim(RIGHT, "returned within 30 days", sentence=3), no_claims=(5,))
    assert result.score == 1.0


def test_citations_and_list_markers_are_no_numbers() -> None:
    """``1.`` in front and ``[2]`` behind need not be in a claim."""
    for answer in (f"1. {RIGHT}", f"- {RIGHT}", "Items can be returned within 30 days [1, 2]."):
        assert weighed(answer, claim(RIGHT, "returned within 30 days")).score == 1.0


def test_a_number_may_be_a_word_in_the_evidence() -> None:
    """Where the context writes thirty, 30 is there."""
    context = "Items can be returned within thirty days."
    assert weighed(RIGHT, claim(RIGHT, "returned within thirty days"), context=context).score == 1.0


def test_scripts_without_blanks_are_compared_by_character() -> None:
    """A claim in Japanese and its evidence share characters, not words."""
    context, answer = "返品は三十日以内に可能です。店は九時に開きます。", "返品は三十日以内に可能です。"
    assert weighed(answer, claim(answer, "返品は三十日以内に可能です"), context=context).score == 1.0
    assert weighed(answer, claim(answer, "店は九時に開きます"), context=context).score == 0.0


def test_long_texts_are_clipped_where_they_are_kept() -> None:
    """What is kept of a claim is for people to read; what is checked is all of it."""
    context = " ".join(f"word{number} w" for number in range(1200))
    found = only(weighed(context, claim(context, context[:9_000], reason="r" * 9999), context=context))
    assert max(map(len, (found.text, found.reason, found.quote))) == 1000


def test_a_large_context_is_searched_fast() -> None:
    """A thousand claims against a megabyte."""
    context = CONTEXT * 8000
    answer = " ".join(f"Item number {number} can be returned." for number in range(300))
    said = [
        claim(f"Item number {number} can be returned", "no such quote " * 90, sentence=number + 1)
        for number in range(300)
    ]
    assert weighed(answer, *said, context=context).score == 0.0
