"""The baseline file, schema 1, as pydantic checks it, and the way between it and the values of the core."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from pytest_llmrel.baselines.document import is_text, plain, shown
from pytest_llmrel.core.baseline import BaselineEntry, Batch, Cell, Expenses, ScoreSummary

__all__ = [
    "SCHEMA",
    "BatchRecord",
    "CellRecord",
    "EntryRecord",
    "ExpensesRecord",
    "Hex",
    "Moment",
    "ScoreRecord",
    "Text",
    "entry_data",
    "sentences",
]

SCHEMA: Final = 1
_HEX_DIGITS: Final = 16
_MOST_RUNS: Final = 1_000_000
_MOST_SENTENCES: Final = 20
_PARTS: Final = {"batches": "batch", "cells": "cell", "tests": "test", "unused": "unused entry"}
_PYDANTIC_WORDS: Final = {
    "missing": "is missing",
    "extra_forbidden": "is no key of this format",
    "too_short": "is empty",
}


def _hexadecimal(text: str) -> str:
    if len(text) != _HEX_DIGITS or not set(text) <= set("0123456789abcdef"):
        raise PydanticCustomError("hex", "should be sixteen hexadecimal digits")
    return text


def _moment(text: str) -> str:
    try:
        again = f"{datetime.strptime(text, '%Y-%m-%dT%H:%M:%SZ').isoformat()}Z"  # noqa: DTZ007 (Z is UTC)
    except ValueError:
        again = ""
    # The reader alone would also take one digit where two belong, and digits of other scripts.
    if again != text:
        raise PydanticCustomError("moment", "should be a time in UTC such as '2026-11-23T09:30:00Z'")
    return text


def _characters(text: str) -> str:
    if not is_text(text):
        raise PydanticCustomError("characters", "holds halves of characters")
    return text


def _without_doubles(names: tuple[str, ...], value: Any, handler: Callable[[Any], Any]) -> Any:
    """Looks for doubles even among what has other mistakes, so that all are told at once."""
    items = value if isinstance(value, list) else []
    addresses = [tuple(item.get(name) for name in names) for item in items if isinstance(item, dict)]
    known = [address for address in addresses if all(isinstance(part, str) for part in address)]
    seen: set[tuple[Any, ...]] = set()
    doubles = dict.fromkeys(address for address in known if address in seen or seen.add(address))  # type: ignore[func-returns-value]
    mistakes = [_double(names, address) for address in doubles]
    try:
        checked = handler(value)
    except ValidationError as error:
        mistakes = [*map(_again, error.errors(include_url=False)), *mistakes]
    if mistakes:
        raise ValidationError.from_exception_data("mistakes", mistakes)
    return checked


def _double(names: tuple[str, ...], address: tuple[Any, ...]) -> InitErrorDetails:
    parts = ", ".join(f"{name} {shown(part)}" for name, part in zip(names, address, strict=True))
    return _mistake("is_twice", f"{parts} is there twice: a merge gone wrong?")


def _again(error: Any) -> InitErrorDetails:
    return _mistake(error["type"], error["msg"], error["loc"], error["input"])


def _mistake(kind: str, text: str, loc: tuple[int | str, ...] = (), value: object = None) -> InitErrorDetails:
    # The kind is a constant of ours or of pydantic's, the text is data: no template.
    return {"type": PydanticCustomError(kind, "{text}", {"text": text}), "loc": loc, "input": value}


Hex = Annotated[str, AfterValidator(_hexadecimal)]
Text = Annotated[str, AfterValidator(_characters)]
Moment = Annotated[str, AfterValidator(_moment)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    """Takes nothing for something else, and no key that it does not know."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class CellRecord(_Strict):
    """Counts of one case in one wording."""

    case: Text
    variant: Text
    passed: int = Field(ge=0)
    n: int = Field(ge=0, le=_MOST_RUNS)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.passed > self.n:
            raise PydanticCustomError(
                "impossible",
                "{passed} passed of {n} runs is impossible",
                {"passed": shown(self.passed), "n": self.n},
            )
        return self


class ScoreRecord(_Strict):
    """A recorded score of one session."""

    n: int = Field(ge=1, le=_MOST_RUNS)
    mean: _Finite
    sd: Annotated[_Finite, Field(ge=0)] | None


class ExpensesRecord(_Strict):
    """What the runs of one session took."""

    runs: int = Field(ge=1, le=_MOST_RUNS)
    calls: int = Field(ge=1)
    usd: Annotated[_Finite, Field(ge=0)] | None
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)


class BatchRecord(_Strict):
    """What one session added."""

    id: Hex
    recorded: Moment
    pytest_llmrel: Text
    cells: Annotated[
        list[CellRecord], Field(min_length=1), WrapValidator(partial(_without_doubles, ("case", "variant")))
    ]
    scores: dict[Text, ScoreRecord]
    expenses: ExpensesRecord | None = None

    def value(self) -> Batch:
        """The batch as the core knows it."""
        cells = tuple(Cell(cell.case, cell.variant, cell.passed, cell.n) for cell in self.cells)
        scores = {name: ScoreSummary(score.n, score.mean, score.sd) for name, score in self.scores.items()}
        expenses = None if self.expenses is None else Expenses(**self.expenses.model_dump())
        return Batch(self.id, self.recorded, self.pytest_llmrel, cells, scores, expenses)


class EntryRecord(_Strict):
    """All that is remembered of one test."""

    content: Hex
    provenance: dict[Text, Text]
    batches: Annotated[
        list[BatchRecord], Field(min_length=1), WrapValidator(partial(_without_doubles, ("id",)))
    ]

    def value(self) -> BaselineEntry:
        """The entry as the core knows it."""
        batches = tuple(batch.value() for batch in self.batches)
        return BaselineEntry(self.content, dict(self.provenance), batches)


def entry_data(entry: BaselineEntry) -> dict[str, Any]:
    """The entry as it stands in the file."""
    return {
        "content": entry.content,
        "provenance": dict(entry.provenance),
        "batches": [_batch_data(batch) for batch in entry.batches],
    }


def _batch_data(batch: Batch) -> dict[str, Any]:
    spent = {} if batch.expenses is None else {"expenses": asdict(batch.expenses)}
    return {
        **spent,
        "id": batch.id,
        "recorded": batch.recorded,
        "pytest_llmrel": batch.version,
        "cells": [asdict(cell) for cell in batch.cells],
        "scores": {name: asdict(score) for name, score in batch.scores.items()},
    }


def sentences(error: ValidationError) -> list[str]:
    """What is wrong, in one plain sentence per mistake, printable and not without end."""
    errors = error.errors(include_url=False)
    told = [_sentence(mistake) for mistake in errors[:_MOST_SENTENCES]]
    more = len(errors) - len(told)
    return [*told, f"and {more} more mistakes"] if more else told


def _sentence(mistake: Any) -> str:
    place = _place(mistake["loc"]) or "it"
    kind, text = mistake["type"], mistake["msg"]
    if words := _PYDANTIC_WORDS.get(kind):
        return f"{place} {words}"
    text = text.removeprefix("Input ").partition(" or instance of ")[0]
    if kind in {"impossible", "is_twice"}:
        return f"{place}: {text}"
    return f"{place} {text}, and is {shown(mistake['input'])}"


def _place(loc: tuple[int | str, ...]) -> str:
    """``batch 2: cell 1: passed``."""
    words: list[str] = []
    for part in loc:
        if isinstance(part, int):
            words[-1:] = [f"{_PARTS.get(words[-1], words[-1])} {part + 1}"]
        elif part != "[key]":
            words.append(plain(part))
    return ": ".join(words)
