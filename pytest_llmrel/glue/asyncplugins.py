"""What must be known of pytest-asyncio and anyio, so that the async fixtures they drive keep working.

Function-scoped async fixtures need neither: a run drives its own (see ``runnode``). Higher-scoped ones are
set up by the plugin they belong to, on a loop of its own, and there the runs have to happen as well.
"""

import asyncio
import inspect
import sys
from typing import Any

import pytest

from pytest_llmrel.glue.asyncfixtures import is_async
from pytest_llmrel.glue.runnode import fixture_functions, value_of

__all__ = [
    "foreign_backend",
    "has_plugin_loop",
    "is_coroutine_test",
    "limit_foreign",
    "needs_loop",
    "shared_loop",
]

_SCOPES = ("session", "package", "module", "class")


def is_coroutine_test(item: pytest.Function) -> bool:
    """Whether the test is an ``async def``."""
    return inspect.iscoroutinefunction(item.function)


def needs_loop(item: pytest.Function) -> bool:
    """Whether the test or one of its function-scoped fixtures is asynchronous."""
    return is_coroutine_test(item) or any(
        is_async(function) for scope, function in fixture_functions(item).values() if scope == "function"
    )


def foreign_backend(item: pytest.Function) -> str:
    """Name of the async library that is not asyncio and drives this test, ``""`` if there is none."""
    name, _ = _anyio_backend(item)
    return "" if name in {"", "asyncio"} else name


def has_plugin_loop(item: pytest.Function) -> bool:
    """Whether a plugin has a loop for this test, on which its runs have to happen; sets nothing up."""
    if "anyio_backend" in item.fixturenames:
        return True
    return item.config.pluginmanager.has_plugin("asyncio") and _asyncio_loop_scope(item) is not None


def limit_foreign(node: pytest.Function, seconds: float) -> None:
    """Let anyio cancel the test after ``seconds``: a signal would leave its library in disorder."""
    function = node.obj

    async def limited(**arguments: object) -> None:
        import anyio

        try:
            with anyio.fail_after(seconds) as scope:
                await function(**arguments)
        except TimeoutError:
            if scope.cancelled_caught:
                raise TimeoutError(f"the run took longer than {seconds:g} s") from None
            raise

    node.obj = limited


def shared_loop(item: pytest.Function) -> asyncio.AbstractEventLoop | None:
    """The loop of the higher-scoped async fixtures of ``item``, or of the loop scope it asks for.

    Call it after they have been set up. ``None`` if the runs may have a loop of their own.
    """
    if _anyio_backend(item)[0]:
        runner = getattr(sys.modules.get("anyio.pytest_plugin"), "_current_runner", None)
        return None if runner is None else runner.get_loop()
    if not item.config.pluginmanager.has_plugin("asyncio"):
        return None
    scope = _asyncio_loop_scope(item)
    if scope is None:
        return None
    runner = value_of(item, f"_{scope}_scoped_runner")
    return runner.get_loop()  # type: ignore[no-any-return]


def _asyncio_loop_scope(item: pytest.Function) -> str | None:
    """The widest loop scope above "function" that the test or one of its fixtures runs in."""
    mark = item.get_closest_marker("asyncio")
    scopes: set[object] = {
        _fixture_loop_scope(item.config, scope, function)
        for scope, function in fixture_functions(item).values()
        if scope != "function" and is_async(function)
    }
    scopes.add(mark.kwargs.get("loop_scope") if mark else None)
    scopes.add(_ini(item.config, "asyncio_default_test_loop_scope") if mark else None)
    return next((scope for scope in _SCOPES if scope in scopes), None)


def _fixture_loop_scope(config: pytest.Config, scope: str, function: Any) -> str:
    default = _ini(config, "asyncio_default_fixture_loop_scope")
    default = scope if default == "fixture-scope" else default
    return getattr(function, "_loop_scope", None) or default or scope


def _ini(config: pytest.Config, name: str) -> str | None:
    try:
        return config.getini(name) or None
    except (KeyError, ValueError):
        return None


def _anyio_backend(item: pytest.Function) -> tuple[str, dict[str, Any]]:
    if "anyio_backend" not in item.fixturenames:
        return "", {}
    backend: Any = item.funcargs.get("anyio_backend") or value_of(item, "anyio_backend")
    return (backend, {}) if isinstance(backend, str) else (backend[0], backend[1])
