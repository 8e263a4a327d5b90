"""Plants one error in an answer copied from its context: the rules behind ``planted_errors.jsonl``, which it writes.

    python tests/data/planting.py

The contexts are made of sentences invented here; no text of any data set is in them. The rules know nothing of the
scorer: they have their own way to find sentences, numbers, units, names and negations.
"""

import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

CLASSES = ("number", "unit", "negation", "name")
ITEMS = 30
"""Of each class, and of verbatim answers."""

_SENTENCE = re.compile(r"(?<=[a-z0-9)\"%][.!?])\s+(?=[A-Z\"])|\n+")
_NUMBER = re.compile(
    r"(?<![\w.,:/-])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,:/-])\d+(?:\.\d+)?(?![\w:/-]|[.,]\d)"
)
_FAMILIES = (
    ("mg", "g", "kg", "tonnes"),
    ("grams", "kilograms"),
    ("mm", "cm", "m", "km"),
    ("miles", "metres", "kilometres", "feet", "yards", "inches"),
    ("ml", "litres"),
    ("seconds", "minutes", "hours", "days", "weeks"),
    ("months", "years"),
    ("euros", "dollars", "pounds"),
    ("MB", "GB", "TB"),
    ("million", "billion"),
)
_UNIT = re.compile(rf"(?<=\d )({'|'.join(unit for family in _FAMILIES for unit in family)})\b")
_NEGATED = re.compile(
    r"\b(is|are|was|were|may|must|can|will|should|has|have|had|does|do|did|could|would) not (?!only)"
)
_PLAIN = re.compile(
    r"\b(is|are|was|were|may|must|can|will|should|could|would)\b (?!not |no |never |n't)(?=[a-z]{3})"
)
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b")
_NO_NAMES = frozenset(
    """January February March April June July August September October November December Monday Tuesday Wednesday
    Thursday Friday Saturday Sunday""".split()
)
_NEW_NAMES = ("Bartholdi", "Quennell", "Ravensby", "Oduya", "Marisol", "Tindale")

Plant = Callable[[str, str, random.Random], str | None]


def answers(context: str, rng: random.Random) -> Iterator[str]:
    """Yields runs of one to three sentences of a context, verbatim, in a random order."""
    sentences = [text.strip() for text in _SENTENCE.split(context)]
    starts = [place for place, text in enumerate(sentences) if 30 <= len(text) <= 300]
    for start in rng.sample(starts, len(starts)):
        end = start + rng.choice((1, 1, 2, 3))
        run = sentences[start:end]
        if all(30 <= len(text) <= 300 for text in run):
            yield " ".join(run)


def number(answer: str, context: str, rng: random.Random) -> str | None:
    """Another number, half of the time one that the context has elsewhere."""
    found = list(_NUMBER.finditer(answer))
    if not found:
        return None
    match = rng.choice(found)
    others = sorted({other for other in _NUMBER.findall(context) if other not in _NUMBER.findall(answer)})
    if others and rng.random() < 0.5:
        return _with(answer, match, rng.choice(others))
    digits = list(match.group())
    place = rng.choice([place for place, digit in enumerate(digits) if digit.isdigit()])
    digits[place] = rng.choice([digit for digit in "123456789" if digit != digits[place]])
    return _with(answer, match, "".join(digits))


def unit(answer: str, context: str, rng: random.Random) -> str | None:
    """Another unit for the same thing."""
    found = list(_UNIT.finditer(answer))
    if not found:
        return None
    match = rng.choice(found)
    family = next(family for family in _FAMILIES if match.group() in family)
    return _with(answer, match, rng.choice([other for other in family if other != match.group()]))


def negation(answer: str, context: str, rng: random.Random) -> str | None:
    """A ``not`` taken away, or put behind an auxiliary verb."""
    if found := list(_NEGATED.finditer(answer)):
        match = rng.choice(found)
        return _with(answer, match, f"{match.group(1)} ")
    if found := list(_PLAIN.finditer(answer)):
        match = rng.choice(found)
        return _with(answer, match, f"{match.group(1)} not ")
    return None


def name(answer: str, context: str, rng: random.Random) -> str | None:
    """Another name, half of the time one that the context has elsewhere."""
    found = [match for match in _NAME.finditer(answer) if match.group() not in _NO_NAMES]
    if not found:
        return None
    match = rng.choice(found)
    others = sorted({other for other in _NAME.findall(context) if other not in answer} - _NO_NAMES)
    if others and rng.random() < 0.5:
        return _with(answer, match, rng.choice(others))
    return _with(answer, match, rng.choice([other for other in _NEW_NAMES if other not in context]))


