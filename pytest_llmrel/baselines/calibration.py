"""Records of judges on disk, schema 1: read with suspicion, written whole, never over another one unasked."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from pytest_llmrel.baselines.document import canonical, parse, shown
from pytest_llmrel.baselines.lock import locked
from pytest_llmrel.baselines.place import JUDGES, calibration_path
from pytest_llmrel.baselines.schema import Moment, Text, sentences
from pytest_llmrel.core.calibration import Calibration, Retest
from pytest_llmrel.core.files import write_atomically
from pytest_llmrel.errors import BaselineError, CalibrationError

__all__ = ["check_free", "find_calibration", "read_calibration", "write_calibration"]

_SCHEMA: Final = 1
_MOST_BYTES: Final = 100_000
_RESTORE: Final = (
    "restore it from version control, or delete it and calibrate anew with 'llmrel judge calibrate'"
)
_CONFLICT: Final = "keep the record of one side, whole"
_MOST_ITEMS: Final = 10_000_000


def read_calibration(path: Path) -> Calibration:
    """The record of a judge.

    Raises:
        CalibrationError: it is not there, damaged, no such record, or of a newer version.
    """
    document = _document(path)
    _check_schema(path, document)
    try:
        return _Document.model_validate(document).value()
    except ValidationError as error:
        raise CalibrationError(*[f"{path}: {said}; {_RESTORE}" for said in sentences(error)]) from None


def find_calibration(root: Path, model: str, prompt_hash: str) -> Calibration | None:
    """The record of this model with this prompt; else the newest of the model; else the newest there is.

    What came instead tells what has changed since: see `judge_changed` of the verdict.

    Args:
        root: pytest's rootdir.
        model: of the judge.
        prompt_hash: of its prompt.

    Returns:
        None where no judge has been calibrated.

    Raises:
        CalibrationError: the record of this judge is damaged, or another one that might be it.
    """
    exact = calibration_path(root, model, prompt_hash)
    if exact.exists() or exact.is_symlink():
        return read_calibration(exact)
    found: list[Calibration] = []
    problems: list[str] = []
    for path in sorted((root / JUDGES).glob("*.json")):
        try:
            found.append(read_calibration(path))
        except CalibrationError as error:
            problems += error.problems
    # A record may have been given a name of its own; a damaged one may be the one that is looked for.
    if problems and not any(_is(record, model, prompt_hash) for record in found):
        raise CalibrationError(*problems)

    def closeness(record: Calibration) -> tuple[bool, bool, str]:
        return _is(record, model, prompt_hash), record.model == model, record.recorded

    return max(found, key=closeness, default=None)


def check_free(path: Path, *, replace: bool = False) -> None:
    """Whether a record may be written there.

    Args:
        path: of the record.
        replace: whether another readable record may be lost.

    Raises:
        CalibrationError: there is a record and it may not be replaced, or there is something else.
    """
    if not (path.exists() or path.is_symlink()):
        return
    before = read_calibration(path)
    if not replace:
        raise CalibrationError(
            f"{path}: there is a record already, of {before.n} items, from {before.recorded[:10]}; "
            "add --replace to replace it, or give another file by --out"
        )


def write_calibration(path: Path, record: Calibration, *, replace: bool = False) -> None:
    """Writes a record, all or nothing.

    Args:
        path: of the file; missing folders are made.
        record: of a judge.
        replace: whether another readable record may be lost.

    Raises:
        CalibrationError: see `check_free`; or the record could not be read again, or it cannot be written.
    """
    data = _data(record)
    try:
        _Document.model_validate(data)
        with locked(path.parent):
            check_free(path, replace=replace)
            write_atomically(path, canonical(data))
    except ValidationError as error:
        raise CalibrationError(*[f"{path}: not written: {said}" for said in sentences(error)]) from None
    except BaselineError as error:
        raise CalibrationError(*error.problems) from error
    except OSError as error:
        raise CalibrationError(f"{path}: cannot be written ({error.strerror or error})") from error


class _Strict(BaseModel):
    """Takes nothing for something else, and no key that it does not know."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_Count = Annotated[int, Field(ge=0, le=_MOST_ITEMS)]


