"""A context prepared for looking things up: one pass over its sentences, then sets and dictionaries."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from pytest_llmrel.faithfulness.lexicon import MONTHS
from pytest_llmrel.faithfulness.quantities import Date, rounded
from pytest_llmrel.faithfulness.sentences import sentences
from pytest_llmrel.faithfulness.statement import Statement, read

__all__ = ["END", "RUNS_PER_SLOT", "START", "Evidence", "evidence_of", "slot"]

START = "^"
END = "$"
_CACHED_CONTEXTS = 64
_CACHED_LENGTH = 100_000
_ROUNDINGS = ("1", "11", "111")
RUNS_PER_SLOT = 8
"""A place where so many different things stand tells nothing of any of them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a context holds; ``int`` values are the places of sentences.

    Attributes:
        sentences: as they stand in the context.
        items: everything said, as items.
        pairs: two items in a row -> the sentences that say so without and with a negation between them; -1
            for none.
        numbers: number -> the ways it is written, with its unit, and the first sentence of it.
        bare: numbers that stand somewhere without a unit.
        roundings: every number rounded to one, two and three digits.
        dates: every date, and what is left of it without its day or year.
        names: the items that are names.
        slots: neighbours -> what stands between them: a quantity, a date or a run of names -> how it is
            shown.
        links: addresses.
        stream: all tokens in lower case, with a space around each.
        phrases: the tokens and pairs of tokens of a stream that is too long to be looked through.
    """

    sentences: tuple[str, ...]
    items: set[str] = field(default_factory=set)
    pairs: dict[str, tuple[int, int]] = field(default_factory=dict)
    numbers: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)
    roundings: set[str] = field(default_factory=set)
    dates: set[Date] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    slots: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)
    stream: str = ""
    phrases: set[str] = field(default_factory=set)

    def says(self, words: str) -> bool:
        """Whether the context has these words, a space around each, in a row; a long one: pair by pair."""
        if not self.phrases:
            return words in self.stream
        row = words.split()
        return row[0] in self.phrases and all(
            f"{one} {other}" in self.phrases for one, other in pairwise(row)
        )


def evidence_of(context: str) -> Evidence:
    """Returns a context prepared; the last 64 contexts of up to 100,000 characters are remembered."""
    return _remembered(context) if len(context) <= _CACHED_LENGTH else _prepared(context)


def slot(items: tuple[str, ...], start: int, end: int) -> str:
    """Returns the key of the place between the items before ``start`` and from ``end`` on.

    It is one neighbour on each side; at the beginning or end of a sentence, two on the other side. ``""``
    for a place with less around it.
    """
    if start and end < len(items):
        return f"{items[start - 1]} _ {items[end]}"
    if start > 1:
        return f"{items[start - 2]} {items[start - 1]} _ {END}"
    if end + 1 < len(items):
        return f"{START} _ {items[end]} {items[end + 1]}" if not start else ""
    return ""


def _prepared(context: str) -> Evidence:
    texts = tuple(sentences(context))
    said = [read(text) for text in texts]
    evidence = Evidence(texts, stream=f" {' '.join(statement.words for statement in said)} ")
    if len(evidence.stream) > _CACHED_LENGTH:
        words = evidence.stream.split()
        evidence.phrases.update(words)
        evidence.phrases.update(f"{one} {other}" for one, other in pairwise(words))
    evidence.names.update(_names(said))
    for number, statement in enumerate(said):
        _take(evidence, number, statement)
    return evidence


_remembered = lru_cache(maxsize=_CACHED_CONTEXTS)(_prepared)


def _names(said: list[Statement]) -> Iterator[str]:
    """Words with a capital within a sentence, or at its beginning if the context always writes them so.

    A sentence in which every word has a capital, such as a headline, tells nothing.
    """
    plain = {
        item
        for statement in said
        for place, item in enumerate(statement.items)
        if place not in statement.names
    }
    for statement in said:
        if len(statement.names) == len(statement.items):
            continue
        for place in statement.names:
            if place or not statement.opens or statement.items[0] not in plain:
                yield statement.items[place]


def _take(evidence: Evidence, number: int, statement: Statement) -> None:
    items = statement.items
    evidence.items.update(items)
    evidence.links.update(statement.links)
    evidence.dates.update(Date(0, MONTHS[item], 0) for item in items if item in MONTHS)
    _pairs(evidence, number, statement)
    for place in statement.quantities:
        _number(evidence, statement, number, place)
    for place, dates in statement.dates.items():
        for date in dates:
            _date(evidence, date, statement.shown[place], number)
        _put(evidence, statement, number, place, place + 1)
    for start, end in _runs(items, evidence.names):
        _put(evidence, statement, number, start, end)
        for place in range(start, end if end > start + 1 else start):
            _put(evidence, statement, number, place, place + 1)


def _pairs(evidence: Evidence, number: int, statement: Statement) -> None:
    first, pairs = START, evidence.pairs
    for second, negator in zip((*statement.items, END), statement.negators, strict=True):
        pair = f"{first} {second}"
        known = pairs.get(pair)
        if known is None:
            pairs[pair] = (-1, number) if negator else (number, -1)
        elif known[1 if negator else 0] < 0:
            pairs[pair] = (known[0], number) if negator else (number, known[1])
        first = second


def _number(evidence: Evidence, statement: Statement, number: int, place: int) -> None:
    quantity = statement.quantities[place]
    if quantity.number not in evidence.numbers:
        evidence.roundings.add(quantity.number)
        for digits in _ROUNDINGS[: len(quantity.number) - 1]:
            evidence.roundings.add(rounded(quantity.number, digits))
    evidence.numbers.setdefault(quantity.number, {}).setdefault(quantity.item, (quantity.shown, number))
    if not quantity.family:
        evidence.bare.add(quantity.number)
    _put(evidence, statement, number, place, place + 1)


def _date(evidence: Evidence, date: Date, shown: str, number: int) -> None:
    year, month, day = date
    evidence.dates.update((date, Date(year, month, 0), Date(0, month, day), Date(0, month, 0)))
    for part in (year, day):
        if part:
            evidence.bare.add(str(part))
            evidence.numbers.setdefault(str(part), {}).setdefault(f"#{part}", (shown, number))


def _put(evidence: Evidence, statement: Statement, number: int, start: int, end: int) -> None:
    key = slot(statement.items, start, end)
    runs = evidence.slots.setdefault(key, {}) if key else {}
    if len(runs) < RUNS_PER_SLOT:
        run = " ".join(statement.items[start:end])
        runs.setdefault(run, (" ".join(statement.shown[start:end]), number))


def _runs(items: tuple[str, ...], names: set[str]) -> Iterator[tuple[int, int]]:
    """Names in a row."""
    start = 0
    while start < len(items):
        end = start
        while end < len(items) and items[end] in names:
            end += 1
        if end > start:
            yield start, end
        start = max(end, start + 1)
