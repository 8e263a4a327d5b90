"""Hypothesis strategies of wordings, for ``@given`` tests; the only file that needs Hypothesis.

    from pytest_llmrel import strategies

    @given(strategies.wordings("How long do I have to return an item?"))
    def test_intent(question):
        assert intent_of(question) == "returns"

Every strategy takes a text or a strategy of texts, so that they can be nested, and shrinks towards
the text without any edit.
"""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "pytest_llmrel.strategies needs Hypothesis; install it with: pip install 'pytest-llmrel[hypothesis]'"
    ) from error

from pytest_llmrel.perturb.edits import apply_edits, compatible
from pytest_llmrel.perturb.registry import edits_of, generator_of, perturbation, with_own
from pytest_llmrel.perturb.registry import perturbed as _perturbed

__all__ = [
    "case",
    "distractor",
    "filler",
    "perturbed",
    "polite",
    "punctuation",
    "speech",
    "truncated",
    "typos",
    "unicode",
    "whitespace",
    "wordings",
]

_SEEDS = st.integers(0, 9_999)
_NO_OTHERS: Mapping[str, Callable[[str, Random], str]] = MappingProxyType({})


def wordings(
    text: str | st.SearchStrategy[str],
    *names: str,
    most: int = 5,
    own: Mapping[str, Callable[[str, Random], str]] = _NO_OTHERS,
) -> st.SearchStrategy[str]:
    """The text with a few atomic edits: one typo here, a courtesy there.

    Args:
        text: a wording, or a strategy of them.
        names: of the perturbations whose edits are mixed; all of them by default.
        most: edits that are made at once, from 1.
        own: perturbations of your own, as ``pytest_llmrel.perturb.registry.with_own`` takes them.

    Raises:
        PerturbationError: no perturbation of such a name, or an own one that does not work.
        ValueError: ``most < 1``.
    """
    if most < 1:
        raise ValueError(f"most is {most}; a wording needs at least 1 edit to differ")
    known = with_own(own)
    chosen_names = tuple(perturbation(name, known).name for name in names or known)

    @st.composite
    def edited(draw: st.DrawFn) -> str:
        wording = text if isinstance(text, str) else draw(text)
        seed = draw(_SEEDS)
        edits = [
            edit for name in chosen_names for edit in edits_of(name, wording, generator_of(name, seed), known)
        ]
        if not edits:
            return wording
        chosen = draw(st.lists(st.sampled_from(edits), max_size=most, unique=True))
        return apply_edits(wording, compatible(chosen))

    return edited()


def perturbed(
    text: str | st.SearchStrategy[str],
    *names: str,
    own: Mapping[str, Callable[[str, Random], str]] = _NO_OTHERS,
) -> st.SearchStrategy[str]:
    """The text as it is, or with one perturbation as a whole, as the mark ``paraphrase`` makes it.

    Args:
        text: a wording, or a strategy of them.
        names: of the perturbations; all of them by default.
        own: perturbations of your own, as ``pytest_llmrel.perturb.registry.with_own`` takes them.

    Raises:
        PerturbationError: no perturbation of such a name, or an own one that does not work.
    """
    known = with_own(own)
    options = (None, *(perturbation(name, known).name for name in names or known))

    @st.composite
    def whole(draw: st.DrawFn) -> str:
        wording = text if isinstance(text, str) else draw(text)
        name, seed = draw(st.sampled_from(options)), draw(_SEEDS)
        return wording if name is None else _perturbed(wording, name, seed, known)

    return whole()


def case(text: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The text with some words in another case."""
    return wordings(text, "case")


def whitespace(text: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The text with wider gaps, tabs, line breaks, and spaces at its ends."""
    return wordings(text, "whitespace")


def typos(text: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The text with slips in some words."""
    return wordings(text, "typos")


def punctuation(text: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The text with marks that are missing, repeated or others."""
    return wordings(text, "punctuation")


def unicode(text: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The text with look-alikes of its spaces, marks and letters."""
    return wordings(text, "unicode")


def filler(text: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The text with words that gain time; in English."""
    return wordings(text, "filler")


def polite(text: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The text with a greeting, thanks or both; in English."""
    return wordings(text, "polite")


def distractor(text: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The text with sentences about something else; in English."""
    return wordings(text, "distractor")


def truncated(text: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The text without its end."""
    return wordings(text, "truncated")


def speech(text: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The text with some of what a transcript of speech lacks."""
    return wordings(text, "speech")