class _Judge(_Strict):
    model: Annotated[Text, Field(min_length=1)]
    prompt_version: Text
    prompt_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{8,128}$")]
    threshold: Annotated[float, Field(ge=0, le=1)]


class _Counts(_Strict):
    tp: _Count
    fn: _Count
    tn: _Count
    fp: _Count
    unscored: _Count


class _Retest(_Strict):
    items: Annotated[int, Field(ge=1, le=_MOST_ITEMS)]
    differing: _Count
    pairs: Annotated[int, Field(ge=1)]
    differing_pairs: Annotated[int, Field(ge=0)]


class _Document(_Strict):
    judge_record: Literal[1]
    judge: _Judge
    recorded: Moment
    pytest_llmrel: Text
    labels_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    counts: _Counts
    retest: _Retest | None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        counts, again = self.counts, self.retest
        judged = counts.tp + counts.fn + counts.tn + counts.fp
        if not judged:
            raise PydanticCustomError("impossible", "no item was judged")
        if again is None:
            return self
        fits = again.differing <= again.items <= min(judged, again.pairs)
        if not fits or not again.differing <= again.differing_pairs <= again.pairs:
            raise PydanticCustomError("impossible", "the counts of the retest do not fit together")
        if bool(again.differing) != bool(again.differing_pairs):
            raise PydanticCustomError("impossible", "items differ if pairs do, and only then")
        return self

    def value(self) -> Calibration:
        return Calibration(
            **self.judge.model_dump(),
            recorded=self.recorded,
            version=self.pytest_llmrel,
            labels_hash=self.labels_hash,
            **self.counts.model_dump(),
            retest=None if self.retest is None else Retest(**self.retest.model_dump()),
        )


def _data(record: Calibration) -> dict[str, Any]:
    judge = ("model", "prompt_version", "prompt_hash", "threshold")
    counts = ("tp", "fn", "tn", "fp", "unscored")
    return {
        "judge_record": _SCHEMA,
        "judge": {name: getattr(record, name) for name in judge},
        "recorded": record.recorded,
        "pytest_llmrel": record.version,
        "labels_hash": record.labels_hash,
        "counts": {name: getattr(record, name) for name in counts},
        "retest": None if record.retest is None else asdict(record.retest),
    }


def _is(record: Calibration, model: str, prompt_hash: str) -> bool:
    return (record.model, record.prompt_hash) == (model, prompt_hash)


def _document(path: Path) -> Any:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for, for ever
            raise CalibrationError(f"{path}: not a regular file; move it away")
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise CalibrationError(f"{path}: no such file; make it with 'llmrel judge calibrate'") from None
    except OSError as error:
        raise CalibrationError(
            f"{path}: cannot be read ({error.strerror or error}); check its permissions"
        ) from error
    if len(data) > _MOST_BYTES:
        raise CalibrationError(f"{path}: too large for the record of a judge; {_RESTORE}")
    try:
        return parse(data, _RESTORE, _CONFLICT)
    except ValueError as error:
        raise CalibrationError(f"{path}: {error}") from None


def _check_schema(path: Path, document: Any) -> None:
    schema = document.get("judge_record") if isinstance(document, dict) else None
    if type(schema) is int and schema > _SCHEMA:
        raise CalibrationError(
            f"{path}: written by a newer pytest_llmrel (judge_record {shown(schema)}, this one knows "
            f"{_SCHEMA}); upgrade pytest_llmrel"
        )
    if type(schema) is not int or schema != _SCHEMA:
        raise CalibrationError(
            f'{path}: not the record of a judge (no "judge_record": {_SCHEMA}); {_RESTORE}'
        )
