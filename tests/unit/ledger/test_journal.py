"""A line is in the file as soon as it was appended, and what cannot be written is known."""

import errno
import os
import threading
import time
from pathlib import Path
from queue import SimpleQueue

import pytest

from pytest_llmrel.ledger import journal as subject
from pytest_llmrel.ledger.journal import Journal
from pytest_llmrel.ledger.lines import data_in, is_whole


def written(path: Path) -> list[object]:
    """What the whole lines of a file say."""
    return [data_in(line) for line in path.read_bytes().splitlines(keepends=True) if is_whole(line)]


def test_a_line_is_there_at_once(tmp_path: Path) -> None:
    """For whoever reads the file by another way, without anything having been closed."""
    journal = Journal(tmp_path / "a", {"ledger": 1})
    assert journal.append([1, 2, {"text": "\ud800\n\u2028é"}])
    assert written(journal.path) == [{"ledger": 1}, [1, 2, {"text": "\ud800\n\u2028é"}]]
    journal.close()
    assert not journal.append([1, 3, {}]), "it is closed"


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes half a line and no more; nothing is written after that, even if there is room again."""
    journal = Journal(tmp_path / "a", {"ledger": 1})
    assert journal.append([1, 1, {}])
    write, room = os.write, [10]

    def nearly_full(handle: int, data: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data[: room.pop()])

    monkeypatch.setattr(subject.os, "write", nearly_full)
    assert not journal.append([1, 2, {}])
    monkeypatch.undo()
    assert not journal.append([1, 3, {}])
    assert journal.trouble == os.strerror(errno.ENOSPC)
    assert written(journal.path) == [{"ledger": 1}, [1, 1, {}]]


def test_a_write_in_parts_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As systems are free to do it."""
    journal = Journal(tmp_path / "a", {"ledger": 1})
    write = os.write
    monkeypatch.setattr(subject.os, "write", lambda handle, data: write(handle, data[:7]))
    assert journal.append([1, 2, {"text": "longer than seven bytes"}])
    assert written(journal.path)[1:] == [[1, 2, {"text": "longer than seven bytes"}]]


def elsewhere(journal: Journal, data: list[object]) -> None:
    """Append in another thread, as one does that makes runs."""
    thread = threading.Thread(target=journal.append, args=(data,))
    thread.start()
    thread.join()


def test_it_is_synced_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And when it is closed, if there is anything new; without any thread, where there is none."""
    now, synced = [100.0], []
    monkeypatch.setattr(subject, "monotonic", lambda: now[0])
    monkeypatch.setattr(subject.os, "fsync", synced.append)
    journal = Journal(tmp_path / "a", {"ledger": 1})
    synced.clear()
    for moment in (100.2, 100.9, 101.1, 101.5, 105.0):
        now[0] = moment
        journal.append([1, 2, {}])
    assert len(synced) == 2
    journal.append([1, 2, {}])
    assert "llmrel-ledger" not in {thread.name for thread in threading.enumerate()}
    journal.close()
    journal.close()
    assert len(synced) == 3


def test_no_run_that_is_made_in_a_thread_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one syncs, if there is anything new."""
    synced: SimpleQueue[str] = SimpleQueue()
    monkeypatch.setattr(subject, "_SYNC_SECONDS", 0.02)
    journal = Journal(tmp_path / "a", {"ledger": 1})
    monkeypatch.setattr(subject.os, "fsync", lambda _: synced.put(threading.current_thread().name))
    elsewhere(journal, [1, 1, {}])
    assert synced.get(timeout=5) == "llmrel-ledger"
    time.sleep(0.1)
    assert synced.empty(), "there was nothing new"
    journal.append([1, 2, {}])
    assert synced.get(timeout=5) == "llmrel-ledger"
    journal.close()
    assert synced.empty()


def test_what_is_left_is_synced_when_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits until the second is over."""
    synced: list[str] = []
    monkeypatch.setattr(subject, "_SYNC_SECONDS", 60)
    journal = Journal(tmp_path / "a", {"ledger": 1})
    monkeypatch.setattr(subject.os, "fsync", lambda _: synced.append(threading.current_thread().name))
    elsewhere(journal, [1, 1, {}])
    journal.close()
    assert synced == [threading.current_thread().name]


@pytest.mark.parametrize("moment", ["meanwhile", "at the end"])
def test_a_sync_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Is trouble: nobody knows what is on the disk."""

    def broken(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    if moment == "meanwhile":
        monkeypatch.setattr(subject, "_SYNC_SECONDS", 0.02)
    journal = Journal(tmp_path / "a", {"ledger": 1})
    monkeypatch.setattr(subject.os, "fsync", broken)
    elsewhere(journal, [1, 1, {}])
    for _ in range(500):  # a hundred times as long as it takes
        if journal.trouble or moment == "at the end":
            break
        time.sleep(0.01)
    assert journal.append([1, 2, {}]) is (moment == "at the end")
    journal.close()
    assert journal.trouble == os.strerror(errno.EIO)
