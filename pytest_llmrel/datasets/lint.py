"""Looks golden cases over for what spoils a dataset: repetitions, contradictions, gaps and leaks; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pytest_llmrel.core.case import Case
from pytest_llmrel.datasets.problems import plain, shown
from pytest_llmrel.datasets.roles import Roles, roles_of
from pytest_llmrel.datasets.similar import similar_pairs
from pytest_llmrel.datasets.wording import key_of, texts_in, words_of

__all__ = ["Finding", "lint"]

_MOST_WORDS: Final = 400


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a case that should be looked at.

    Attributes:
        kind: ``"contradiction"``, ``"duplicate"``, ``"empty"``, ``"leak"`` or ``"near-duplicate"``.
        case: index of the case.
        other: index of the case that it has to do with, ``None`` if it is about one case alone.
        said: what about it; the name of the other case belongs behind it.
        detail: with which values, short; may be empty.
    """

    kind: str
    case: int
    other: int | None
    said: str
    detail: str = ""


def lint(cases: Sequence[Case], *, question: str | None = None, expected: str | None = None) -> list[Finding]:
    """What should be looked at, in the order of the cases; at most one repetition is told of each case.

    Args:
        cases: of one dataset.
        question: column of the question; see :func:`~pytest_llmrel.datasets.roles.roles_of` for the default.
        expected: column of what is expected.

    Raises:
        DatasetError: there is no such column, or none that could be the question.
    """
    if not cases:
        return []
    roles = roles_of(cases, question=question, expected=expected)
    questions = [key_of(_value(case, roles.question)) for case in cases]
    found = [
        *_empty(cases, roles),
        *_repeated(cases, questions, roles),
        *_leaking(cases, questions, roles),
    ]
    return sorted(found, key=lambda one: (one.case, one.kind))


def _empty(cases: Sequence[Case], roles: Roles) -> Iterator[Finding]:
    """Null says on purpose that there is nothing, but not of a question and of what is expected."""
    needed = {roles.question, roles.expected}
    for number, case in enumerate(cases):
        names = [name for name in case if _is_empty(case[name], null=name in needed)]
        if names:
            yield Finding("empty", number, None, "has nothing in", ", ".join(map(plain, names)))


def _is_empty(value: Any, *, null: bool) -> bool:
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, list):
        return not value or any(_is_empty(part, null=True) for part in value)
    return value == {} or (null and value is None)


def _repeated(cases: Sequence[Case], questions: Sequence[str], roles: Roles) -> Iterator[Finding]:
    """Duplicates, contradictions, and of the cases without such: near-duplicates."""
    first_with: dict[tuple[str, ...], int] = {}
    contexts = [tuple(key_of(_value(case, name)) for name in roles.contexts) for case in cases]
    texts: list[tuple[str, ...]] = []
    for number, case in enumerate(cases):
        key = questions[number]
        first = first_with.setdefault((key, *contexts[number]), number) if key else number
        texts.append(_words(case, roles) if key and first == number else ())
        if first != number:
            yield _repetition(cases, first, number, roles)
    for pair in similar_pairs(texts):
        if contexts[pair.first] == contexts[pair.second]:
            said = f"({pair.similarity:.0%} alike) asks nearly the same as"
            detail = f"{_asked(cases[pair.second], roles)} and {_asked(cases[pair.first], roles)}"
            yield Finding("near-duplicate", pair.second, pair.first, said, detail)


def _repetition(cases: Sequence[Case], first: int, second: int, roles: Roles) -> Finding:
    values = [_value(cases[number], roles.expected) for number in (second, first)]
    keys = [key_of(value) for value in values]
    if all(keys) and keys[0] != keys[1]:
        one, other = (shown(" ".join(texts_in(value))) for value in values)
        return Finding("contradiction", second, first, "expects something else than", f"{one} and {other}")
    return Finding("duplicate", second, first, "asks the same as", _asked(cases[second], roles))


def _leaking(cases: Sequence[Case], questions: Sequence[str], roles: Roles) -> Iterator[Finding]:
    """A wording of one case that is the question, or a wording, of another one."""
    asked_by: dict[str, int] = {}
    for number, key in enumerate(questions):
        asked_by.setdefault(key, number)
    worded_by: dict[str, int] = {}
    for number, case in enumerate(cases):
        told = {questions[number]}
        for text, is_wording in _wordings(case, roles):
            key = key_of(text)
            other = asked_by.get(key, worded_by.setdefault(key, number) if is_wording else number)
            if not key or key in told or other == number or questions[other] == questions[number]:
                continue
            told.add(key)
            said = f"has a wording that is {'the question' if key in asked_by else 'one'} of"
            yield Finding("leak", number, other, said, shown(text))


def _wordings(case: Case, roles: Roles) -> Iterator[tuple[str, bool]]:
    """Texts of lists; those of a column that is not called after wordings (tags, say) may be alike."""
    for name in (*roles.wordings, *roles.others):
        value = _value(case, name)
        if isinstance(value, list):
            yield from ((part, name in roles.wordings) for part in value if isinstance(part, str))


def _words(case: Case, roles: Roles) -> tuple[str, ...]:
    texts = texts_in(_value(case, roles.question))
    return tuple(islice((word for text in texts for word in words_of(text)), _MOST_WORDS))


def _asked(case: Case, roles: Roles) -> str:
    return shown(" ".join(texts_in(_value(case, roles.question))))


def _value(case: Case, name: str) -> Any:
    return case[name] if name in case else None  # noqa: SIM401 - a case has no get, for a column may be called so
