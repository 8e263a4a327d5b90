"""Sends what a run prints and logs to that run, while the runs of tests are going on."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from typing import Any

import pytest

from pytest_llmrel.core.run import current_run

__all__ = ["OutputRoute"]


class OutputRoute:
    """Gives stdout, stderr and log records to the run they come from.

    What no run can be named for (a thread the test started itself, a subprocess) stays with the item, and so
    do bytes. With ``-s`` nothing is captured, as in pytest.

    Args:
        config: of the session.
        alone: one run at a time, so that ``caplog`` may see the records.
    """

    def __init__(self, config: pytest.Config, *, alone: bool) -> None:
        method = config.getoption("capture", "fd")
        self._is_off = method == "no"
        self._tee = method == "tee-sys"
        self._covered: list[Any] = []
        self._stack = ExitStack()
        self._stack.enter_context(_routed_log(config, alone=alone))

    def cover(self, stdout: Any, stderr: Any) -> None:
        """Take over the streams of a moment: pytest has others between the phases of a test than in them."""
        for name, stream in zip(("stdout", "stderr"), (stdout, stderr), strict=True):
            if not self._is_off and not any(stream is covered for covered in self._covered):
                self._covered.append(stream)
                self._stack.enter_context(_routed_stream(name, stream, tee=self._tee))

    def close(self) -> None:
        """Give everything back."""
        self._stack.close()


@contextmanager
def _routed_stream(name: str, stream: Any, *, tee: bool) -> Iterator[None]:
    """Let a stream write to the run in progress; it stays the same object, whoever holds it already."""
    attributes = vars(stream)
    former = attributes.get("write")
    attributes["write"] = _routed_write(name, stream.write, tee=tee)
    try:
        yield
    finally:
        del attributes["write"]
        if former is not None:
            attributes["write"] = former


def _routed_write(name: str, original: Callable[[str], object], *, tee: bool) -> Callable[[str], int]:
    def write(text: str) -> int:
        run = current_run.get()
        if run is not None:
            run.capture(name, text)
        if run is None:
            original(text)
        elif tee:  # which writes to another stream that we have taken over
            copy_context().run(_write_outside_runs, original, text)
        return len(text)

    return write


def _write_outside_runs(write: Callable[[str], object], text: str) -> None:
    current_run.set(None)
    write(text)


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
