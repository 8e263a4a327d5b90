"""The claims of an answer: its sentences, but for those that say nothing to look up."""

from collections.abc import Iterator

from pytest_llmrel.faithfulness.lexicon import COURTESIES
from pytest_llmrel.faithfulness.sentences import sentences
from pytest_llmrel.faithfulness.statement import Statement, read
from pytest_llmrel.faithfulness.words import kind_and_stem

__all__ = ["NO_CLAIM", "NO_CONTEXT", "claims_of"]

NO_CLAIM = "the answer claims nothing that could be looked up: it has no content words, numbers or dates"
NO_CONTEXT = "the context is empty"

_COURTESIES = frozenset(kind_and_stem(word)[1] for word in COURTESIES)
_FEEL, _FREE, _HESITATE = (kind_and_stem(word)[1] for word in ("feel", "free", "hesitate"))


def claims_of(answer: str) -> Iterator[tuple[str, Statement]]:
    """Yields the claims of an answer, each as it stands there and as what it says.

    A sentence without content words, numbers, dates, quotations or addresses is none ("Yes, it is."), nor
    is one that is made of politeness alone ("Feel free to ask!").
    """
    for text in sentences(answer):
        if _says_something(statement := read(text)):
            yield text, statement


def _says_something(statement: Statement) -> bool:
    items = statement.items
    if statement.links or statement.quotes or not _COURTESIES.issuperset(items):
        return True
    negated = any(statement.negators) and _HESITATE not in items  # not to hesitate is polite
    priced = _FREE in items and _FEEL not in items
    return bool(items) and (negated or priced)
