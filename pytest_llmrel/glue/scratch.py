"""``tmp_path`` for runs: ``<test>0/run0``, ``<test>0/run1``, ...; each case and wording has its own.

pytest's own looks through all existing folders for the next free number, which is quadratic in k, and
gives up after ten collisions with other threads.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.core.seed import variant_key

__all__ = ["ScratchFolders"]

_LONGEST_NAME = 30
_making = threading.Lock()
"""Held while pytest's factory, which knows nothing of threads, makes a folder: for a run of any test."""


class ScratchFolders:
    """The folders of one item's runs."""

    def __init__(self, item: pytest.Function) -> None:
        self._name = "".join(c if c.isalnum() else "_" for c in item.name)[:_LONGEST_NAME]
        self._base: Path | None = None
        factory = item.funcargs.get("tmp_path_factory")
        if isinstance(factory, pytest.TempPathFactory):
            # Made on first use: two runs that use the factory at once would each make it, or remove it.
            with suppress(OSError):  # the first that needs a folder is told
                factory.getbasetemp()

    def tmp_path(self, request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
        """The fixture function that stands in for pytest's."""
        node = request.node
        attempt = node.run.attempt
        case = variant_key(attempt.case) if attempt.case else ""  # an id may be no name for a folder
        name = "-".join(filter(None, (case, attempt.variant.key, f"run{attempt.run}")))
        path = self._home(tmp_path_factory) / name
        path.mkdir(mode=0o700)
        yield path
        if node.passed and node.config.getini("tmp_path_retention_policy") == "failed":
            shutil.rmtree(path, ignore_errors=True)

    def _home(self, factory: pytest.TempPathFactory) -> Path:
        with _making:
            if self._base is None:
                self._base = factory.mktemp(self._name, numbered=True)
            return self._base
