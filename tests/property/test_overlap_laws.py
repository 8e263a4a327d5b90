"""Laws of context overlap: what is copied is supported, what is foreign never helps, and looks do not matter."""

import random

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.faithfulness.evidence import evidence_of
from pytest_llmrel.faithfulness.overlap import Overlap
from pytest_llmrel.faithfulness.scorer import Faithfulness, Support
from pytest_llmrel.faithfulness.sentences import sentences

from .strategies import hostile_text

_WORDS = """Alice Bob Smith Port Calder Monday March May 4 30 1,200 5 2019 2019-03-04 10:30 kg g days km hours $5 50% am
not never no without cannot don't non-refundable only is are was may must will the a of to in and or about nearly
item items returned refund accepted opened parcel weighs café naïve "ring twice" "no dogs" https://a.example/b me@b.example
two twenty-five hundred million first 3rd 5kg e.g. Dr. U.S. 8 p.m. 1. - * ( ) / : ; \u2013 \u201c \u201d \u6771\u4eac
\u4eba\u53e3 \u0e44\u0e17\u0e22 \u0928\u092e""".split()
word = st.sampled_from(_WORDS)
sentence = st.builds(
    lambda words, end: " ".join(words) + end,
    st.lists(word, min_size=1, max_size=12),
    st.sampled_from([".", "!", "?", ":", "\n", ""]),
)
text = st.lists(sentence, max_size=6).map(" ".join)
"""Sentences made of what the scorer looks at: numbers, units, dates, names, negations, quotations, addresses."""
wild = text | hostile_text | st.builds("{} {}".format, text, hostile_text)


def scored(answer: str, context: str) -> Faithfulness:
    """The overlap, by a scorer of its own."""
    return Overlap().score(answer, context)


@given(wild, wild, wild)
def test_the_score_is_a_share_or_none_with_its_reason(answer: str, context: str, question: str) -> None:
    """From 0 to 1; ``None`` and a reason where there are no claims; every claim stands in the answer."""
    found = Overlap().score(answer, context, question)
    assert (found.score is None) == (not found.claims) == bool(found.reason)
    assert found.score is None or 0 <= found.score <= 1
    assert all(claim.text in answer for claim in found.claims)
    assert all(claim.quote in context for claim in found.claims)
    assert all(claim.reason for claim in found.claims if claim.support is not Support.SUPPORTED)


@given(wild, wild)
def test_it_is_deterministic(answer: str, context: str) -> None:
    """The same again, whether the context is remembered or not, and whatever the question."""
    first = scored(answer, context)
    assert scored(answer, context) == first
    evidence_of.__globals__["_remembered"].cache_clear()
    assert Overlap().score(answer, context, "Is it 45 days?") == first


@given(wild, st.integers(0, 2**32))
def test_what_is_copied_is_supported(context: str, seed: int) -> None:
    """Every sentence of the context, on one line, alone or with others in any order, scores 1, and is supported."""
    copied = [" ".join(sentence.split()) for sentence in sentences(context)]
    rng = random.Random(seed)
    for answer in [*copied, "\n\n".join(rng.sample(copied, len(copied))), context]:
        found = scored(answer, context)
        assert found.score is None or found.score >= 0.99, found
        assert {claim.support for claim in found.claims} <= {Support.SUPPORTED}, found


@given(wild, wild, st.sampled_from([".\n", "\n- ", "\n\n"]))
def test_a_foreign_sentence_never_helps(answer: str, context: str, between: str) -> None:
    """One that has no word of the context, behind the answer or before it."""
    before = scored(answer, context).score
    for longer in (f"{answer}{between}Zyxomma quorvil brandled.", f"Zyxomma quorvil brandled.\n{answer}"):
        after = scored(longer, context).score
        if before is not None:
            assert after is not None
            assert after <= before


@given(text, text)
def test_the_case_of_the_answer_does_not_matter(answer: str, context: str) -> None:
    """Names are known from the context."""
    found = scored(answer, context)
    for other in (answer.upper(), answer.lower(), answer.title().replace("'T", "'t"), answer.swapcase()):
        again = scored(other, context)
        assert again.score == found.score
        assert [claim.support for claim in again.claims] == [claim.support for claim in found.claims]


@given(text, text, st.sampled_from(["  ", "\t", "\u00a0", "\u3000", "\u2009 "]))
def test_white_space_does_not_matter(answer: str, context: str, space: str) -> None:
    """Within a line, in the answer or in the context."""
    found = scored(answer, context)
    for again in (scored(answer.replace(" ", space), context), scored(answer, context.replace(" ", space))):
        assert again.score == found.score
        assert [claim.support for claim in again.claims] == [claim.support for claim in found.claims]
