"""Reads golden cases from a file: all of them, or none and everything that is wrong with it."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_llmrel.core.case import Case
from pytest_llmrel.datasets.columns import Columns
from pytest_llmrel.datasets.csvrows import csv_rows
from pytest_llmrel.datasets.jsonrows import json_rows, jsonl_rows
from pytest_llmrel.datasets.problems import Problems, shown
from pytest_llmrel.datasets.rows import Reader, Row
from pytest_llmrel.datasets.schema import check_schema, names_of, validated
from pytest_llmrel.datasets.tomlrows import toml_rows
from pytest_llmrel.datasets.values import content_id, field_problems, given_id, id_problems
from pytest_llmrel.errors import DatasetError

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Dataset", "check_path", "read_cases", "read_dataset"]

_READERS: Final[dict[str, Reader]] = {
    ".csv": csv_rows,
    ".json": json_rows,
    ".jsonl": jsonl_rows,
    ".toml": toml_rows,
}
_YAML: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Dataset:
    """The cases of a file and where they stand.

    Attributes:
        path: the file.
        cases: in the order of the file.
        lines: the line that each begins in, 1-based.
    """

    path: Path
    cases: tuple[Case, ...]
    lines: Sequence[int]


def read_cases(path: Path, schema: "type[BaseModel] | None" = None) -> tuple[Case, ...]:
    """The cases of a file, in its order.

    The suffix says what it is: ``.jsonl`` (an object a line), ``.json`` (a list of objects), ``.csv`` (every
    field is text), ``.toml`` (tables ``[[case]]``), ``.yaml`` or ``.yml`` (a list of mappings; the extra
    ``yaml``). The id of a case is its column ``id``, else a hash of its content. All rows have the same
    columns, unless a schema says otherwise.

    Args:
        path: the file.
        schema: a pydantic model by which every row is validated; the fields of the cases are then its own.

    Raises:
        DatasetError: it cannot be used; ``problems`` has all that is wrong with it, by line, at most 50.
    """
    return read_dataset(path, schema).cases


def read_dataset(path: Path, schema: "type[BaseModel] | None" = None) -> Dataset:
    """The cases and their lines; see :func:`read_cases`.

    Raises:
        DatasetError: it cannot be used.
    """
    reader = check_path(path)
    if schema is not None:
        check_schema(schema)
    problems = Problems(path)
    made = _Cases(schema, problems)
    try:
        with path.open("rb") as file:
            for row in reader(file, problems):
                made.add(row)
    except OSError as error:
        raise _unreadable(path, error) from error
    made.check_all()
    problems.raise_all()
    return Dataset(path, tuple(made.cases), made.lines)


def check_path(path: Path) -> Reader:
    """What reads a file with such a name.

    Raises:
        DatasetError: there is no such file, its suffix says nothing, or PyYAML is wanted and missing.
    """
    try:
        if path.is_dir():
            raise DatasetError(f"{path}: a folder; name the file of the cases")
        if not path.exists():
            raise DatasetError(f"{path}: no such file; write the cases there, or correct the path")
        if not path.is_file():
            raise DatasetError(f"{path}: not a regular file; copy the cases into one")
    except OSError as error:
        raise _unreadable(path, error) from error
    suffix = path.suffix.lower()
    if suffix in _YAML:
        return _yaml_reader(path)
    if suffix not in _READERS:
        known = ", ".join([*_READERS, *_YAML])
        raise DatasetError(f"{path}: nothing is known of such a suffix; there are {known}")
    return _READERS[suffix]


def _yaml_reader(path: Path) -> Reader:
    try:
        from pytest_llmrel.datasets.yamlrows import yaml_rows
    except ModuleNotFoundError:
        raise DatasetError(f"{path}: YAML needs PyYAML; run: pip install pytest-llmrel[yaml]") from None
    return yaml_rows


def _unreadable(path: Path, error: OSError) -> DatasetError:
    return DatasetError(f"{path}: cannot be read ({error.strerror or error}); check its permissions")


class _Cases:
    """Rows become cases; what is wrong with them is told, and none is used in the end."""

    def __init__(self, schema: "type[BaseModel] | None", problems: Problems) -> None:
        self.cases: list[Case] = []
        self.lines = array("L")
        self._schema, self._problems = schema, problems
        self._columns = Columns()
        self._number_of: dict[str, int] = {}

    def add(self, row: Row) -> None:
        """One more row, which may be wrong."""
        if self._schema is None and row.fields:
            self._columns.note(row)
        wrong = [*field_problems(row.fields), *id_problems(row.fields)]
        for said in wrong:
            self._problems.add(said, row.line, row.column)
        model = None if self._schema is None else validated(self._schema, row, self._problems)
        if wrong:
            return  # a row that the schema refuses goes on: its id may be that of another one
        case = self._case(row, model)
        self._check_unique(case.id, row)
        self.cases.append(case)
        self.lines.append(row.line)

    def check_all(self) -> None:
        """What can be told when all rows are there."""
        self._columns.tell(self._problems)
        if not self.cases and not self._problems.count:
            self._problems.add("holds no cases; write one at least")

    def _case(self, row: Row, model: "BaseModel | None") -> Case:
        given = given_id(row.fields)
        name = content_id(row.fields) if given is None else given
        if model is not None:
            return Case(name, self._columns.shared(names_of(model)), model=model)
        return Case(name, self._columns.shared(tuple(row.fields)), tuple(row.fields.values()))

    def _check_unique(self, name: str, row: Row) -> None:
        number = self._number_of.setdefault(name, len(self.cases))
        if number == len(self.cases):
            return
        line = self.lines[number]
        former = f"line {line}" if line != row.line else f"case {number + 1} of this line"
        if "id" in row.fields:
            said = f"id {shown(name)} is that of {former}, too; give each case its own"
        else:
            said = f"the same as {former}; remove one of them, or give each case an id"
        self._problems.add(said, row.line, row.column)
