"""Which mark is the closest: parameter set, function, class, base classes, module, package.

pytest's ``iter_markers`` has the marks of base classes before those of the class, and the marks of a
parameter set behind those of the function.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

__all__ = ["marks_of", "parameter_marks"]


def marks_of(item: pytest.Item, name: str) -> list[pytest.Mark]:
    """The marks of that name, closest first."""
    found: list[pytest.Mark] = []
    for node in item.iter_parents():
        own = [mark for mark in node.own_markers if mark.name == name]
        if isinstance(node, pytest.Class):
            places = [id(mark) for mark in _class_marks(node.obj)]
            own.sort(key=lambda mark: places.index(id(mark)) if id(mark) in places else -1)
        elif node is item:
            own.sort(key=lambda mark: mark not in parameter_marks(item))
        found += own
    return found


def parameter_marks(item: pytest.Item) -> Sequence[Any]:
    """The marks of the parameter set of ``item``."""
    callspec = getattr(item, "callspec", None)
    return callspec.marks if callspec else ()


def _class_marks(kind: type) -> Iterator[Any]:
    for base in kind.__mro__:
        marks = vars(base).get("pytestmark", ())
        for mark in marks if isinstance(marks, list | tuple) else (marks,):
            yield getattr(mark, "mark", mark)
