"""Several sessions that record into one file at once lose nothing, and one that is killed breaks nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmrel.baselines import store
from pytest_llmrel.baselines.lock import locked
from pytest_llmrel.baselines.store import prune, read_baselines, record

from .values import batch, change

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(store.__file__).parents[2]
RECORD = """
import sys
from pathlib import Path
from pytest_llmrel.baselines.store import Change, record
from pytest_llmrel.core.baseline import Batch, Cell

path, worker, sessions = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
sys.stdin.read()
for session in range(sessions):
    new = Batch(f"{worker:08x}{session:08x}", "2026-11-23T09:30:00Z", "0.2.0", (Cell("", "", 1, 2),))
    changes = [Change(name, "0" * 16, {}, new) for name in ("shared", f"own_{worker}")]
    assert record(path, changes) == []
"""
HANG = """
import os, sys, time
from pathlib import Path
from pytest_llmrel.baselines.store import Change, record
from pytest_llmrel.core.baseline import Batch, Cell

def hang(*_, **__):
    print("writing", flush=True)
    time.sleep(60)

# The last step of an atomic write, the first, and the one between.
step, path = sys.argv[1], Path(sys.argv[2])
if step == "replace":
    Path.replace = hang
elif step == "chmod":
    Path.chmod = hang
else:
    os.fdopen = hang
new = Batch("f" * 16, "2026-11-23T09:30:00Z", "0.2.0", (Cell("", "", 1, 2),))
record(path, [Change("test_a", "0" * 16, {"model": "small-1"}, new)])
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python process of its own."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-c", code, *map(str, arguments)], cwd=PACKAGE, text=True, **pipes
    )


def test_processes_lose_nothing(path: Path) -> None:
    """Six of them, ten sessions each, into one entry and one of their own; the file does not exist before."""
    workers = [start(RECORD, path, number, 10) for number in range(6)]
    for worker in workers:  # all are up and wait for the end of their input
        worker.stdin.close()
    for worker in workers:
        with worker:
            assert worker.wait(60) == 0
    entries = read_baselines(path).entries
    assert {name: (entry.passed, entry.n) for name, entry in entries.items()} == {
        "shared": (60, 120),
        **{f"own_{number}": (10, 20) for number in range(6)},
    }
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "work", [lambda path: record(path, [change("new")]), lambda path: prune(path, ["test_a"])]
)
def test_a_writer_waits_for_the_others(path: Path, work: Callable[[Path], object]) -> None:
    """It does not even read before it is alone."""
    record(path, [change()])
    before = path.read_bytes()
    thread = threading.Thread(target=work, args=(path,))
    with locked(path.parent.parent):
        thread.start()
        thread.join(0.2)
        assert path.read_bytes() == before
        assert thread.is_alive()
    thread.join(10)
    assert not path.exists() or path.read_bytes() != before


def test_threads_lose_nothing_while_the_file_comes_and_goes(path: Path) -> None:
    """Pruning removes the file and its folder under the others' feet, again and again."""
    stop = threading.Event()
    problems: list[Exception] = []

    def tear_down() -> None:
        try:
            while not stop.is_set():
                prune(path, ["fleeting"])
                record(path, [change("fleeting")])
                prune(path, ["fleeting"])
        except Exception as error:
            problems.append(error)

    def add(number: int) -> None:
        try:
            record(path, [change(f"test_{number}")])
        except Exception as error:
            problems.append(error)

    tearing = threading.Thread(target=tear_down)
    tearing.start()
    adding = [threading.Thread(target=add, args=(number,)) for number in range(20)]
    for thread in adding:
        thread.start()
        time.sleep(0.002)
    for thread in adding:
        thread.join()
    stop.set()
    tearing.join()
    assert problems == []
    assert sorted(read_baselines(path).entries) == sorted(f"test_{number}" for number in range(20))


def test_readers_see_a_whole_file(path: Path) -> None:
    """Before, or after, never between; a reader takes no lock."""
    record(path, [change(of=batch(1, 1, 1))])
    with start(RECORD, path, 1, 50) as worker:
        worker.stdin.close()
        seen = set()
        while worker.poll() is None:
            found = read_baselines(path)
            assert found.problems == {}
            seen.add(len(json.dumps(sorted(found.entries))))
        assert worker.returncode == 0
    assert seen


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("step", ["open", "chmod", "replace"])
def test_a_killed_session_leaves_the_old_file(path: Path, step: str) -> None:
    """Whatever it was doing; and the next one can record."""
    record(path, [change(of=batch(1))])
    before = path.read_bytes()
    with start(HANG, step, path) as worker:
        assert worker.stdout.readline() == "writing\n"
        worker.send_signal(signal.SIGKILL)
    assert path.read_bytes() == before
    assert record(path, [change(of=batch(2))]) == []
    assert [one.id for one in read_baselines(path).entries["test_a"].batches] == [batch(1).id, batch(2).id]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.1])
def test_sessions_killed_at_any_time_leave_a_valid_file(path: Path, delay: float) -> None:
    """Every session is in the file whole or not at all, in both of its entries."""
    with start(RECORD, path, 1, 1_000) as worker:
        worker.stdin.close()
        while not path.exists():
            time.sleep(0.005)
        time.sleep(delay)
        worker.send_signal(signal.SIGKILL)
    found = read_baselines(path)
    assert found.problems == {}
    assert found.entries["shared"].batches == found.entries["own_1"].batches
