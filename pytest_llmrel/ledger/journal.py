"""The file that one process appends its finished runs to: a line, once written, survives the process."""

import os
from pathlib import Path
from time import monotonic
from typing import Any, Final

from pytest_llmrel.ledger.lines import line_of
from pytest_llmrel.ledger.lock import hold

__all__ = ["Journal"]

_SYNC_SECONDS: Final = 1.0
"""How much a power failure may cost. What only the process does not survive costs nothing."""


class Journal:
    """Not thread-safe: one thread records.

    Args:
        path: of the file, which must not exist yet.
        head: its first line.

    Raises:
        OSError: it cannot be made.

    Attributes:
        path: of the file.
        trouble: why nothing more is written, ``""`` while all is well.
    """

    def __init__(self, path: Path, head: dict[str, Any]) -> None:
        self.path = path
        self.trouble = ""
        binary = getattr(os, "O_BINARY", 0)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | binary
        self._handle: int | None = os.open(path, flags, 0o600)
        self._synced = monotonic()
        self._is_dirty = False
        try:
            hold(self._handle)
            _write(self._handle, line_of(head))
            os.fsync(self._handle)
            _sync_folder(path.parent)
        except OSError:
            self.close()
            raise

    def append(self, data: dict[str, Any] | list[Any]) -> bool:
        """Write a line; whether it is there. After the first that is not, nothing more is written."""
        if self._handle is None:
            return False
        try:
            _write(self._handle, line_of(data))
            self._is_dirty = True
            self.sync()
        except OSError as error:
            self._give_up(error)
        return not self.trouble

    def sync(self, *, now: bool = False) -> None:
        """Make sure that what was written survives a power failure; at most once a second, unless ``now``.

        Raises:
            OSError: it does not.
        """
        moment = monotonic()
        if self._handle is None or not self._is_dirty or (moment - self._synced < _SYNC_SECONDS and not now):
            return
        os.fsync(self._handle)
        self._synced, self._is_dirty = moment, False

    def close(self) -> None:
        """Write nothing more, and let others have the file."""
        try:
            self.sync(now=True)
        except OSError as error:
            self.trouble = self.trouble or error.strerror or str(error)
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _give_up(self, error: OSError) -> None:
        self.trouble = error.strerror or str(error)
        self._is_dirty = False
        self.close()


def _write(handle: int, line: bytes) -> None:
    written = os.write(handle, line)
    while written < len(line):  # a disk that is nearly full takes a part, and refuses the next
        written += os.write(handle, line[written:])


def _sync_folder(folder: Path) -> None:
    """So that a file that was made is there after a power failure, and not only what is in it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
