"""Sends what a run prints and logs to that run, while the runs of an item are going on."""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from pytest_llmrel.core.run import current_run

__all__ = ["routed_output"]


@contextmanager
def routed_output(config: pytest.Config, *, alone: bool) -> Iterator[None]:
    """Give stdout, stderr and log records to the run they come from.

    What no run can be named for (a thread the test started itself, a subprocess) stays with the item.
    With ``-s`` nothing is captured, as in pytest.

    Args:
        config: of the session.
        alone: one run at a time, so that ``caplog`` may see the records.
    """
    with ExitStack() as stack:
        method = config.getoption("capture", "fd")
        for name in () if method == "no" else ("stdout", "stderr"):
            stack.enter_context(_routed_stream(name, tee=method == "tee-sys"))
        stack.enter_context(_routed_log(config, alone=alone))
        yield


@contextmanager
def _routed_stream(name: str, *, tee: bool) -> Iterator[None]:
    original = getattr(sys, name)
    setattr(sys, name, _RunStream(name, original, tee=tee))
    try:
        yield
    finally:
        setattr(sys, name, original)


class _RunStream(io.TextIOBase):
    """A text stream that writes to the run in progress, or to the stream it replaces.

    What it is asked for beside text (bytes, a file descriptor) is the business of the other stream: it
    cannot be told apart, and stays with the item.
    """

    def __init__(self, name: str, original: Any, *, tee: bool) -> None:
        self.name = name
        self._original = original
        self._tee = tee

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def write(self, text: str) -> int:
        run = current_run.get()
        if run is not None:
            run.capture(self.name, text)
        if run is None or self._tee:
            self._original.write(text)
        return len(text)

    def flush(self) -> None:
        self._original.flush()

    def close(self) -> None:
        """Nothing of ours is open; the base class would flush a stream that may be gone."""

    def fileno(self) -> int:
        return int(self._original.fileno())

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return str(self._original.encoding)

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return getattr(self._original, "errors", None)


@contextmanager
def _routed_log(config: pytest.Config, *, alone: bool) -> Iterator[None]:
    plugin: Any = config.pluginmanager.getplugin("logging-plugin")
    root = logging.getLogger()
    handler = _RunHandler()
    silenced = []
    if plugin is not None:
        handler.setFormatter(plugin.formatter)
        silenced = [plugin.report_handler] if alone else [plugin.report_handler, plugin.caplog_handler]
    for other in silenced:
        other.addFilter(_outside_runs)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        for other in silenced:
            other.removeFilter(_outside_runs)


def _outside_runs(_record: logging.LogRecord) -> bool:
    return current_run.get() is None


class _RunHandler(logging.Handler):
    """Writes records to the run in progress."""

    def emit(self, record: logging.LogRecord) -> None:
        """Format ``record`` into the log of its run."""
        run = current_run.get()
        if run is not None:
            run.capture("log", self.format(record) + "\n")
