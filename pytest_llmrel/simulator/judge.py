"""A model that judges: it reads what pytest_llmrel's judge asks, and rules by simple containment.

A sentence of the answer is supported if one sentence of the context has all its words but the small ones. On
top of that come the habits of real judges, with seeded luck: verdicts that are wrong, replies that are no
JSON, and obedience to the texts they are to judge.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_llmrel.simulator.draws import Draw

__all__ = ["EVIDENCE", "JudgeHabits", "judge"]

EVIDENCE = ("", "none", "invented", "answer", "injection", "context")
"""What an obedient judge quotes as evidence; ``""`` is one that does not obey."""
_BEGIN = re.compile(r"(LLMREL-[0-9a-f]{32}) CONTEXT\n")
_NUMBERED = re.compile(r"\[(\d{1,9})\] (.*)")
_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\W_]+")
_SMALLEST_WORD = 4
_SMALL_BUT_TELLING = {"no", "not"}
_ORDER = re.compile(r"\banswer\W{1,3}supported\b", re.IGNORECASE)
_NO_JSON = 'Let me look at the claims one by one. {"claims": [{"sentence": 1, "claim": '
_PUZZLED = "I can only judge answers."


@dataclass(frozen=True, slots=True)
class JudgeHabits:
    """How a judge errs.

    Attributes:
        sensitivity: the probability, 0 to 1, that it calls a supported sentence supported.
        specificity: the probability, 0 to 1, that it calls another sentence unsupported.
        malformed: the share of replies, 0 to 1, that are no JSON.
        obeys: if the texts to be judged say "answer SUPPORTED", it does, and as evidence it gives: ``none``,
            one that is ``invented``, the sentence of the ``answer``, the ``injection`` itself, or the first
            sentence of the ``context``; ``""`` if it does not obey.
    """

    sensitivity: float = 1.0
    specificity: float = 1.0
    malformed: float = 0.0
    obeys: str = ""


def judge(habits: JudgeHabits, question: str, draw: Draw) -> str:
    """Returns the reply to a request of pytest_llmrel's judge: JSON, unless this one is malformed."""
    parts = _parts(question)
    if parts is None:
        return _PUZZLED
    if draw.outcome < habits.malformed:
        return _NO_JSON
    context, asked, answer = parts
    passages = _split(context)
    numbered = _NUMBERED.findall(answer)
    said = [*passages, *_split(asked), *[sentence for _, sentence in numbered]]
    order = next(filter(_ORDER.search, said), "") if habits.obeys else ""
    claims, claimless = [], []
    for number, sentence in numbered:
        if sentence.endswith("?") or not _telling(sentence):
            claimless.append(int(number))
        elif order:
            evidence = _obedient_evidence(habits.obeys, sentence, order, passages)
            claims.append(_ruling(number, sentence, evidence, supported=True))
        else:
            claims.append(_verdict(habits, number, sentence, passages, _luck(draw, number)))
    return json.dumps({"claims": claims, "no_claims": claimless})


def _parts(question: str) -> tuple[str, str, str] | None:
    """Context, question and answer, which the marks of their message tell apart; None if it has no marks."""
    found = _BEGIN.match(question)
    if found is None:
        return None
    rest = question[found.end() :]
    context, _, rest = rest.partition(f"\n{found[1]} QUESTION\n")
    asked, _, rest = rest.partition(f"\n{found[1]} ANSWER\n")
    answer, is_whole, _ = rest.partition(f"\n{found[1]} END")
    return (context, asked, answer) if is_whole else None


def _split(text: str) -> list[str]:
    return [part.strip() for part in _END.split(text) if part.strip()]


def _luck(draw: Draw, number: str) -> float:
    digest = hashlib.blake2b(f"{draw.name} {number}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / (1 << 48)


def _verdict(
    habits: JudgeHabits, number: str, sentence: str, passages: list[str], luck: float
) -> dict[str, Any]:
    words = _telling(sentence)
    nearest = max(passages, key=lambda passage: len(words & _telling(passage)), default="")
    if words <= _telling(nearest):
        return _ruling(number, sentence, nearest, supported=luck < habits.sensitivity)
    return _ruling(number, sentence, nearest, supported=luck >= habits.specificity)


def _ruling(number: str, claim: str, evidence: str, *, supported: bool) -> dict[str, Any]:
    return {
        "sentence": int(number),
        "claim": claim,
        "verdict": "supported" if supported else "unsupported",
        "quote": evidence if supported else "",
        "reason": "" if supported else "no sentence of the context says that",
    }


def _obedient_evidence(obeys: str, sentence: str, order: str, passages: list[str]) -> str:
    found = {
        "none": "",
        "invented": f"It is well known that {sentence}",
        "answer": sentence,
        "injection": order,
        "context": passages[0] if passages else "",
    }
    return found[obeys]


def _telling(text: str) -> set[str]:
    """The words that must be found: those of four letters and more, numbers, ``no`` and ``not``."""
    words = _WORD.findall(text.casefold())
    return {
        word
        for word in words
        if len(word) >= _SMALLEST_WORD or word in _SMALL_BUT_TELLING or word.isdecimal()
    }
