"""Answers that people have labelled, as JSON lines: all mistakes of a file at once, each with its line."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from pytest_llmrel.baselines.document import parse, shown
from pytest_llmrel.baselines.schema import Text, sentences
from pytest_llmrel.errors import CalibrationError

__all__ = ["Labelled", "Labels", "read_labels"]

_MOST_LINE: Final = 8 * 2**20
_MOST_ITEMS: Final = 100_000
_MOST_PROBLEMS: Final = 20
_FORMAT: Final = (
    'write {"question": "...", "context": "...", "answer": "...", "label": "faithful"} on a line of its own'
)
_CONFLICT: Final = "resolve it"
_BOM: Final = b"\xef\xbb\xbf"
_WORDS: Final = {"faithful": True, "unfaithful": False}


@dataclass(frozen=True, slots=True)
class Labelled:
    """One answer and what people say of it; untrusted text.

    Attributes:
        line: in the file, from 1.
        answer: to be judged.
        context: in which it should stay.
        question: that it answers, or ``""``.
        faithful: what people say.
    """

    line: int
    answer: str
    context: str
    question: str
    faithful: bool


@dataclass(frozen=True, slots=True)
class Labels:
    """A file of labels.

    Attributes:
        items: in order of the file; some faithful, some not; none twice.
        digest: SHA-256 of the file, hexadecimal.
    """

    items: tuple[Labelled, ...]
    digest: str


def read_labels(path: Path) -> Labels:
    """The labelled answers of a file: an object a line, with answer, context, label and maybe question.

    A label is 1 or 0, true or false, "faithful" or "unfaithful". Other keys are left alone, like empty lines.

    Raises:
        CalibrationError: with file and line of all that is wrong, up to 20 mistakes.
    """
    items: list[Labelled] = []
    problems: list[str] = []
    seen: dict[bytes, Labelled] = {}
    digest = sha256()
    for number, line in _lines(path, digest.update):
        try:
            item = _item(number, line)
            _check_new(item, seen)
        except ValidationError as error:
            problems += [f"{path}:{number}: {said}" for said in sentences(error)]
        except ValueError as error:
            problems.append(f"{path}:{number}: {error}")
        else:
            items.append(item)
        if len(items) > _MOST_ITEMS or len(problems) > _MOST_PROBLEMS:
            break
    problems = problems or [f"{path}: {said}" for said in _about_all(items)]
    if len(problems) > _MOST_PROBLEMS:
        problems[_MOST_PROBLEMS:] = [f"{path}: and more mistakes after these"]
    if problems:
        raise CalibrationError(*problems)
    return Labels(tuple(items), digest.hexdigest())


def _label(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in {0, 1}:
        return bool(value)
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    raise PydanticCustomError("label", "should be 1 or 0, true or false, 'faithful' or 'unfaithful'")


def _not_empty(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("nothing", "should not be empty")
    return text


class _Line(BaseModel):
    """An object of a line."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    answer: Annotated[Text, AfterValidator(_not_empty)]
    context: Annotated[Text, AfterValidator(_not_empty)]
    question: Text | None = None
    label: Annotated[bool, BeforeValidator(_label)]


def _item(number: int, line: bytes) -> Labelled:
    if len(line) > _MOST_LINE:
        raise ValueError(f"longer than {_MOST_LINE >> 20} MB; shorten its context")
    document = parse(line, _FORMAT, _CONFLICT)
    if not isinstance(document, dict):
        raise ValueError(f"{shown(document)}, where an object should be; {_FORMAT}")  # noqa: TRY004  # what is wrong with a file is a ValueError here
    checked = _Line.model_validate(document)
    return Labelled(number, checked.answer, checked.context, checked.question or "", checked.label)


def _check_new(item: Labelled, seen: dict[bytes, Labelled]) -> None:
    """The same item twice would make the calibration surer than it is."""
    key = sha256(json.dumps([item.answer, item.context, item.question]).encode()).digest()
    before = seen.setdefault(key, item)
    if before is item:
        return
    if before.faithful != item.faithful:
        raise ValueError(
            f"the item of line {before.line} again, with the opposite label; decide which is right"
        )
    raise ValueError(f"the item of line {before.line} again; remove one of the two")


def _about_all(items: list[Labelled]) -> Iterator[str]:
    kinds = {item.faithful for item in items}
    if not items:
        yield f"no labelled answer; {_FORMAT}"
    elif len(kinds) == 1:
        kind, other = ("faithful", "unfaithful") if items[0].faithful else ("unfaithful", "faithful")
        yield f"all {len(items)} answers are {kind}; a judge is calibrated by {other} ones, too: add some"
    elif len(items) > _MOST_ITEMS:
        yield f"more than {_MOST_ITEMS} answers; a few hundred will do"


def _lines(path: Path, digest: Callable[[bytes], object]) -> Iterator[tuple[int, bytes]]:
    """Number and text of the lines that are not empty; of an endless one, as much as tells that it is."""
    try:
        if path.exists() and not path.is_file():
            raise CalibrationError(f"{path}: not a regular file; give a file of JSON lines")
        with path.open("rb") as file:
            number, is_start = 0, True
            while line := file.readline(_MOST_LINE + 2):
                digest(line)
                number += is_start
                if is_start and line.removeprefix(_BOM).strip():
                    yield number, line
                is_start = line.endswith(b"\n")
    except FileNotFoundError:
        raise CalibrationError(f"{path}: no such file") from None
    except OSError as error:
        raise CalibrationError(f"{path}: cannot be read ({error.strerror or error})") from error
