"""Rows are validated by the user's pydantic model; its complaints become problems of a line."""

from typing import TYPE_CHECKING, Any

from pytest_llmrel.datasets.problems import Problems, clipped, plain, shown
from pytest_llmrel.datasets.rows import Row
from pytest_llmrel.errors import DatasetError

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["check_schema", "names_of", "validated"]


def check_schema(schema: object) -> None:
    """Checks that it is a model, before any row is read.

    Raises:
        DatasetError: it is none.
    """
    from pydantic import BaseModel

    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        raise DatasetError(f"schema is {clipped(repr(schema))}; give a subclass of pydantic.BaseModel")


def validated(schema: "type[BaseModel]", row: Row, problems: Problems) -> "BaseModel | None":
    """The row as a model, ``None`` if it is not valid, which has been told: one problem for each field."""
    from pydantic import ValidationError

    try:
        return schema.model_validate(dict(row.fields))
    except ValidationError as error:
        for one in error.errors(include_url=False, include_context=False):
            problems.add(_said(one), row.line, row.column)
    except Exception as error:  # noqa: BLE001 - a validator of the user's may raise anything
        said = clipped(f"{type(error).__name__}: {error}")
        problems.add(f"{schema.__name__} cannot validate it ({said})", row.line, row.column)
    return None


def names_of(model: "BaseModel") -> tuple[str, ...]:
    """The fields of a row: those of its model, and whatever else the model has let in."""
    return (*type(model).model_fields, *(model.model_extra or ()))


def _said(error: Any) -> str:
    place = ".".join(plain(part) if isinstance(part, str) else str(part) for part in error["loc"][:10])
    said = clipped(error["msg"])
    is_there = f", and is {shown(error['input'])}" if error["type"] != "missing" else ""
    return f"{place or 'the row'}: {said}{is_there}"
