"""Which parts of a wording carry facts, so that no edit may touch them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_llmrel.perturb.signs import APOSTROPHES, CLOSERS, ENDS, MARKS, OPENERS, QUOTES

__all__ = ["protected_spans"]

_CHUNK = re.compile(r"\S+")
_TELLING = re.compile(r"[\d_@/\\{}<>=#$€£¥%+°]|(?<=\w)[.:](?=\w)")
"""Characters of numbers, addresses, paths, placeholders and identifiers."""
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")
_PRONOUN = re.compile(rf"I(?:[{APOSTROPHES}][^\W\d_]+)?")
_ABBREVIATIONS = frozenset("approx cf dr etc fig jr mr mrs ms mt prof sr st vs".split())
_MONTHS = frozenset(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_UNITS = frozenset(
    "percent euro euros dollar dollars pound pounds cent cents "
    "ms s sec secs second seconds min mins minute minutes h hr hrs hour hours day days week weeks "
    "month months year years am pm mm cm m km inch inches in ft foot feet yard yards mile miles "
    "mg g kg gram grams kilogram kilograms oz ounce ounces lb lbs ton tons ml cl l liter liters "
    "litre litres b kb mb gb tb hz khz mhz ghz w kw kwh v mv a ma c f k".split()
)
_NUMBERS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand million billion dozen half".split()
)
_CLOSING = {opener: re.compile(closer) for opener, closer in QUOTES.items()}
_STRAIGHT = "'"
_OPENING = re.compile(rf"[{''.join(QUOTES).replace(_STRAIGHT, '')}]|(?<!\w){_STRAIGHT}(?=\S)")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Characters between spaces; the core is what is left without the marks around it.

    Attributes:
        starts: it begins a sentence, where a capital means nothing.
    """

    text: str
    start: int
    end: int
    starts: bool

    @property
    def core(self) -> str:
        return self.text[self.start : self.end]


def protected_spans(text: str) -> tuple[tuple[int, int], ...]:
    """The parts of a wording that no perturbation changes: ``(start, end)``, in order, apart.

    Protected are numbers with their currency, decimals and unit (``$4.50``, ``30 days``, ``two weeks``),
    dates, quoted text with its quotation marks, e-mail addresses, URLs, paths, placeholders and
    identifiers, words in capitals or in mixed case, abbreviations with their full stop, and names:
    capitalised words inside a sentence, and the same words where they begin one. The number words,
    units, months and abbreviations are English or international ones, and the English ``I`` is no
    name; all else knows no language. Neighbours that are protected are one span. A name that is only
    ever the first word of a sentence is not recognised, nor is one in lower case.

    Args:
        text: any; the time grows with its length only.
    """
    chunks = tuple(_chunks(text))
    return _merged([*_quoted(text), *_facts(text, chunks)])


def _chunks(text: str) -> Iterator[_Chunk]:
    starts, before = True, 0
    for match in _CHUNK.finditer(text):
        starts = starts or text.count("\n", before, match.start()) > 1
        whole, before = match.group(), match.end()
        front = len(whole) - len(whole.lstrip(OPENERS))
        kept = whole.rstrip(CLOSERS)
        core = whole.rstrip(CLOSERS + MARKS)
        core += ")" if "(" in core[front:] and whole.startswith(")", len(core)) else ""
        if len(core) <= front:
            starts = starts or kept.endswith(tuple(ENDS))
            continue
        begin, dotted = match.start() + front, core[front:] + "."
        shortened = whole.startswith(dotted, front) and _is_short(dotted)
        yield _Chunk(text, begin, match.start() + len(core) + shortened, starts)
        starts = kept.endswith(tuple(ENDS)) and not (shortened and kept.endswith(dotted))


def _is_short(dotted: str) -> bool:
    """Whether a word with its full stop is an abbreviation or an initial, no end of a sentence."""
    if _INITIALS.fullmatch(dotted):
        return dotted.count(".") > 1 or (dotted[0].isupper() and dotted != "I.")
    return dotted[:-1].lower() in _ABBREVIATIONS


def _facts(text: str, chunks: tuple[_Chunk, ...]) -> Iterator[tuple[int, int]]:
    """Spans of chunks; those that only spaces divide are joined."""
    names = {chunk.core.rstrip(".") for chunk in chunks if not chunk.starts and _is_name(chunk.core)}
    last: _Chunk | None = None
    start = 0
    for index, chunk in enumerate(chunks):
        core = chunk.core
        gap = text[last.end : chunk.start] if last else ""
        kept = _is_fact(core) or core.rstrip(".") in names or _is_month(chunks, index)
        if kept or (last and gap.isspace() and _continues(last.core, core)):
            if not (last and (gap.isspace() or _in_date(last.core, gap, core))):
                start = chunk.start
            last = chunk
            yield start, chunk.end
        else:
            last = None


def _is_name(core: str) -> bool:
    return (core[0].isupper() or core[0].istitle()) and not _PRONOUN.fullmatch(core)


def _is_fact(core: str) -> bool:
    letters = [character for character in core if character.isalpha()]
    capitals = sum(letter.isupper() for letter in letters)
    mixed = capitals > (1 if letters and letters[0].isupper() else 0) and not _PRONOUN.fullmatch(core)
    return mixed or core.endswith(".") or core.lower() in _NUMBERS or _TELLING.search(core) is not None


def _continues(fact: str, core: str) -> bool:
    """Whether a word belongs to the protected one before it: a unit, or the number of a king."""
    if _is_number(fact):
        return core.lower() in _UNITS
    return core == "I" and fact.isalpha()


def _is_number(core: str) -> bool:
    return core.lower() in _NUMBERS or any(character.isdigit() for character in core)


def _is_month(chunks: tuple[_Chunk, ...], index: int) -> bool:
    """Whether it is one beside a number: ``may`` alone is none."""
    if chunks[index].core.lower() not in _MONTHS:
        return False
    near = [chunks[place].core for place in (index - 1, index + 1) if 0 <= place < len(chunks)]
    return any(core[0].isdigit() for core in near)


def _in_date(before: str, gap: str, core: str) -> bool:
    """Whether a year follows a day: ``March 5, 2024``."""
    return gap[:1] == "," and gap[1:].isspace() and core[:4].isdigit() and before[-1].isdigit()


def _quoted(text: str) -> Iterator[tuple[int, int]]:
    """Spans between marks that open and marks that close; what never closes is no quotation."""
    closing, place = dict(_CLOSING), 0
    while match := _OPENING.search(text, place):
        place = match.end()
        closer = closing.get(match.group())
        if closer is None:
            continue
        if close := closer.search(text, place):
            place = close.end()
            yield match.start(), place
        else:
            del closing[match.group()]


def _merged(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
