"""Async fixture functions as synchronous ones, for pytest's synchronous machinery; public API only."""

import inspect
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol

import pytest

__all__ = ["Await", "bridged", "is_async", "refuse_unawaited"]

Await = Callable[[Coroutine[Any, Any, Any]], Any]
"""Executes a coroutine in the run's own task and waits for its value."""

_END = object()


class _Node(Protocol):
    wait_for: Await | None

    @property
    def instance(self) -> object: ...


def is_async(function: Callable[..., Any]) -> bool:
    """Whether ``function`` is a coroutine function or an async generator function."""
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def bridged(function: Callable[..., Any], node: _Node) -> Callable[..., Any]:
    """A synchronous fixture function around the async ``function``, for one run.

    Args:
        function: takes the fixture's arguments by name; a method may be bound to any instance of its class.
        node: the run, which executes the coroutines and has the right instance.
    """

    def bound() -> Callable[..., Any]:
        home = getattr(function, "__self__", None)
        if home is not None and isinstance(node.instance, type(home)):
            return function.__func__.__get__(node.instance)  # type: ignore[attr-defined,no-any-return]
        return function

    def wait(coroutine: Coroutine[Any, Any, Any]) -> Any:
        if node.wait_for is None:
            coroutine.close()
            raise RuntimeError(
                f"async fixture {function.__name__!r} was requested with request.getfixturevalue(); "
                "name it in the signature of the test or fixture instead"
            )
        return node.wait_for(coroutine)

    def fixture(**arguments: object) -> object:
        return wait(bound()(**arguments))

    def yielding_fixture(**arguments: object) -> Generator[object, None, None]:
        generator = bound()(**arguments)
        yield wait(_next(generator))
        if wait(_next(generator, _END)) is not _END:
            wait(generator.aclose())
            pytest.fail(f"async fixture {function.__name__!r} has more than one 'yield'", pytrace=False)

    return yielding_fixture if inspect.isasyncgenfunction(function) else fixture


def refuse_unawaited(name: str, value: Any) -> Any:
    """``value``, unless it is what an async fixture returns where no plugin awaits it (pytest before 9)."""
    if inspect.iscoroutine(value):
        value.close()
    elif not inspect.isasyncgen(value):
        return value
    pytest.fail(
        f"async fixture {name!r} is shared by all runs, and no plugin has awaited it; "
        "use pytest-asyncio or anyio, or make it function-scoped",
        pytrace=False,
    )


async def _next(generator: Any, *default: object) -> Any:
    return await anext(generator, *default)
