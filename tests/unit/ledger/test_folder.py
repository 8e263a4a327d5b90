"""One session at a time in a folder, for as long as it lives; files in the order of their sessions."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmrel.errors import LedgerError
from pytest_llmrel.ledger import folder as subject
from pytest_llmrel.ledger.folder import begin, forget, former_files
from pytest_llmrel.ledger.journal import Journal

Written = Callable[..., Path]

HOLD = """
import os, sys, time
from pathlib import Path
from pytest_llmrel.ledger.folder import begin
journal, former = begin(Path(sys.argv[1]), sys.argv[2], "gw0")
if not os.fork():
    time.sleep(60)
print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_two_sessions_in_one_folder(tmp_path: Path) -> None:
    """The second is told; when the first dies it may begin, although a process that it forked lives on."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), "a"],
        cwd=Path(subject.__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
        with pytest.raises(
            LedgerError, match="another pytest session is writing its runs there; wait for it"
        ):
            begin(tmp_path, "b", "main")
        second, former = begin(tmp_path, "a", "gw1")  # another worker of the same session
        assert former == []
        second.close()
        process.kill()
        process.wait()
        third, former = begin(tmp_path, "b", "main")
        third.close()
        os.killpg(process.pid, signal.SIGKILL)  # the child
    assert [path.name for path in former] == ["runs-0001-a-gw0.jsonl", "runs-0001-a-gw1.jsonl"]
    assert third.path.name == "runs-0002-b-main.jsonl"


def test_files_come_in_order(written: Written) -> None:
    """Of sessions, not of names; whatever else is in the folder is left alone."""
    paths = [written(1, session) for session in ("zz", "aa", "mm")]
    (paths[0].parent / "notes.jsonl").write_text("mine")
    assert former_files(paths[0].parent, "new") == paths
    assert former_files(paths[0].parent, "aa") == [paths[0], paths[2]]
    assert former_files(paths[0].parent / "none", "new") == []
    forget(paths)
    forget(paths)
    assert {path.name for path in paths[0].parent.iterdir()} == {"lock", "notes.jsonl"}


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """Is an error of the system, for whoever can go on without a ledger."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        begin(tmp_path / "file" / "llmrel", "a", "main")


def test_a_file_belongs_to_one_process(tmp_path: Path) -> None:
    """It is never continued, so that what is torn is always at the end of a file."""
    Journal(tmp_path / "runs.jsonl", {}).close()
    with pytest.raises(FileExistsError):
        Journal(tmp_path / "runs.jsonl", {})
