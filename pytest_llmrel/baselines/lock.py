"""One writer at a time, among the processes and threads of one machine."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pytest_llmrel.errors import BaselineError

__all__ = ["PATIENCE", "locked"]

PATIENCE: Final = 30.0
"""Seconds to wait for another writer."""
_POLL_SECONDS: Final = 0.02


@contextlib.contextmanager
def locked(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Holds the lock of a folder; waits for it.

    Args:
        folder: made if it does not exist; must not be removed while others may wait for it.
        patience: seconds to wait.

    Raises:
        BaselineError: it cannot be locked, or not in time.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = _open(folder)
    except OSError as error:
        raise BaselineError(f"{folder}: cannot be locked for writing ({error.strerror or error})") from error
    try:
        _wait(handle, folder, patience)
        yield
    finally:
        os.close(handle)  # which gives the lock back


def _wait(handle: int, folder: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            _acquire(handle)
        except (BlockingIOError, PermissionError):
            if time.monotonic() >= deadline:
                raise BaselineError(
                    f"{folder}: still locked after {patience:g} s; another pytest session or "
                    "'llmrel baseline' may be writing there: wait for it or end it, then try again"
                ) from None
            time.sleep(_POLL_SECONDS)
        except OSError as error:
            raise BaselineError(f"{folder}: cannot be locked ({error.strerror or error})") from error
        else:
            return


if sys.platform == "win32":
    import msvcrt

    def _open(folder: Path) -> int:
        return os.open(folder / ".llmrel.lock", os.O_RDWR | os.O_CREAT)

    def _acquire(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _open(folder: Path) -> int:
        # The folder itself, so that no lock file is left behind in somebody's repository.
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def _acquire(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
