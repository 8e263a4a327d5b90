"""The lock of baseline files: among threads, among processes, after a crash, and without a trace."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_llmrel.baselines import lock
from pytest_llmrel.errors import BaselineError

HOLD = """
import sys, time
from pathlib import Path
from pytest_llmrel.baselines.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holder(folder: Path, seconds: float) -> "subprocess.Popen[str]":
    """A process that holds the lock from now on."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), str(seconds)],
        cwd=Path(lock.__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_threads_exclude_each_other(tmp_path: Path) -> None:
    """No two of them are inside at once."""
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with lock.locked(tmp_path):
            inside += 1
            most = max(most, inside)
            time.sleep(0.01)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)


def test_another_process_is_waited_for(tmp_path: Path) -> None:
    """As long as it holds the lock, and no longer."""
    with holder(tmp_path, 0.5) as process:
        began = time.monotonic()
        with lock.locked(tmp_path):
            waited = time.monotonic() - began
        process.wait()
    assert 0.2 < waited < 10


def test_waiting_ends(tmp_path: Path) -> None:
    """With a sentence about who may hold the lock."""
    with holder(tmp_path, 60) as process:
        try:
            with (
                pytest.raises(BaselineError, match="another pytest session") as raised,
                lock.locked(tmp_path, 0.1),
            ):
                pass
        finally:
            process.kill()
    assert str(tmp_path) in str(raised.value)
    assert lock.PATIENCE == 30


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """The lock goes with its process."""
    with holder(tmp_path, 60) as process:
        process.kill()
        process.wait()
        with lock.locked(tmp_path, 5):
            pass


def test_an_error_gives_the_lock_back(tmp_path: Path) -> None:
    """Whatever happens inside."""
    with pytest.raises(ZeroDivisionError), lock.locked(tmp_path):
        raise ZeroDivisionError
    with lock.locked(tmp_path, 0):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there it is a file")
def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """No lock file in the folder of a user, while it is held or afterwards."""
    with lock.locked(tmp_path / "new" / "tests"):
        assert list((tmp_path / "new" / "tests").iterdir()) == []
    assert list((tmp_path / "new" / "tests").iterdir()) == []


def test_what_is_no_folder_cannot_be_locked(tmp_path: Path) -> None:
    """It is told as any other problem with baselines."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BaselineError, match="cannot be locked"), lock.locked(tmp_path / "file"):
        pass
