"""Context overlap: an offline tripwire for answers that leave their context; it looks words up, no more.

It sees wrong numbers, units, dates, negations, quotations and names where an answer stays close to the
words of its context, and how many of its words and word pairs the context has. It cannot tell a true
paraphrase from a false one: call it context overlap wherever it is shown.
"""

from dataclasses import dataclass
from itertools import pairwise

from pytest_llmrel.faithfulness.checks import Problem, known_number, problems
from pytest_llmrel.faithfulness.claims import NO_CLAIM, NO_CONTEXT, claims_of
from pytest_llmrel.faithfulness.evidence import Evidence, evidence_of
from pytest_llmrel.faithfulness.scorer import Claim, Faithfulness, Support
from pytest_llmrel.faithfulness.statement import Statement

__all__ = ["TRIPWIRE", "Overlap"]

TRIPWIRE = 0.65
"""One problem anywhere keeps an answer of however many claims below this score; so may a free paraphrase."""

_KEPT = 0.25
"""What a claim with a problem keeps of its score."""
_SUPPORTED, _UNSUPPORTED = 2 / 3, 1 / 3
_SHOWN_WORDS = 8
_SHOWN_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class Overlap:
    """The offline scorer; deterministic, immutable, and free of any model.

    Every sentence of the answer with at least one content word, number or date is a claim. Its support,
    from 0 to 1, is the mean of two shares: of its items (content words by stem, quantities, dates) that
    the context has, and of its pairs of neighbouring items that stand next to each other in the context,
    too. A claim with a problem (a number, unit, date, name, negation, quotation or address that the
    context does not have, or has otherwise) is unsupported and keeps a quarter of that. The score of the
    answer is the mean of its average and its worst claim, so that one wrong number is not lost among nine
    right ones.

    Scripts without spaces (Han, kana, Thai, ...) are read character by character, so that pairs are
    character bigrams; stop words, negations and number words are known in English only.

    Attributes:
        name: ``"context overlap"``.
    """

    name: str = "context overlap"

    def score(self, answer: str, context: str, question: str = "") -> Faithfulness:  # noqa: ARG002  # no evidence
        """Returns the overlap of an answer with its context, in time linear in both.

        Args:
            answer: what the model said.
            context: everything it was given to know.
            question: is not looked at: what a question takes for granted is no evidence.
        """
        evidence = evidence_of(context)
        judged = [_judged(text, statement, evidence) for text, statement in claims_of(answer)]
        if not judged:
            return Faithfulness(None, (), self.name, NO_CLAIM)
        if not evidence.sentences:
            return Faithfulness(None, (), self.name, NO_CONTEXT)
        scores = [score for score, _ in judged]
        total = (sum(scores) / len(scores) + min(scores)) / 2
        return Faithfulness(min(1.0, total), tuple(claim for _, claim in judged), self.name)


def _judged(text: str, statement: Statement, evidence: Evidence) -> tuple[float, Claim]:
    support = _support(statement, evidence)
    if found := problems(statement, evidence):
        more = f"; {len(found) - _SHOWN_PROBLEMS} more" if len(found) > _SHOWN_PROBLEMS else ""
        reason = "; ".join(problem.text for problem in found[:_SHOWN_PROBLEMS]) + more
        return _KEPT * support, Claim(text, Support.UNSUPPORTED, reason, _quote(found, evidence))
    if support >= _SUPPORTED:
        return support, Claim(text, Support.SUPPORTED)
    kind = Support.AMBIGUOUS if support > _UNSUPPORTED else Support.UNSUPPORTED
    return support, Claim(text, kind, _missing(statement, evidence))


def _support(statement: Statement, evidence: Evidence) -> float:
    items = statement.items
    if not items:
        return 1.0
    converted = sum(
        item.item not in evidence.items and known_number(item, evidence)
        for item in statement.quantities.values()
    )
    found = (sum(item in evidence.items for item in items) + converted) / len(items)
    if len(items) == 1:
        return found
    pairs = evidence.pairs
    near = sum(f"{first} {second}" in pairs for first, second in pairwise(items))
    return (found + near / (len(items) - 1)) / 2


def _quote(found: list[Problem], evidence: Evidence) -> str:
    return next((evidence.sentences[problem.sentence] for problem in found if problem.sentence >= 0), "")


def _missing(statement: Statement, evidence: Evidence) -> str:
    missing = [
        shown
        for item, shown in zip(statement.items, statement.shown, strict=True)
        if item not in evidence.items
    ]
    if not missing:
        return "the context has these words, but not next to each other"
    some = ", ".join(dict.fromkeys(missing[:_SHOWN_WORDS])) + (", ..." if len(missing) > _SHOWN_WORDS else "")
    return f"{len(missing)} of {len(statement.items)} words are not in the context: {some}"
