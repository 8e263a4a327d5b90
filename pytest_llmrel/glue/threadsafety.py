"""Fixtures that several threads must not use at once: the runs of a test that has one come one at a time.

Known by the plugin that defines them, so that nobody's own fixture called ``page`` is taken for another, or
by the value of a shared one. Each reason says what is wrong with it among threads.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from pytest_llmrel.glue.runnode import fixture_functions
from pytest_llmrel.runtime.alarm import can_interrupt

__all__ = ["reasons_to_be_alone"]

_OWN_THREAD: Final = "works only in the thread that started it"
_ONE_DATABASE: Final = "gives all runs one database"
_WHOLE_PROCESS: Final = "changes the whole process"
_FIXTURES: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "pytest_playwright": (
        _OWN_THREAD,
        frozenset({"browser", "browser_type", "context", "new_context", "page", "playwright"}),
    ),
    "pytest_django": (
        _ONE_DATABASE,
        frozenset({
            "admin_client", "admin_user", "async_admin_client", "db", "django_db_reset_sequences",
            "django_db_serialized_rollback", "live_server", "transactional_db",
        }),
    ),
    "pyfakefs": (_WHOLE_PROCESS, frozenset({"fs"})),
    "pytest_freezer": (_WHOLE_PROCESS, frozenset({"freezer"})),
    "pytest_mock": (_WHOLE_PROCESS, frozenset({"mocker"})),
    "time_machine": (_WHOLE_PROCESS, frozenset({"time_machine"})),
}  # fmt: skip
"""Package of a plugin -> what is wrong with its fixtures, and which of them."""
_TYPES: Final[Mapping[tuple[str, str], str]] = {
    ("playwright", "SyncBase"): _OWN_THREAD,
    ("selenium", "WebDriver"): "is one browser",
    ("sqlalchemy", "AsyncConnection"): "is one connection",
    ("sqlalchemy", "AsyncSession"): "is one connection",
    ("sqlalchemy", "Connection"): "is one connection",
    ("sqlalchemy", "Session"): "is one connection",
}
"""Package and name of a class -> what is wrong with sharing a value of it."""
_DJANGO_MARKER: Final = "_django_db_marker"


def reasons_to_be_alone(item: pytest.Function) -> list[str]:
    """Why the runs of a test must not be in flight together, sorted; empty if nothing is known.

    Args:
        item: after its shared fixtures have been set up.

    Raises:
        pytest.fail.Exception: runs cannot be made in the main thread here, and one of its fixtures needs that.
    """
    found = {**dict(_by_value(item)), **dict(_by_plugin(item))}
    bound = sorted(name for name, reason in found.items() if _OWN_THREAD in reason)
    if bound and not can_interrupt():
        pytest.fail(
            f"{found[bound[0]]}, and runs cannot be made in the main thread here (no setitimer, or the "
            "tests themselves run in another thread); start it in a function-scoped fixture of your own",
            pytrace=False,
        )
    return [found[name] for name in sorted(found)]


def _by_plugin(item: pytest.Function) -> Iterator[tuple[str, str]]:
    packages = {
        name: (function.__module__ or "").partition(".")[0]
        for name, (_, function) in fixture_functions(item).items()
    }
    for name, package in packages.items():
        reason, names = _FIXTURES.get(package, ("", frozenset()))
        if name in names:
            yield name, f"{name} (of {package}, {reason})"
    if packages.get(_DJANGO_MARKER) == "pytest_django" and item.get_closest_marker("django_db"):
        yield "django_db", f"the mark django_db (of pytest_django, {_ONE_DATABASE})"


def _by_value(item: pytest.Function) -> Iterator[tuple[str, str]]:
    remedy = "a function-scoped fixture gives each run its own"
    for name, (scope, _) in fixture_functions(item).items():
        if scope != "function" and name in item.funcargs and (wrong := _wrong_with(item.funcargs[name])):
            yield name, f"{name} (shared by all runs, {wrong}; {remedy})"


def _wrong_with(value: Any) -> str:
    """What is wrong with sharing ``value`` among threads, ``""`` if nothing is known to be."""
    if isinstance(value, sqlite3.Cursor):
        value = value.connection
    if isinstance(value, sqlite3.Connection):
        return f"a sqlite3 connection {_OWN_THREAD}" if _is_bound(value) else _unserialized()
    for kind in type(value).__mro__:
        if reason := _TYPES.get((kind.__module__.partition(".")[0], kind.__name__)):
            return f"a {type(value).__name__} of {kind.__module__.partition('.')[0]} {reason}"
    return ""


def _unserialized() -> str:
    """What is wrong with a connection that is made to be shared: nothing, with a SQLite that takes turns."""
    serialized = 3
    return "" if sqlite3.threadsafety == serialized else "a sqlite3 connection of a library without locks"


def _is_bound(connection: sqlite3.Connection) -> bool:
    """Whether it refuses other threads (``check_same_thread``), which it does not tell unless it is tried."""
    refused: list[bool] = []

    def ask() -> None:
        try:
            sqlite3.Connection.cursor(connection).close()
        except sqlite3.ProgrammingError as error:
            refused.append("thread" in str(error))

    thread = threading.Thread(target=ask, name="llmrel-sqlite3")
    thread.start()
    thread.join()
    return any(refused)
