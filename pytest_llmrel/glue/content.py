"""What a test does, whatever its name: a hash by which the baseline of a renamed test is found."""

import ast
import inspect
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from pytest_llmrel.core.plan import RunPlan

__all__ = ["content_of", "decorators_of"]

_Written = tuple[str, tuple[tuple[str, str], ...]]
"""Code and decorators of a function."""
# Weak: a function keeps its module, and that the whole session that has imported it.
_known: WeakKeyDictionary[Callable[..., Any], _Written] = WeakKeyDictionary()


def content_of(item: pytest.Function, plan: RunPlan) -> str:
    """Sixteen hex digits of code, parameter set and written wordings; names, marks, comments do not count."""
    callspec = getattr(item, "callspec", None)
    parts = [_code(item.function), callspec.id if callspec else "", *_keys(plan)]
    return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _keys(plan: RunPlan) -> list[str]:
    return sorted(variant.key for variant in plan.inputs.variants)


def decorators_of(function: Callable[..., Any]) -> tuple[tuple[str, str], ...]:
    """The decorators of a function as ``(last part of the name, whole text)``; none if it has no source."""
    return _written(function)[1]


def _code(function: Callable[..., Any]) -> str:
    return _written(function)[0]


def _written(function: Callable[..., Any]) -> _Written:
    found = _known.get(function)
    if found is None:
        found = _known[function] = _read(function)
    return found


def _read(function: Callable[..., Any]) -> _Written:
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    try:
        source = inspect.getsource(function)
        # Not dedented: a text that begins at the margin would keep all the rest where it is.
        tree = ast.parse(f"if 1:\n{source}" if source[:1].isspace() else source)
        (definition,) = tree.body[0].body if isinstance(tree.body[0], ast.If) else tree.body
    except (OSError, TypeError, ValueError, SyntaxError):  # made at run time: there is only its name
        return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}", ()
    decorators: tuple[tuple[str, str], ...] = ()
    if isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        decorators = tuple((_last_name(each), ast.unparse(each)) for each in definition.decorator_list)
        definition.name, definition.decorator_list = "test", []
        if ast.get_docstring(definition) is not None:
            definition.body = definition.body[1:] or [ast.Pass()]
    return ast.unparse(definition), decorators


def _last_name(decorator: ast.expr) -> str:
    """``krun`` of ``@pytest.mark.krun(5)``."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
