"""One row of a dataset: its id, and its fields as attributes or as items."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final, NoReturn

__all__ = ["Case"]

_MOST_SHOWN: Final = 40
_MOST_NAMED: Final = 12
_MUTABLE: Final = (list, dict, set)


class Case:
    """A row of a golden dataset; it cannot be changed, and all runs of the case share it.

    ``case.question`` and ``case["question"]`` give the same. A case has no methods of its own, so that
    every column can be had by its name: ``keys``, ``items`` and ``get`` are columns if there are such. Only
    ``id`` is always the id that the case has in reports (``case["id"]`` is what the row says), and names
    between double underscores are Python's.

    Lists, dicts and sets are given out as copies: what one run does to them no other run sees.

    Iterating gives the names of the fields; ``len``, ``in`` and ``str.format_map`` work. Cases are equal if
    ids and fields are, and hash by id.

    Args:
        id: what the case is called; unique within its dataset.
        names: the names of the fields; the cases of a dataset share the tuple.
        values: one each, or nothing if there is a ``model``.
        model: the validated row, if the dataset has a schema; attributes and items are then its own.

    Attributes:
        id: see above.
    """

    __slots__ = ("__model", "__names", "__values", "id")

    id: str

    def __init__(
        self,
        id: str,  # noqa: A002 - it is the name of the attribute
        names: tuple[str, ...],
        values: tuple[Any, ...] = (),
        model: object = None,
    ) -> None:
        if model is None and len(names) != len(values):
            raise ValueError(f"{len(names)} names and {len(values)} values")
        put = object.__setattr__
        put(self, "id", id)
        put(self, "_Case__names", names)
        put(self, "_Case__values", values)
        put(self, "_Case__model", model)

    def __getattr__(self, name: str) -> Any:
        # Protocols ask objects for such names; no column may answer them.
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name, name=name, obj=self)
        try:
            return _own(self.__value(name) if self.__model is None else getattr(self.__model, name))
        except (KeyError, AttributeError):
            raise AttributeError(self.__lacks(name), name=name, obj=self) from None

    def __getitem__(self, name: str) -> Any:
        try:
            return _own(self.__value(name))
        except KeyError:
            raise KeyError(self.__lacks(name)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.__names)

    def __len__(self) -> int:
        return len(self.__names)

    def __contains__(self, name: object) -> bool:
        return name in self.__names

    def __dir__(self) -> list[str]:
        return sorted({"id", *self.__names})

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a case cannot be changed ({_short(name)})")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a case cannot be changed ({_short(name)})")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Case):
            return NotImplemented
        return self.id == other.id and self.__fields() == other.__fields()

    def __hash__(self) -> int:
        return self.id.__hash__()

    def __reduce__(self) -> tuple[Any, ...]:
        return Case, (self.id, self.__names, self.__values, self.__model)

    def __copy__(self) -> "Case":
        return self

    def __deepcopy__(self, memo: object) -> "Case":
        return self

    def __repr__(self) -> str:
        shown = [f"{_plain(name)}={_short(self.__value(name))}" for name in self.__names[:_MOST_NAMED]]
        more = ["…"] if len(self.__names) > _MOST_NAMED else []
        return f"Case({', '.join([_short(self.id), *shown, *more])})"

    def __value(self, name: str) -> Any:
        if name not in self.__names:
            raise KeyError(name)
        return (
            self.__values[self.__names.index(name)] if self.__model is None else getattr(self.__model, name)
        )

    def __fields(self) -> dict[str, Any]:
        return {name: self.__value(name) for name in self.__names}

    def __lacks(self, name: object) -> str:
        named = ", ".join(_plain(known) for known in self.__names[:_MOST_NAMED])
        more = ", …" if len(self.__names) > _MOST_NAMED else ""
        return f"case {_short(self.id)} has no field {_short(name)}; it has {named}{more}"


def _own(value: Any) -> Any:
    return deepcopy(value) if isinstance(value, _MUTABLE) else value


def _plain(name: str) -> str:
    return name if name.isidentifier() and len(name) <= _MOST_SHOWN else _short(name)


def _short(value: object) -> str:
    """Bounded, on one line, printable: a field may hold megabytes, or escape sequences."""
    if isinstance(value, str):
        return repr(value if len(value) <= _MOST_SHOWN else f"{value[: _MOST_SHOWN - 1]}…")
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    held = f" of {len(value)}" if isinstance(value, _MUTABLE) else ""
    return f"<{type(value).__name__}{held}>"
