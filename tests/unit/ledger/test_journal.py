"""A line is in the file as soon as it was appended, and what cannot be written is known."""

import errno
import os
from pathlib import Path

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


def test_it_is_synced_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And when it is closed, if there is anything new."""
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
    journal.close()
    journal.close()
    assert len(synced) == 3


def test_a_sync_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is trouble: nobody knows what is on the disk."""

    def broken(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = Journal(tmp_path / "a", {"ledger": 1})
    journal.append([1, 1, {}])
    monkeypatch.setattr(subject.os, "fsync", broken)
    journal.close()
    assert journal.trouble == os.strerror(errno.EIO)
