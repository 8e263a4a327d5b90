"""Laws of perturbations: facts survive, equal seeds give equal texts, and every part of an edit is an edit."""
# ruff: noqa: RUF001  characters that look like others are what is tested

import re
import unicodedata
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmrel.perturb.edits import apply_edits, compatible, edits_between
from pytest_llmrel.perturb.protected import protected_spans
from pytest_llmrel.perturb.registry import PERTURBATIONS, edits_of, perturbed
from pytest_llmrel.perturb.spacing import LEAST_WORDS

NAMES = list(PERTURBATIONS)
WHOLE = [name for name in NAMES if name != "truncated"]
WORDS = "how long do have to return an item the parcel of don't is it on well-known naïve größe übel no a to".split()
FACTS = (
    "30 days|$4.50|5,000 USD|12:30|2024-01-05|March 5, 2024|3rd|two weeks|5%|a@b.example|https://x.example/a?b=1|"
    "\"in full\"|“as is”|«mot»|'one two'|`x = 1`|SKU-12|order_id|{name}|NASA|iPhone|Amazon Prime|New York|"
    "Dr. Smith|J. Doe|U.S.|e.g.|World War I|O'Brien's|5 p.m.|C++|v1.2.3"
).split("|")
ODDITIES = [
    "I",
    "I'm",
    "Amazon",
    "Bob",
    '"',
    "'",
    "’",
    "‘",
    "“",
    "-",
    "...",
    "日本語です",
    "한국어",
    "ǅ",
    "ß",
    "ﬁ",
    "e\u0301a",
    "😀",
    "A",
    "May",
    "Dr.",
    "5",
]
MARKS = [" ", " ", " ", ", ", ". ", "? ", "! ", "; ", ": ", "\n", "\n\n", "  ", "\u00a0"]


@st.composite
def sentences(draw: st.DrawFn) -> str:
    """Text of words, facts and oddities with marks between."""
    pieces = st.sampled_from(WORDS) | st.sampled_from(FACTS) | st.sampled_from(ODDITIES)
    found = draw(
        st.lists(st.tuples(pieces | pieces.map(str.capitalize), st.sampled_from(MARKS)), max_size=14)
    )
    return "".join(piece + mark for piece, mark in found).strip() + draw(st.sampled_from(["", "?", ".", "!"]))


texts = sentences() | st.text(max_size=60)
seeds = st.integers(0, 2**32)


def facts(text: str) -> list[str]:
    """What must survive."""
    return [text[start:end] for start, end in protected_spans(text)]


def lost(text: str, result: str) -> list[str]:
    """The facts that are not in the result any more, in their order."""
    place, missing = 0, []
    for fact in facts(text):
        found = result.find(fact, place)
        if found < 0:
            missing.append(fact)
        else:
            place = found + len(fact)
    return missing


@pytest.mark.parametrize("name", WHOLE)
@given(text=texts, seed=seeds)
def test_facts_survive(name: str, text: str, seed: int) -> None:
    """Numbers, names and quoted strings are there afterwards, verbatim and in their order."""
    assert lost(text, perturbed(text, name, seed)) == []


@given(name=st.sampled_from(NAMES), text=texts, seed=seeds)
def test_facts_are_never_touched(name: str, text: str, seed: int) -> None:
    """No atomic edit overlaps one; truncation may drop one as a whole."""
    spans = protected_spans(text)
    for edit in edits_of(name, text, Random(seed)):
        for start, end in spans:
            inside = edit.start < end and edit.end > start if edit.old else start < edit.start < end
            assert not inside or (name == "truncated" and edit.start <= start)


@pytest.mark.parametrize("name", NAMES)
@given(text=texts, seed=seeds, data=st.data())
def test_any_part_of_a_perturbation_applies(name: str, text: str, seed: int, data: st.DataObject) -> None:
    """Every subset of the atomic edits can be applied in any order, and keeps the facts; none of them is void."""
    edits = edits_of(name, text, Random(seed))
    assert all(edit.old != edit.new for edit in edits)
    assert apply_edits(text, []) == text
    for edit in edits:
        assert apply_edits(text, [edit]) != text
    part = data.draw(st.lists(st.sampled_from(edits), unique=True)) if edits else []
    result = apply_edits(text, part)
    assert result == apply_edits(text, reversed(part))
    assert name == "truncated" or lost(text, result) == []


@given(text=texts, seed=seeds, first=st.sampled_from(WHOLE), second=st.sampled_from(WHOLE))
def test_a_composition_keeps_the_facts(text: str, seed: int, first: str, second: str) -> None:
    """The edits of two perturbations together, those apart that would change the same place."""
    edits = [*edits_of(first, text, Random(seed)), *edits_of(second, text, Random(seed))]
    kept = compatible(edits)
    assert set(edits_of(first, text, Random(seed))) <= set(kept)
    assert lost(text, apply_edits(text, kept)) == []


