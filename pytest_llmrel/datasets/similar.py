"""Texts that are nearly the same, found without comparing each with each other.

Two texts are similar if they have the same words in nearly the same order: words may be added, left out and
misspelt by one letter, but not be replaced by other words, for then they ask something else; numbers and
negations may not differ.

Only texts that share one of their rarest words are compared (prefix filtering: Chaudhuri, Ganti and Kaushik
2006; Bayardo, Ma and Srikant 2007): two sets of words with a Jaccard index of at least t share one of the
``n - ceil(t n) + 1`` rarest words of either. What more than 50 texts have leads to no comparisons, so the
time grows with the number of texts, not with its square; what is lost are pairs with nothing rare in common.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from math import ceil
from typing import Final, NamedTuple

__all__ = ["Pair", "similar_pairs"]

_ALIKE: Final = 0.6
"""Jaccard index of the words below which nothing is compared; one misspelt word of four is .6."""
_NEARLY: Final = 0.9
_MOST_RARE: Final = 8
_COMMON: Final = 50
_MISSPELT: Final = 4
"""Letters that a word needs to be a misspelling of another."""
_NEGATIONS: Final = frozenset("no not never none nobody nothing neither nor without cannot except".split())


class Pair(NamedTuple):
    """A text and the first one before it that is similar.

    Attributes:
        first: index of the earlier one.
        second: index of the later one.
        similarity: share of the words that they have in common, in order; 0.9 to 1.
    """

    first: int
    second: int
    similarity: float


def similar_pairs(texts: Sequence[Sequence[str]]) -> Iterator[Pair]:
    """For each text that is similar to an earlier one: the first such pair.

    Args:
        texts: the words of each; a text without words is similar to none.
    """
    frequency: Counter[str] = Counter()
    for words in texts:
        frequency.update(set(words))
    shingles = [_shingles(words, frequency) for words in texts]
    sharing = Counter(shingle for some in shingles for shingle in some)
    having: defaultdict[str, list[int]] = defaultdict(list)
    for second, words in enumerate(texts):
        candidates: set[int] = set()
        for shingle in shingles[second]:
            if 1 < sharing[shingle] <= _COMMON:
                candidates.update(having[shingle])
                having[shingle].append(second)
        for first in sorted(candidates):
            if (similarity := _similarity(texts[first], words)) >= _NEARLY:
                yield Pair(first, second, similarity)
                break


def _shingles(words: Sequence[str], frequency: Counter[str]) -> list[str]:
    """The rarest words that any other text has, too; pairs of neighbours in a text of common words."""
    distinct = set(words)
    prefix = len(distinct) - ceil(_ALIKE * len(distinct)) + 1
    rarest = sorted(distinct, key=lambda word: (frequency[word], word))[: min(prefix, _MOST_RARE)]
    usable = [word for word in rarest if 1 < frequency[word] <= _COMMON]
    return usable or [" ".join(pair) for pair in dict.fromkeys(pairwise(words))]


def _similarity(first: Sequence[str], second: Sequence[str]) -> float:
    """0 if the texts differ in what may not differ."""
    one, other = set(first), set(second)
    shared = len(one & other)
    if shared < _ALIKE * len(one | other):
        return 0
    missing, added = one - other, other - one
    if any(map(_counts, missing)) or any(map(_counts, added)):
        return 0
    # Sorted: which of two candidates a word is a misspelling of may not depend on the order of a set.
    spelt = {word: meant for word in sorted(added) for meant in sorted(missing) if _is_misspelt(word, meant)}
    if missing - set(spelt.values()) and added - spelt.keys():
        return 0
    corrected = [spelt.get(word, word) for word in second]
    return SequenceMatcher(None, first, corrected, autojunk=False).ratio()


def _counts(word: str) -> bool:
    """Whether the word makes another question by itself."""
    return word in _NEGATIONS or word.endswith("n't") or any(map(str.isdigit, word))


def _is_misspelt(word: str, meant: str) -> bool:
    """One letter is another, too many, missing, or in its neighbour's place, but not the first."""
    short, long = sorted((word, meant), key=len)
    if len(short) < _MISSPELT or len(long) > len(short) + 1:
        return False
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    end = 0
    while end < len(short) - start and short[-1 - end] == long[-1 - end]:
        end += 1
    middle, other = short[start : len(short) - end], long[start : len(long) - end]
    return start > 0 and (max(len(middle), len(other)) <= 1 or (len(middle) == 2 and middle == other[::-1]))  # noqa: PLR2004
