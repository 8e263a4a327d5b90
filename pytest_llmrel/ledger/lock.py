"""Who writes to a file holds its lock, which dies with the process however that ends."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["alone_in", "hold", "is_held"]

_NAME = "lock"


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """For a moment the only one among the processes of this machine who looks at this folder; waits for that.

    Raises:
        OSError: nothing can be written there.
    """
    handle = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle, wait=True)
        yield
    finally:
        os.close(handle)  # which gives the lock back


def hold(handle: int) -> None:
    """Lock an open file for as long as this process lives, or until it is closed.

    Raises:
        OSError: another process has it.
    """
    _lock(handle, wait=False)


def is_held(path: Path) -> bool:
    """Whether a living process other than this one writes to a file.

    Raises:
        OSError: it cannot be opened.
    """
    handle = os.open(path, os.O_RDWR)
    try:
        _lock(handle, wait=False)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 62  # what is locked cannot be read by others, so it lies where nothing is

    def _lock(handle: int, *, wait: bool) -> None:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int, *, wait: bool) -> None:
        # Not flock: a process that the test forks, and that survives, would inherit the lock.
        fcntl.lockf(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