@given(text=texts, seed=seeds, first=st.sampled_from(WHOLE), second=st.sampled_from(NAMES))
@example("A A", 0, "punctuation", "case")
def test_one_after_the_other_keeps_the_facts(text: str, seed: int, first: str, second: str) -> None:
    """What was protected before the first perturbation is protected from the second one, too."""
    once = perturbed(text, first, seed)
    twice = perturbed(once, second, seed)
    missing = lost(text, twice)
    assert missing == [] or (second == "truncated" and len(twice) < len(once))


@given(name=st.sampled_from(NAMES), text=texts, seed=seeds)
def test_it_changes_what_it_can(name: str, text: str, seed: int) -> None:
    """The result differs if and only if there is an atomic edit, and is the same for the same seed."""
    result = perturbed(text, name, seed)
    assert (result != text) == bool(edits_of(name, text, Random(seed)))
    assert result == perturbed(text, name, seed)


@given(text=texts, seed=seeds)
def test_case_changes_case_only(text: str, seed: int) -> None:
    """Without regard to case nothing happened."""
    assert perturbed(text, "case", seed).casefold() == text.casefold()


@given(text=texts, seed=seeds)
def test_whitespace_changes_white_space_only(text: str, seed: int) -> None:
    """The words are the same, and in the same order."""
    assert perturbed(text, "whitespace", seed).split() == text.split()


@given(text=texts, seed=seeds)
def test_typos_keep_the_gaps_and_the_first_letters(text: str, seed: int) -> None:
    """As many words, each with its first letter."""
    before, after = text.split(), perturbed(text, "typos", seed).split()
    assert [word[0] for word in before] == [word[0] for word in after]


@given(text=texts, seed=seeds)
def test_punctuation_keeps_letters_and_spaces(text: str, seed: int) -> None:
    """Only what is neither letter, digit nor space comes and goes."""

    def kept(of: str) -> str:
        return re.sub(r"[^\w\s]", "", of)

    assert kept(perturbed(text, "punctuation", seed)) == kept(text)


@given(text=sentences(), seed=seeds)
def test_look_alikes_are_equal_to_unicode(text: str, seed: int) -> None:
    """Compatibility normalisation gives the text back, curly apostrophes apart."""

    def plain(of: str) -> str:
        return unicodedata.normalize("NFKC", of).replace("’", "'")

    assert plain(perturbed(text, "unicode", seed)) == plain(text)


@pytest.mark.parametrize("name", ["filler", "polite", "distractor"])
@given(text=texts, seed=seeds)
def test_words_are_only_added(name: str, text: str, seed: int) -> None:
    """Every character of the text is still there, in its order."""
    rest = iter(perturbed(text, name, seed))
    assert all(character in rest for character in text)


@pytest.mark.parametrize("name", ["polite", "distractor"])
@given(text=texts, seed=seeds)
def test_what_is_added_around_it_leaves_it_whole(name: str, text: str, seed: int) -> None:
    """The text itself stands in the result."""
    assert text.rstrip() in perturbed(text, name, seed)


@given(text=texts, seed=seeds)
@example("one two three four", 0)
def test_what_is_truncated_is_a_beginning(text: str, seed: int) -> None:
    """A prefix of at least three words that ends between words, and not within a fact."""
    result = perturbed(text, "truncated", seed)
    assert text.startswith(result)
    if result != text:
        assert len(result.split()) >= LEAST_WORDS
        assert text[len(result)].isspace()
        assert not any(start < len(result) < end for start, end in protected_spans(text))


@given(text=texts, seed=seeds)
def test_speech_keeps_the_words(text: str, seed: int) -> None:
    """Without marks, case and line breaks it is the same."""

    def words(of: str) -> list[str]:
        return re.sub(r"[.,;:!?…。！？]", "", of).casefold().split()

    assert words(perturbed(text, "speech", seed)) == words(text)


@given(text=texts)
def test_protected_spans_are_apart_and_in_order(text: str) -> None:
    """Within the text, none of them empty."""
    place = 0
    for start, end in protected_spans(text):
        assert place <= start < end <= len(text)
        place = end


@given(text=texts, result=texts, data=st.data())
def test_differences_are_edits(text: str, result: str, data: st.DataObject) -> None:
    """All edits between two texts give the second; each part of them can be applied."""
    edits = edits_between(text, result, "own")
    assert apply_edits(text, edits) == result
    assert compatible(edits) == edits
    if edits:
        apply_edits(text, data.draw(st.lists(st.sampled_from(edits), unique=True)))
