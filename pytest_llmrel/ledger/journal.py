"""The file that one process appends its finished runs to: a line, once written, survives the process."""

import os
import threading
from pathlib import Path
from time import monotonic
from typing import Any, Final

from pytest_llmrel.ledger.lines import line_of
from pytest_llmrel.ledger.lock import hold

__all__ = ["Journal"]

_SYNC_SECONDS: Final = 1.0
"""How much a power failure may cost. What only the process does not survive costs nothing."""


class Journal:
    """One thread at a time appends.

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
        self._is_dirty = False
        self._is_closing = threading.Event()
        self._synced = monotonic()
        # A disk that takes its time must not hold up those who make runs. A session without threads has none.
        self._syncing = threading.Thread(target=self._keep_synced, name="llmrel-ledger", daemon=True)
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
        if self._handle is None or self.trouble:
            return False
        try:
            _write(self._handle, line_of(data))
        except OSError as error:
            self._give_up(error)
            return False
        self._is_dirty = True
        if self._syncing.ident is None:
            self._see_to_syncing(self._handle)
        return True

    def close(self) -> None:
        """Write nothing more, and let others have the file."""
        self._is_closing.set()
        if self._syncing.ident is not None:
            self._syncing.join()
        if self._handle is not None:
            self._sync(self._handle)
            os.close(self._handle)
            self._handle = None

    def _see_to_syncing(self, handle: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            self._syncing.start()
        elif monotonic() - self._synced >= _SYNC_SECONDS:
            self._sync(handle)

    def _keep_synced(self) -> None:
        while self._handle is not None and not self._is_closing.wait(_SYNC_SECONDS):
            self._sync(self._handle)

    def _sync(self, handle: int) -> None:
        """Make sure that what was written survives a power failure."""
        if self._is_dirty and not self.trouble:
            self._synced, self._is_dirty = monotonic(), False
            try:
                os.fsync(handle)
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.trouble = error.strerror or str(error)


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