PLANTS: dict[str, Plant] = {"number": number, "unit": unit, "negation": negation, "name": name}


def planted(kind: str, context: str, rng: random.Random) -> tuple[str, str] | None:
    """Returns a verbatim answer and the same with one error of a class; ``None`` where the context has no room for it."""
    for answer in answers(context, rng):
        wrong = PLANTS[kind](answer, context, rng)
        if wrong and wrong != answer and wrong not in context:
            return answer, wrong
    return None


def _with(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]


_PLACES = ("Ostrava Mill", "Lake Verdane", "Port Calder", "the Hollin Valley", "Mount Brisk", "Cape Ellery")
_PEOPLE = (
    "Ines Halloran",
    "Tobias Renner",
    "Priya Maskell",
    "Jonas Whitlow",
    "Amara Delacroix",
    "Wendell Okafor",
)
_FIRMS = ("Norvane", "Palister", "Quillmark", "Tessaro", "Brightmoor", "Heliodon")
_TEMPLATES = (
    "{firm} ships every order from {place} within {a} days.",
    "An item may be sent back to {firm} within {b} days of delivery.",
    "Opened bottles are not taken back, and vouchers can not be paid out in cash.",
    "The largest crate that {person} may send weighs {c} kg and is {d} cm long.",
    "In {year}, {person} became the head of the depot at {place}.",
    "The repair was finished on {day} {month} {year} and cost {e} euros.",
    "Batteries must be stored below {f} degrees and should not be kept near a heater.",
    "{person} and {person2} opened a second office near {place2} {g} months later.",
    "The pump moves {h} litres of water in {i} minutes.",
    "Guests of {firm2} are asked to leave by 11:30, but late departures will not be charged in winter.",
    'The sign at the gate says "ring twice and wait".',
    "According to {person2}, the archive holds {j} GB of maps and {k} drawings.",
    "The road from {place} to {place2} is {m} km long and was closed for {n} weeks.",
    "Members of {firm} have paid {e} euros a year since {year2}.",
    "The warranty is valid for {p} years, while the filter has to be changed every {q} months.",
    "About {r} percent of the visitors of {place2} do not book in advance.",
    "The dose for adults is {s} mg and must not be given twice on one day.",
    "The bridge that {person2} drew was rebuilt in {year2} for {t} million euros.",
)


def _context(rng: random.Random) -> str:
    """Nine sentences; every number is another one."""
    numbers = rng.sample(range(12, 98), 18)
    keys = "abcdefghijkmnpqrst"
    values: dict[str, object] = {
        key: value for key, value in zip(keys, numbers, strict=True) if key not in "jt"
    }
    values |= {
        "j": f"{numbers[9]}.5",
        "t": f"1.{numbers[17]}",
        "k": f"{rng.randint(2, 9)},{rng.randint(100, 999)}",
    }
    values["person"], values["person2"] = rng.sample(_PEOPLE, 2)
    values["place"], values["place2"] = rng.sample(_PLACES, 2)
    values["firm"], values["firm2"] = rng.sample(_FIRMS, 2)
    values["year"], values["year2"] = rng.sample(range(1950, 2025), 2)
    values |= {"day": rng.randint(1, 28), "month": rng.choice(("March", "July", "October"))}
    said = [text.format(**values) for text in rng.sample(_TEMPLATES, 9)]
    return " ".join(text[0].upper() + text[1:] for text in said)


def items(seed: int = 5) -> Iterator[dict[str, str]]:
    """Yields the rows of the file: ``ITEMS`` verbatim answers, and as many of each class of error."""
    rng = random.Random(seed)
    for place in range(ITEMS):
        for kind in ("verbatim", *CLASSES):
            found = None
            while found is None:
                context = _context(rng)
                found = planted(CLASSES[place % 4] if kind == "verbatim" else kind, context, rng)
            answer, wrong = found
            shown = {"answer": answer} if kind == "verbatim" else {"answer": wrong, "verbatim": answer}
            yield {"id": f"{kind}-{place + 1}", "kind": kind, "context": context, **shown}


def main() -> None:
    """Writes the file beside this one."""
    lines = [json.dumps(item, ensure_ascii=False) for item in items()]
    path = Path(__file__).with_name("planted_errors.jsonl")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(lines)} items in {path}\n")


if __name__ == "__main__":
    main()
