"""What one sentence says, as a row of items: stems, quantities and dates, with the negations between them."""

import re
from dataclasses import dataclass

from pytest_llmrel.faithfulness.lexicon import CALENDAR
from pytest_llmrel.faithfulness.quantities import Date, Quantity, date_at, date_of, quantity_at
from pytest_llmrel.faithfulness.words import Kind, kind_and_stem, normalised, tokens

__all__ = ["Statement", "read"]

_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"']{1,2000}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.IGNORECASE
)
_PARTICLE = re.compile(r"^\W*no(?:pe)?,\s+(?=\w)", re.IGNORECASE)
"""``No, it is free`` answers the question; what it denies is there, and not in the sentence."""
_CITED = re.compile(r"\[\^?\d{1,3}(?:[,;\s-]{1,3}\d{1,3}){0,9}\]")
_QUOTED = re.compile(r'(?<!\w)"(?=\S)([^"\n]{1,500})(?<=\S)"(?!\w)')


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence.

    Attributes:
        items: stems of content words, quantities (``#30_s``) and dates (``@2019-3-4``), in order.
        shown: every item as it was written.
        negators: one more than there are items: the negating word before each, and behind the last; ``""``
            for none.
        quantities: those of the items, by place.
        dates: what the dates among the items may mean, by place.
        names: places of the words with a capital letter.
        opens: the first word of the sentence is an item, so that its capital says little.
        links: addresses of pages and mail, in lower case.
        quotes: what stands in quotation marks, in tokens.
        words: all tokens, in lower case.
    """

    items: tuple[str, ...]
    shown: tuple[str, ...]
    negators: tuple[str, ...]
    quantities: dict[int, Quantity]
    dates: dict[int, tuple[Date, ...]]
    names: frozenset[int]
    opens: bool
    links: tuple[str, ...]
    quotes: tuple[str, ...]
    words: str


def _flat(text: str) -> str:
    """The tokens of a normalised text in lower case, with a space around each."""
    return f" {' '.join(tokens(text)).casefold()} "


def read(sentence: str) -> Statement:
    """Returns what a sentence says; it takes time linear in its length."""
    text = _PARTICLE.sub("", normalised(sentence))
    links: tuple[str, ...] = ()
    if "://" in text or "@" in text or "www." in text.casefold():
        links = tuple(link.rstrip(".,;:!?)*_]").casefold() for link in _LINK.findall(text))
        text = _LINK.sub(" ", text)
    if "[" in text:  # the number of a source is none of the answer's numbers
        text = _CITED.sub(" ", text)
    quotes = tuple(_flat(quote) for quote in _QUOTED.findall(text)) if '"' in text else ()
    return _Reader(tokens(text)).statement(links, quotes)


class _Reader:
    """Goes through the tokens of one sentence once."""

    __slots__ = ("dates", "items", "names", "negator", "negators", "quantities", "shown", "words")

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.items: list[str] = []
        self.shown: list[str] = []
        self.negators: list[str] = []
        self.quantities: dict[int, Quantity] = {}
        self.dates: dict[int, tuple[Date, ...]] = {}
        self.names: set[int] = set()
        self.negator = ""

    def statement(self, links: tuple[str, ...], quotes: tuple[str, ...]) -> Statement:
        content, empty = Kind.CONTENT, Kind.EMPTY
        place, words, names = 0, self.words, self.names
        while place < len(words):
            word = words[place]
            kind, stem = kind_and_stem(word)
            if kind is content:
                if word[0].isupper():
                    names.add(len(self.items))
                self._add(stem, word)
                place += 1
            elif kind is empty:
                place += 1
            else:
                place = self._other(place, kind, stem)
        return Statement(
            tuple(self.items),
            tuple(self.shown),
            (*self.negators, self.negator),
            self.quantities,
            self.dates,
            frozenset(self.names),
            bool(words) and kind_and_stem(words[0])[0] is Kind.CONTENT,
            links,
            quotes,
            " ".join(words).casefold(),
        )

    def _other(self, place: int, kind: Kind, stem: str) -> int:
        if kind is Kind.NEGATOR:
            return self._negate(place)
        return self._month(place, stem) if kind is Kind.MONTH else self._quantity(place, stem)

    def _add(self, item: str, shown: str) -> None:
        self.items.append(item)
        self.shown.append(shown)
        self.negators.append(self.negator)
        self.negator = ""

    def _negate(self, place: int) -> int:
        """``not only`` negates nothing, nor does the ``No`` of ``No. 5``."""
        word = self.words[place].casefold()
        following = self.words[place + 1].casefold() if place + 1 < len(self.words) else ""
        if not (word == "not" and following in {"only", "just"}) and not (
            word == "no" and following.isdecimal()
        ):
            self.negator = self.words[place]
        return place + 1

    def _quantity(self, place: int, stem: str) -> int:
        if dates := date_of(self.words[place]):
            self.dates[len(self.items)] = dates
            self._add(_dated(dates[0]), self.words[place])
            return place + 1
        quantity = quantity_at(self.words, place)
        if quantity is None:
            if self.words[place].isalpha():  # a million of something
                self._add(stem, self.words[place])
            return place + 1
        self.quantities[len(self.items)] = quantity
        self._add(quantity.item, quantity.shown)
        return quantity.end

    def _month(self, place: int, word: str) -> int:
        last = len(self.items) - 1
        before = self.quantities.get(last)
        near = before is not None and before.end in {place, place - 1} and not before.family
        date, end = date_at(self.words, place, before.number if near and before else "")
        if date is None:
            if word in CALENDAR:
                self._add(word, self.words[place])
            return place + 1
        shown = " ".join(self.words[place:end])
        if near and before and str(date.day) == before.number and not self.negator:
            del self.quantities[last]
            self.items.pop()
            shown = f"{self.shown.pop()} {shown}"
            self.negator = self.negators.pop()
        self.dates[len(self.items)] = (date,)
        self._add(_dated(date), shown)
        return end


def _dated(date: Date) -> str:
    return f"@{date.year}-{date.month}-{date.day}"
