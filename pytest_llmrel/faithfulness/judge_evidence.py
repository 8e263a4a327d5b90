"""Checks a judge's ruling against the texts it is about: what was claimed, and whether the evidence is there.

A judge can be wrong, lazy, or talked over by the text it judges. So a claim counts as supported only if its
quote stands in the context and speaks of it; a claim that the answer does not make is dropped; and a sentence
of the answer that was passed over counts against it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from pytest_llmrel.faithfulness.judge_reply import Ruling, Verdict
from pytest_llmrel.faithfulness.judge_words import canonical, content, digits, numbers, sentences
from pytest_llmrel.faithfulness.scorer import Claim, Faithfulness, Support

__all__ = ["Case"]

_MOST_SHOWN: Final = 1000
_LEAST_GROUNDED: Final = 0.5
_LEAST_SPOKEN_OF: Final = 1 / 3
_LEAST_WORDS: Final = 2
_LEAST_WORDS_OF_A_PART: Final = 3
_GAP: Final = re.compile(r"\s*\[?\.{3}\]?\s*")
_EDGES: Final = " '.,;:-"
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+|\n+")
_TO_THE_JUDGE: Final = re.compile(
    r"\b(?:answer|say|reply|respond|output|return|write|mark|rate|verdict|label)\W{1,3}"
    r"(?:\w{1,12}\W{1,3}){0,3}supported\b"
    r"|\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|prompt|rule|above|previous)"
)
_GRAVEST: Final = {Support.UNSUPPORTED: 0, Support.AMBIGUOUS: 1, Support.SUPPORTED: 2}


@dataclass(frozen=True)
class Case:
    """An answer that is judged, with what it is judged by."""

    answer: str
    context: str
    question: str

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Those of the answer, on which the judge must rule one by one."""
        return sentences(self.answer)

    def weigh(self, ruling: Ruling, scorer: str) -> Faithfulness:
        """Make a score of what is left of a ruling when it has been checked."""
        grounded = [verdict for verdict in ruling.claims if self._is_grounded(verdict)]
        claims = _distinct([self._checked(verdict) for verdict in grounded])
        claims += [
            Claim(sentence[:_MOST_SHOWN], Support.AMBIGUOUS, "the judge passed over this sentence")
            for sentence in self._passed_over(grounded, frozenset(ruling.no_claims))
        ]
        dropped = len(ruling.claims) - len(grounded)
        reason = f"claims of the judge that the answer does not make, dropped: {dropped}" if dropped else ""
        if not claims:
            return Faithfulness(None, (), scorer, f"no claims in the answer{'; ' if reason else ''}{reason}")
        supported = sum(claim.support is Support.SUPPORTED for claim in claims)
        return Faithfulness(supported / len(claims), tuple(claims), scorer, reason)

    @cached_property
    def _said(self) -> frozenset[str]:
        return content(self.answer) | content(self.question)

    @cached_property
    def _numbers(self) -> frozenset[str]:
        return numbers(self.answer) | numbers(self.question)

    @cached_property
    def _evidence(self) -> str:
        """The context without the sentences that speak to the judge: no part of those is evidence."""
        parts = (canonical(part) for part in _SENTENCE_END.split(self.context))
        return " ".join(part for part in parts if not _TO_THE_JUDGE.search(part))

    @cached_property
    def _context(self) -> str:
        return canonical(self.context)

    def _is_grounded(self, verdict: Verdict) -> bool:
        """Whether the sentence that a claim is said to be made by can have made it."""
        if not 1 <= verdict.sentence <= len(self.sentences):
            return False
        words, own = content(verdict.claim), content(self.sentences[verdict.sentence - 1])
        if not words or not digits(verdict.claim) <= self._numbers:
            return False
        # The rest of the answer and the question lend their words to "Yes." and to "Until six."
        is_near = bool(words & own) or len(own) < _LEAST_WORDS
        return is_near and len(words & self._said) >= _LEAST_GROUNDED * len(words)

    def _checked(self, verdict: Verdict) -> Claim:
        quote, problem = self._verified(verdict)
        support, reason = verdict.verdict, verdict.reason or ""
        if support is Support.SUPPORTED and problem:
            support, reason = Support.AMBIGUOUS, problem
        return Claim(verdict.claim[:_MOST_SHOWN], support, reason[:_MOST_SHOWN], quote[:_MOST_SHOWN])

    def _verified(self, verdict: Verdict) -> tuple[str, str]:
        """The quote if it stands in the context, and what keeps it from being evidence."""
        quote = verdict.quote or ""
        plain = canonical(quote).strip(_EDGES)
        if not plain:
            return "", "the judge gave no quote"
        if not _has(self._context, plain):
            return "", "the quote is not in the context"
        if not _has(self._evidence, plain):
            return quote, "the quote is from a sentence that speaks to the judge"
        words, spoken_of = content(verdict.claim), content(plain)
        shared = len(words & spoken_of)
        if shared < min(_LEAST_WORDS, len(words)) or shared < _LEAST_SPOKEN_OF * len(words):
            return quote, "the quote does not speak of the claim"
        missing = sorted(digits(verdict.claim) - numbers(plain))
        return quote, f"the quote does not have the number {missing[0]}" if missing else ""

    def _passed_over(self, grounded: list[Verdict], claimless: frozenset[int]) -> Iterator[str]:
        """The sentences that nobody ruled on, or whose numbers are in none of their claims."""
        for number, sentence in enumerate(self.sentences, 1):
            own = [verdict.claim for verdict in grounded if verdict.sentence == number]
            is_ruled_on = bool(own) or number in claimless or len(content(sentence)) < _LEAST_WORDS
            if not is_ruled_on or not _demanded(sentence) <= numbers(" ".join(own)):
                yield sentence


def _has(text: str, quote: str) -> bool:
    """Whether a quote stands in a text, or all of its parts do, each long enough to say something."""
    if quote in text:
        return True
    parts = [part.strip(_EDGES) for part in _GAP.split(quote)]
    return all(part in text and len(part.split()) >= _LEAST_WORDS_OF_A_PART for part in parts)


def _demanded(sentence: str) -> frozenset[str]:
    """Numbers that must be in a claim; a question claims nothing."""
    return frozenset() if canonical(sentence).endswith("?") else digits(sentence)


def _distinct(claims: list[Claim]) -> list[Claim]:
    """Each claim once, with the gravest of its verdicts: saying it twice makes it no truer."""
    found: dict[str, Claim] = {}
    for claim in claims:
        key = canonical(claim.text).strip(_EDGES)
        other = found.setdefault(key, claim)
        if _GRAVEST[claim.support] < _GRAVEST[other.support]:
            found[key] = replace(claim, text=other.text)
    return list(found.values())
