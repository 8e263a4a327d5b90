"""What is wrong in a claim: numbers, units, dates, names, negations, quotations and links, each apart."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from pytest_llmrel.faithfulness.evidence import END, RUNS_PER_SLOT, START, Evidence, slot
from pytest_llmrel.faithfulness.lexicon import CALENDAR, MONTHS
from pytest_llmrel.faithfulness.quantities import Date, Quantity, rounded
from pytest_llmrel.faithfulness.statement import Statement, read

__all__ = ["Problem", "known_number", "problems"]

_LONGEST_NAME = 4


class Problem(NamedTuple):
    """Something in a claim that the context does not say.

    Attributes:
        text: what, for a person.
        sentence: the place of the sentence of the context that says otherwise; -1 for none.
    """

    text: str
    sentence: int = -1


def problems(claim: Statement, evidence: Evidence) -> list[Problem]:
    """Returns what is wrong in a claim, by looking it up; nothing is searched for."""
    return [
        *_quantities(claim, evidence),
        *_dates(claim, evidence),
        *_names(claim, evidence),
        *_negations(claim, evidence),
        *_quotations(claim, evidence),
    ]


def known_number(quantity: Quantity, evidence: Evidence) -> bool:
    """Whether the context has this quantity, in any unit of its family, or the bare number."""
    return (
        quantity.item in evidence.items
        or quantity.number in evidence.bare
        or (not quantity.family and quantity.number in evidence.numbers)
        or (quantity.hedged and quantity.number in evidence.roundings)
    )


def _quantities(claim: Statement, evidence: Evidence) -> Iterator[Problem]:
    for place, quantity in claim.quantities.items():
        if not quantity.firm:
            continue
        if known_number(quantity, evidence):
            agrees = partial(_same_quantity, quantity)
            yield from _displaced(claim, evidence, place, place + 1, agrees)
        elif written := evidence.numbers.get(quantity.number):
            shown, sentence = next(iter(written.values()))
            yield Problem(f"'{quantity.shown}' in place of '{shown}'", sentence)
        else:
            yield Problem(f"the number '{quantity.shown}' is not in the context")


def _dates(claim: Statement, evidence: Evidence) -> Iterator[Problem]:
    for place, dates in claim.dates.items():
        if any(_known(date, evidence) for date in dates):
            yield from _displaced(claim, evidence, place, place + 1, partial(_same_date, dates))
        else:
            yield Problem(f"the date '{claim.shown[place]}' is not in the context")
    for item, shown in zip(claim.items, claim.shown, strict=True):
        if (
            item in CALENDAR
            and item not in evidence.items
            and not _known(Date(0, MONTHS.get(item, 0), 0), evidence)
        ):
            yield Problem(f"'{shown}' is not in the context")


def _known(date: Date, evidence: Evidence) -> bool:
    """The same date, or the same day or month without its year, and the year elsewhere."""
    if date in evidence.dates:
        return True
    return Date(0, date.month, date.day) in evidence.dates and str(date.year) in evidence.bare


def _names(claim: Statement, evidence: Evidence) -> Iterator[Problem]:
    """A name, or a word unknown to the context, where the context has another name between the same words."""
    start, items = 0, claim.items
    while start < len(items):
        end = start
        while end < len(items) and (items[end] in evidence.names or _strange(items[end], evidence)):
            end += 1
        whole = list(_renamed(claim, evidence, start, end)) if end - start <= _LONGEST_NAME else []
        parts = range(start, end if end > start + 1 and not whole else start)
        yield from whole or [found for at in parts for found in _renamed(claim, evidence, at, at + 1)]
        start = max(end, start + 1)


def _renamed(claim: Statement, evidence: Evidence, start: int, end: int) -> Iterator[Problem]:
    if _copied(claim, evidence, start, end):
        agrees = partial(_same_name, claim.items[start:end])
        yield from _displaced(claim, evidence, start, end, agrees)


def _copied(claim: Statement, evidence: Evidence, start: int, end: int) -> bool:
    """Whether what stands around a name stands so in the context: else the sentence is another one."""
    row, pairs = claim.items, evidence.pairs
    if start == 0 and not claim.opens:  # "We take" begins otherwise than "Alice takes"
        return False
    before = start < 2 or f"{row[start - 2]} {row[start - 1]}" in pairs  # noqa: PLR2004  # two before it
    return before and (end + 1 >= len(row) or f"{row[end]} {row[end + 1]}" in pairs)


def _strange(item: str, evidence: Evidence) -> bool:
    return item[0] not in "#@" and item not in evidence.items


def _displaced(
    claim: Statement, evidence: Evidence, start: int, end: int, agrees: Callable[[str, str], bool]
) -> Iterator[Problem]:
    """Something where the context has something else of its kind between the same neighbours."""
    runs = evidence.slots.get(slot(claim.items, start, end))
    if not runs or len(runs) >= RUNS_PER_SLOT:
        return
    own, mark = " ".join(claim.items[start:end]), _marked(claim.items[start])
    others = {run: found for run, found in runs.items() if _marked(run) == mark}
    if others and own not in others and not any(agrees(run, shown) for run, (shown, _) in others.items()):
        shown, sentence = next(iter(others.values()))
        yield Problem(f"'{' '.join(claim.shown[start:end])}' in place of '{shown}'", sentence)


def _same_quantity(here: Quantity, _run: str, shown: str) -> bool:
    """The same number without its unit on one side, or a rounded one behind ``about``."""
    there = read(shown).quantities.get(0)
    if there is None:
        return False
    both_have_units = here.family != "" != there.family
    if both_have_units and here.family != there.family:
        return False
    if here.number == there.number:
        return not both_have_units  # 5 m in place of 5 km, or else the items were the same
    return here.hedged and here.number == rounded(there.number, here.number)


def _same_date(here: tuple[Date, ...], _run: str, shown: str) -> bool:
    """The same as far as both of them say."""
    there = read(shown).dates.get(0, ())
    pairs = [zip(one, other, strict=True) for one in here for other in there]
    return any(all(a == b or not a or not b for a, b in parts) for parts in pairs)


def _same_name(here: tuple[str, ...], run: str, _shown: str) -> bool:
    """A part of the name (a last name), more of it, or its initials."""
    there = run.split()
    more = [word for word in here if word not in there]
    less = [word for word in there if word not in here]
    return not more or not less or more == ["".join(word[0] for word in less)]


def _marked(item: str) -> str:
    return item[0] if item[0] in "#@" else ""


def _negations(claim: Statement, evidence: Evidence) -> Iterator[Problem]:
    row, shown = (START, *claim.items, END), ("", *claim.shown, "")
    for place, negator in enumerate(claim.negators):
        found = evidence.pairs.get(f"{row[place]} {row[place + 1]}")
        if found is None:
            continue
        plain, negated = found
        if not (_said(evidence, row, place - 1) or _said(evidence, row, place + 1)):
            continue
        near = shown[place + 1] or shown[place]
        if negator and negated < 0:
            yield Problem(f"'{negator}' has no counterpart near '{near}'", plain)
        elif not negator and plain < 0:
            yield Problem(f"the context negates what the answer says near '{near}'", negated)


def _said(evidence: Evidence, row: tuple[str, ...], place: int) -> bool:
    """Whether the context has this pair of the claim, too: one pair alone may agree by chance."""
    return 0 <= place < len(row) - 1 and f"{row[place]} {row[place + 1]}" in evidence.pairs


def _quotations(claim: Statement, evidence: Evidence) -> Iterator[Problem]:
    for quote in claim.quotes:
        if quote.strip() and not evidence.says(quote):
            yield Problem(f"the quoted text '{quote.strip()}' is not in the context")
    for link in claim.links:
        if link not in evidence.links:
            yield Problem(f"the address '{link}' is not in the context")
