"""What the columns of a dataset are for: the question, what is expected, the context, other wordings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pytest_llmrel.core.case import Case
from pytest_llmrel.datasets.problems import plain
from pytest_llmrel.errors import DatasetError

__all__ = ["Roles", "roles_of"]

_QUESTIONS: Final = ("question", "input", "prompt", "query")
_EXPECTED: Final = ("expected", "answer", "reference")
_CONTEXTS: Final = ("context", "contexts", "document", "documents", "passage", "passages")
_WORDINGS: Final = ("wordings", "paraphrases", "variants", "rephrasings", "questions")


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns, by what they are for.

    Attributes:
        question: what the model is asked.
        expected: what it should answer, ``""`` if no column says so.
        contexts: what belongs to the question: cases with different ones ask different things.
        wordings: lists of other wordings of the question.
        others: all the others but ``id``.
    """

    question: str
    expected: str
    contexts: tuple[str, ...]
    wordings: tuple[str, ...]
    others: tuple[str, ...]


def roles_of(cases: Sequence[Case], *, question: str | None = None, expected: str | None = None) -> Roles:
    """The roles of the columns of these cases.

    Args:
        cases: at least one.
        question: the column of the question; else ``question``, ``input``, ``prompt`` or ``query``, else the
            first column with a text that is not what is expected.
        expected: the column of what is expected; else ``expected``, ``answer`` or ``reference``.

    Raises:
        DatasetError: no case has the column that is named, or none has a text that could be a question.
    """
    names = tuple(dict.fromkeys(name for shape in dict.fromkeys(map(tuple, cases)) for name in shape))
    unknown = [name for name in (question, expected) if name is not None and name not in names]
    if unknown:
        there = ", ".join(map(plain, names[:20]))
        raise DatasetError(*(f"there is no column {plain(name)}; there are {there}" for name in unknown))
    expects = expected if expected is not None else _first(_EXPECTED, names, but=question or "")
    asks = question if question is not None else _first(_QUESTIONS, names, but=expects)
    asks = asks or _first_text(cases, names, but=expects)
    if not asks:
        raise DatasetError("no column has a text that could be a question; name one by --question")
    rest = [name for name in names if name not in {asks, expects, "id"}]
    return Roles(
        asks,
        expects,
        tuple(name for name in rest if name in _CONTEXTS),
        tuple(name for name in rest if name in _WORDINGS),
        tuple(name for name in rest if name not in _CONTEXTS and name not in _WORDINGS),
    )


def _first(wanted: Sequence[str], names: Sequence[str], *, but: str) -> str:
    return next((name for name in wanted if name in names and name != but), "")


def _first_text(cases: Sequence[Case], names: Sequence[str], *, but: str) -> str:
    for name in names:
        if name not in {"id", but} and any(name in case and isinstance(case[name], str) for case in cases):
            return name
    return ""
