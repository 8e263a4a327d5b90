"""Sends what a run prints and logs to that run, while the runs of an item are going on."""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TextIO

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
        if config.getoption("capture", "fd") != "no":
            for name in ("stdout", "stderr"):
                stack.enter_context(_routed_stream(name))
        stack.enter_context(_routed_log(config, alone=alone))
        yield


@contextmanager
def _routed_stream(name: str) -> Iterator[None]:
    original = getattr(sys, name)
    setattr(sys, name, _RunStream(name, original))
    try:
        yield
    finally:
        setattr(sys, name, original)


class _RunStream(io.TextIOBase):
    """A text stream that writes to the run in progress, or to the stream it replaces."""

    def __init__(self, name: str, original: TextIO) -> None:
        self.name = name
        self._original = original

    def write(self, text: str) -> int:
        run = current_run.get()
        if run is None:
            return self._original.write(text)
        run.capture(self.name, text)
        return len(text)

    def flush(self) -> None:
        self._original.flush()

    def isatty(self) -> bool:
        return False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._original.encoding

    @property
    def buffer(self) -> Any:
        """The bytes below; they cannot be told apart and stay with the item."""
        return self._original.buffer


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
