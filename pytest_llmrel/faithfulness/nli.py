"""A user's own entailment model as a scorer: every claim against every window of the context."""

import math
import numbers
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_llmrel.errors import ScorerError
from pytest_llmrel.faithfulness.claims import NO_CLAIM, NO_CONTEXT, claims_of
from pytest_llmrel.faithfulness.scorer import Claim, Faithfulness, Support
from pytest_llmrel.faithfulness.sentences import sentences

__all__ = ["Entailment", "Nli", "nli"]

Entailment = Callable[[str, str], float]
"""``(premise, hypothesis) -> probability``, from 0 to 1, that the premise entails the hypothesis."""

_WINDOW = 1200
_SUPPORTED, _UNSUPPORTED = 2 / 3, 1 / 3


@dataclass(frozen=True, slots=True)
class Nli:
    """Asks a callable whether the context entails each claim; make one with ``nli``.

    The support of a claim is the largest probability over the windows of the context, the score the mean
    over the
    claims: SummaC-ZS with windows for sentences (Laban et al. 2022, doi:10.1162/tacl_a_00453). A claim is
        supported from 2/3 on, unsupported up to 1/3, and ambiguous between.

    Attributes:
        entailment: the callable; runs call it from several threads unless it is asked from one only.
        name: how it is called in reports.
        window: characters of context that the callable is given at once, at most.
    """

    entailment: Entailment
    name: str = "nli"
    window: int = _WINDOW

    def score(self, answer: str, context: str, question: str = "") -> Faithfulness:  # noqa: ARG002  # no evidence
        """Returns the mean over the claims of the best entailment by a window of the context.

        Raises:
            ScorerError: the callable answered something that is no probability.
        """
        claims = [text for text, _ in claims_of(answer)]
        windows = list(_windows(context, self.window))
        if not claims or not windows:
            return Faithfulness(None, (), self.name, NO_CONTEXT if claims else NO_CLAIM)
        judged = [self._judged(claim, windows) for claim in claims]
        mean = math.fsum(probability for probability, _ in judged) / len(judged)
        return Faithfulness(min(1.0, mean), tuple(claim for _, claim in judged), self.name)

    def _judged(self, claim: str, windows: list[str]) -> tuple[float, Claim]:
        found = [(self._probability(window, claim), window) for window in windows]
        best, window = max(found, key=lambda pair: pair[0])
        if best >= _SUPPORTED:
            return best, Claim(claim, Support.SUPPORTED, quote=window)
        kind = Support.AMBIGUOUS if best > _UNSUPPORTED else Support.UNSUPPORTED
        return best, Claim(claim, kind, f"no part of the context entails it with more than {best:.2f}")

    def _probability(self, premise: str, hypothesis: str) -> float:
        answer = self.entailment(premise, hypothesis)
        if isinstance(answer, bool) or not isinstance(answer, numbers.Real):
            raise ScorerError(
                f"scorer {self.name!r}: the callable answered {type(answer).__name__}, not a number from 0 "
                "to 1; return the probability of entailment as a float (a tensor has .item())"
            )
        if not 0 <= (probability := float(answer)) <= 1:  # NaN is not, either
            raise ScorerError(
                f"scorer {self.name!r}: the callable answered {probability}, not a probability from 0 to 1; "
                "return the probability of entailment, not a logit or a label"
            )
        return probability


def nli(entailment: Entailment, *, name: str = "nli", window: int = _WINDOW) -> Nli:
    """Returns a scorer that asks ``entailment(premise, hypothesis)`` about every claim of an answer.

    Args:
        entailment: gives the probability, from 0 to 1, that the premise entails the hypothesis.
        name: how the scorer is called in reports, gates and baselines.
        window: the longest premise, in characters; a longer context is given in windows that share a
            sentence.

    Raises:
        ScorerError: ``entailment`` cannot be called, or ``window`` is not at least 1.
    """
    wrong = []
    if not callable(entailment):
        wrong.append(
            f"scorer {name!r}: {type(entailment).__name__} cannot be called; give a function of two texts"
        )
    if window < 1:
        wrong.append(
            f"scorer {name!r}: window={window} holds no text; give the characters of a premise, 1 or more"
        )
    if wrong:
        raise ScorerError(*wrong)
    return Nli(entailment, name, window)


def _windows(context: str, size: int) -> Iterator[str]:
    """Slices of the context from sentence to sentence; each begins with the last one of the slice before."""
    spans = list(_spans(context))
    first = 0
    while first < len(spans):
        last = first
        while last + 1 < len(spans) and spans[last + 1][1] - spans[first][0] <= size:
            last += 1
        yield from _cut(context[spans[first][0] : spans[last][1]], size)
        first = last if first < last < len(spans) - 1 else last + 1


def _spans(context: str) -> Iterator[tuple[int, int]]:
    """Where the sentences begin and end: each is a part of the context, in its order."""
    end = 0
    for sentence in sentences(context):
        start = context.index(sentence, end)
        end = start + len(sentence)
        yield start, end


def _cut(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]
