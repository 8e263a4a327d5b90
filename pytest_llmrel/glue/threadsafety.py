"""Fixtures that several threads must not use at once: the runs of a test that has one come one at a time.

Known by the plugin that defines them, so that nobody's own fixture called ``page`` is taken for another, or
by the value of a shared one. Each reason says what is wrong with it among threads.
"""

import sys
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_llmrel.errors import PlanError
from pytest_llmrel.glue.runnode import fixture_functions
from pytest_llmrel.runtime.alarm import can_interrupt

if TYPE_CHECKING:
    import sqlite3

__all__ = ["bound_elsewhere", "reasons_to_be_alone", "refuse_bound"]

_OWN_THREAD: Final = "works only in the thread that made it"
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
    """Why the runs of a test must not be in flight together; empty if nothing is known.

    Args:
        item: after its shared fixtures have been set up.
    """
    return [*_by_plugin(item), *_by_value(item)]


def bound_elsewhere(item: pytest.Function) -> str:
    """Why no run of a test can use one of its fixtures on this machine, ``""`` if nothing is known.

    What belongs to the thread that set it up is of use only where the runs are made in that thread.

    Args:
        item: after its shared fixtures have been set up.
    """
    if can_interrupt():
        return ""
    bound = [reason for reason in reasons_to_be_alone(item) if _OWN_THREAD in reason]
    if not bound:
        return ""
    return (
        f"{bound[0]}, and this platform, or thread, has no timer to make runs there; leave krun off this "
        "test, or run it on Linux or macOS"
    )


def refuse_bound(values: Mapping[str, object]) -> None:
    """Refuse a run whose fixtures were set up in another thread than the one its coroutine is executed in.

    Args:
        values: of the fixtures that were set up in the calling thread, by name.

    Raises:
        PlanError: one of them is of use in the calling thread alone.
    """
    for name, value in values.items():
        if _OWN_THREAD in _wrong_with(value):
            raise PlanError(
                f"fixture {name!r}: {_wrong_with(value)}, and async tests run in another; make it in an "
                "async fixture, or with check_same_thread=False, or use krun(concurrency=1)"
            )


def _by_plugin(item: pytest.Function) -> Iterator[str]:
    packages = {
        name: str(getattr(function, "__module__", "")).partition(".")[0]
        for name, (_, function) in fixture_functions(item).items()
    }
    for package, (reason, known) in _FIXTURES.items():
        used = sorted(name for name in known if packages.get(name) == package)
        if used:
            yield f"{', '.join(used)} (of {package}, {reason})"
    if packages.get(_DJANGO_MARKER) == "pytest_django" and item.get_closest_marker("django_db"):
        yield f"the mark django_db (of pytest_django, {_ONE_DATABASE})"


def _by_value(item: pytest.Function) -> Iterator[str]:
    remedy = "a function-scoped fixture gives each run its own"
    for name, (scope, _) in fixture_functions(item).items():
        if scope != "function" and name in item.funcargs and (wrong := _wrong_with(item.funcargs[name])):
            yield f"{name} (shared by all runs, {wrong}; {remedy})"


def _wrong_with(value: Any) -> str:
    """What is wrong with sharing ``value`` among threads, ``""`` if nothing is known to be."""
    sqlite3 = sys.modules.get("sqlite3")  # not imported for those who have none of it
    if sqlite3 and isinstance(value, sqlite3.Connection | sqlite3.Cursor):
        return _wrong_with_sqlite(getattr(value, "connection", value))
    for kind in type(value).__mro__:
        package = str(kind.__module__).partition(".")[0]
        if reason := _TYPES.get((package, kind.__name__)):
            return f"a {type(value).__name__} of {package} {reason}"
    return ""


def _wrong_with_sqlite(connection: "sqlite3.Connection") -> str:
    """One that is made to be shared is fine, with a SQLite that takes turns."""
    import sqlite3

    serialized = 3
    if _is_bound(connection):
        return f"a sqlite3 connection {_OWN_THREAD}"
    return "" if sqlite3.threadsafety == serialized else "a sqlite3 connection of a library without locks"


def _is_bound(connection: "sqlite3.Connection") -> bool:
    """Whether it refuses other threads (``check_same_thread``), which it does not tell unless it is tried."""
    import sqlite3

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
