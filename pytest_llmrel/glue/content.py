"""What a test does, whatever its name: a hash by which the baseline of a renamed test is found."""

import ast
import inspect
from collections.abc import Callable
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any

import pytest

from pytest_llmrel.core.plan import RunPlan

__all__ = ["content_of", "definition_of"]


def content_of(item: pytest.Function, plan: RunPlan) -> str:
    """Sixteen hex digits of code, parameter set and written wordings; names, marks, comments do not count."""
    callspec = getattr(item, "callspec", None)
    parts = [_code(item.function), callspec.id if callspec else "", *_keys(plan)]
    return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _keys(plan: RunPlan) -> list[str]:
    return sorted(variant.key for variant in plan.inputs.variants)


def definition_of(function: Callable[..., Any]) -> ast.stmt | None:
    """The statement that defines a function, ``None`` where there is no source: it was made at run time."""
    try:
        source = inspect.getsource(_unwrapped(function))
        # Not dedented: a text that begins at the margin would keep all the rest where it is.
        tree = ast.parse(f"if 1:\n{source}" if source[:1].isspace() else source)
        (definition,) = tree.body[0].body if isinstance(tree.body[0], ast.If) else tree.body
    except (OSError, TypeError, ValueError, SyntaxError):
        return None
    return definition


def _unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    while isinstance(function, partial):
        function = function.func
    innermost: Callable[..., Any] = inspect.unwrap(function)
    return innermost


@lru_cache(maxsize=4096)
def _code(function: Callable[..., Any]) -> str:
    definition = definition_of(function)
    if definition is None:
        function = _unwrapped(function)
        return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"
    if isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        definition.name, definition.decorator_list = "test", []
        if ast.get_docstring(definition) is not None:
            definition.body = definition.body[1:] or [ast.Pass()]
    return ast.unparse(definition)
