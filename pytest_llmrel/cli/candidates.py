"""Which texts of a model's answer are worth a reviewer's time; nothing in it is believed."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_llmrel.datasets.wordings import Wordings

__all__ = ["usable"]

_SHORTEST_LIMIT = 1_000
_TIMES_LONGER = 10
"""A rewording longer than both, in characters and as a multiple of the primary wording, is none."""
_JOINERS = {ord("\u200c"): None, ord("\u200d"): None}
"""They shape Persian words and emoji, and move no cursor."""


def usable(answer: Sequence[object], known: Wordings, n: int) -> tuple[list[str], Counter[str]]:
    """The texts that a person may review, at most ``n``, and how many were dropped for which reason."""
    longest = max(_SHORTEST_LIMIT, _TIMES_LONGER * len(known.primary))
    primary = _folded(known.primary)
    seen = {_folded(wording.text) for wording in known.wordings}
    kept: list[str] = []
    dropped: Counter[str] = Counter()
    for candidate in answer:
        text = candidate.strip() if isinstance(candidate, str) else ""
        why = _fault(candidate, text, longest)
        folded = "" if why else _folded(text)
        if not why and (folded == primary or folded in seen):
            why = "like the primary wording" if folded == primary else "duplicate"
        elif not why and len(kept) == n:
            why = "more than asked for"
        if why:
            dropped[why] += 1
        else:
            seen.add(folded)
            kept.append(text)
    return kept, dropped


def _fault(candidate: object, text: str, longest: int) -> str:
    from pytest_llmrel.reports.safe import printable

    if not isinstance(candidate, str):
        return "not text"
    if not text:
        return "empty"
    if len(text) > longest:
        return "too long"
    bare = text.translate(_JOINERS)
    return "" if printable(bare) == bare else "with control characters"


def _folded(text: str) -> str:
    """The same for texts that are no different wordings: whatever case, spaces and closing marks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(" .?!")
