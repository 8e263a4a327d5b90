"""What the JSON report of a session says of baselines; as untrusted as any file that somebody hands over."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from pytest_llmrel.baselines.document import parse, shown
from pytest_llmrel.baselines.place import FOLDER
from pytest_llmrel.baselines.schema import BatchRecord, Hex, Text, sentences
from pytest_llmrel.core.baseline import Batch
from pytest_llmrel.errors import BaselineError

__all__ = [
    "EntryAddress",
    "Open",
    "ReportedBaseline",
    "ReportedTest",
    "checked",
    "inside",
    "read_document",
    "read_report",
    "read_unused",
    "read_unused_tapes",
]

_SCHEMA: Final = 1
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ReportedBaseline:
    """What a session says of the baseline of one test.

    Attributes:
        file: of the baseline, relative to the root of the session; see ``inside``.
        entry: name in it.
        status: what the session made of it.
        content: hash of what the test does.
        provenance: under which it was run.
        former: name of the entry of the renamed test.
        batch: what it would add, ``None`` if it must not.
        why_not: why there is no batch.
    """

    file: str
    entry: str
    status: str
    content: str
    provenance: Mapping[str, str]
    former: str | None
    batch: Batch | None
    why_not: str


@dataclass(frozen=True, slots=True)
class ReportedTest:
    """One test of a report; ``baseline`` is ``None`` if it was run without."""

    nodeid: str
    baseline: ReportedBaseline | None


@dataclass(frozen=True, slots=True, order=True)
class EntryAddress:
    """An entry of a baseline file, the file relative to the root of the session."""

    file: str
    entry: str


def read_report(path: Path) -> list[ReportedTest]:
    """The tests of a report, in its order.

    Raises:
        BaselineError: it is no report, or not a trustworthy one.
    """
    return [test.value() for test in _read(path, _Document).tests]


def read_unused(path: Path) -> list[EntryAddress]:
    """The entries that no collected test has, sorted.

    Raises:
        BaselineError: it is no report, or not a trustworthy one.
    """
    document = _read(path, _UnusedDocument)
    return sorted({EntryAddress(unused.file, unused.entry) for unused in document.suite.unused})


def read_unused_tapes(path: Path) -> list[str]:
    """The tapes that no collected test has, relative to the root of the session, sorted.

    Raises:
        BaselineError: it is no report, or not a trustworthy one.
    """
    return sorted(set(_read(path, _UnusedTapesDocument).suite.unused_tapes))


def inside(root: Path, file: str) -> Path:
    """Where a baseline file of a report is.

    Raises:
        BaselineError: a link on the way leads out of the root.
    """
    found = root / file
    # Not Path.resolve(), which raises at links in a circle, in some versions of Python.
    if not Path(os.path.realpath(found)).is_relative_to(os.path.realpath(root)):
        raise BaselineError(f"{found}: leads out of {root}; give the root of that session by --root")
    return found


def _is_baseline_file(file: str) -> str:
    path = PurePosixPath(file)
    parts = path.parts
    is_plain = "\\" not in file and "\0" not in file and not PureWindowsPath(file).drive
    if not is_plain or path.is_absolute() or ".." in parts:
        raise PydanticCustomError("path", "should be a path below the root, with '/'")
    if parts[-2:-1] != (FOLDER,) or path.suffix != ".json":
        raise PydanticCustomError("path", "should be a .json file in a folder {folder}", {"folder": FOLDER})
    return file


def _is_tape(file: str) -> str:
    path = PurePosixPath(file)
    is_plain = "\\" not in file and "\0" not in file and not PureWindowsPath(file).drive
    if not is_plain or path.is_absolute() or ".." in path.parts or path.suffix != ".jsonl":
        raise PydanticCustomError("path", "should be a .jsonl file below the root, with '/'")
    return file


_File = Annotated[Text, AfterValidator(_is_baseline_file)]
_Tape = Annotated[Text, AfterValidator(_is_tape)]


class Open(BaseModel):
    """Takes nothing for something else; keys may be added to a report at any time."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class _Baseline(Open):
    file: _File
    entry: Text
    status: Text = ""
    content: Hex
    provenance: dict[Text, Text]
    former: Text | None = None
    batch: BatchRecord | None
    why_not: Text = ""

    def value(self) -> ReportedBaseline:
        return ReportedBaseline(
            self.file,
            self.entry,
            self.status,
            self.content,
            dict(self.provenance),
            self.former,
            None if self.batch is None else self.batch.value(),
            self.why_not,
        )


class _Test(Open):
    nodeid: Text
    baseline: _Baseline | None = None

    def value(self) -> ReportedTest:
        return ReportedTest(self.nodeid, None if self.baseline is None else self.baseline.value())


class _Document(Open):
    tests: list[_Test]


class _Unused(Open):
    file: _File
    entry: Text


class _Suite(Open):
    unused: list[_Unused]


class _UnusedDocument(Open):
    suite: _Suite


class _SuiteOfTapes(Open):
    unused_tapes: list[_Tape]


class _UnusedTapesDocument(Open):
    suite: _SuiteOfTapes


def _read(path: Path, model: type[_Model]) -> _Model:
    return checked(path, read_document(path), model)


def read_document(path: Path) -> Any:
    """The document of a report, of which nothing but the schema is known to be right.

    Raises:
        BaselineError: it is no report of this schema.
    """
    try:
        document = parse(path.read_bytes(), "give a report of --llmrel-json")
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise BaselineError(f"{path}: {error}") from None
    _check_schema(path, document)
    return document


def checked(path: Path, document: Any, model: type[_Model]) -> _Model:
    """The document as ``model``.

    Raises:
        BaselineError: it is none; every mistake is told.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise BaselineError(*[f"{path}: {sentence}" for sentence in sentences(error)]) from None


def _check_schema(path: Path, document: Any) -> None:
    schema = document.get("schema") if isinstance(document, dict) else None
    if type(schema) is int and schema > _SCHEMA:
        raise BaselineError(
            f"{path}: written by a newer pytest_llmrel (schema {shown(schema)}, this one knows {_SCHEMA}); "
            "upgrade pytest_llmrel"
        )
    if type(schema) is not int or schema != _SCHEMA:
        raise BaselineError(f"{path}: not a report of --llmrel-json (no schema {_SCHEMA})")
